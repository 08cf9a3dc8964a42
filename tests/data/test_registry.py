"""Which format a file has, and which of the columns chosen for one format hold for another."""

from __future__ import annotations

import pytest

from seqrnn.data.formats.registry import column_for


@pytest.mark.parametrize(
    ("choice", "trained", "layout", "expected"),
    [
        (None, "csv", "conll", None),
        ("2", "csv", "csv", "2"),
        ("2", "tsv", "parquet", "2"),
        ("2", "csv", "jsonl", None),
        ("2", "conll", "csv", None),
        ("2", "csv", "conll", None),
        ("review", "csv", "jsonl", "review"),
        ("tokens", "jsonl", "conll", None),
        ("XPOS", "conllu", "conllu", "XPOS"),
    ],
)
def test_columns_chosen_for_one_format_are_those_of_another_where_that_has_them(
    choice, trained, layout, expected
):
    assert column_for(choice, trained, layout) == expected
