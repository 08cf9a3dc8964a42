"""What the writers of the formats make of answers of every kind, without a model."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqrnn.data.answer import Answer, AnswerStyle
from seqrnn.data.formats.answer_writer import AnswerableFormat, Answered
from seqrnn.data.formats.registry import format_named
from seqrnn.data.source import Source
from seqrnn.errors import UsageError

HALF = math.log(0.5)
STYLES = {
    "label": AnswerStyle("label", " ", "", True, ("a", "b c")),
    "labels": AnswerStyle("labels", ",", "", True, ("a", "b c")),
    "number": AnswerStyle("number"),
    "tags": AnswerStyle("tags", " ", "", True),
    "notes": AnswerStyle("notes"),
}
ANSWERS = {
    "label": Answer("b c", HALF, [("b c", HALF)], classes=(HALF, HALF)),
    "labels": Answer(["a", "b c"], HALF, [("a", HALF), ("b c", HALF)], classes=(HALF, HALF)),
    "number": Answer(1_700_000_003.0, None),
    "tags": Answer(["N", "V"], HALF, parts=(HALF, HALF)),
    "notes": Answer([0, 4], HALF),
}


class Sink:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.content = b""

    def write_lines(self, lines: Any) -> None:
        self.content += "".join(f"{line}\n" for line in lines).encode()

    def write_bytes(self, content: bytes) -> None:
        self.content += content

    def write_json(self, records: Any) -> None:
        self.write_lines(map(json.dumps, records))


def answered(path: Path, layout: str, style: AnswerStyle, answer: Answer, **keys: Any) -> bytes:
    """Answer each example of a file alike; return the file that is made of it."""
    kind = format_named(layout)
    assert isinstance(kind, AnswerableFormat)
    source = Source((str(path),), format=layout, **keys)
    asked = kind.asked(str(path), source, source.lines)
    writer, out = asked.writer(style), Sink()
    rows = [Answered(row, None if record is None else answer) for row, record in asked.rows]
    writer.begin(out)
    writer.write(rows, out)
    writer.end(out)
    return out.content


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("label", ["p_a_2,p_b c", "b c,0.5,0.5,0.5"]),
        ("labels", ["p_a_2,p_b c", '"a,b c",0.5,0.5,0.5']),
        ("number", ["prediction", "1700000003"]),
        ("tags", ["probabilities", "N V,0.5,0.5 0.5"]),
        ("notes", ["probability", "0 4,0.5"]),
    ],
)
def test_cells_of_a_table_hold_answers_of_every_kind(tmp_path, kind, expected):
    (tmp_path / "a.csv").write_text('text,p_a\n "x" ,07\n')
    told = answered(tmp_path / "a.csv", "csv", STYLES[kind], ANSWERS[kind], text_column="text").decode()
    header, row = told.splitlines()
    assert header.startswith("text,p_a,prediction")
    assert header.endswith(expected[0])
    assert row == f' "x" ,07,{expected[1]}'


@pytest.mark.parametrize("kind", STYLES)
def test_fields_of_an_object_hold_answers_of_every_kind(tmp_path, kind):
    (tmp_path / "a.json").write_text('[{"text": "x", "n": 1.50}\n,\n{"text": 3}]')
    told = answered(tmp_path / "a.json", "json", STYLES[kind], ANSWERS[kind]).decode()
    assert '{"text": "x", "n": 1.50, "prediction": ' in told
    first, second = json.loads(told)
    assert first["prediction"] == ANSWERS[kind].prediction
    wanted = {"label": {"a": 0.5, "b c": 0.5}, "labels": {"a": 0.5, "b c": 0.5}, "tags": [0.5, 0.5]}
    assert first.get("probabilities") == wanted.get(kind)
    assert second["prediction"] is None
    assert "is no string" in second["error"]


@pytest.mark.parametrize("kind", STYLES)
def test_columns_of_parquet_hold_answers_of_every_kind(tmp_path, kind):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table(
        {"text": pyarrow.array(["x", None, "x"]).dictionary_encode(), "prediction": [1, 2, 3]}
    )
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=1)
    content = answered(tmp_path / "a.parquet", "parquet", STYLES[kind], ANSWERS[kind])
    told = parquet.read_table(io.BytesIO(content))
    assert told.select(["text", "prediction"]).equals(table)
    assert told["prediction_2"].to_pylist() == [ANSWERS[kind].prediction, None, ANSWERS[kind].prediction]


def test_a_file_without_rows_comes_back_without_rows(tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"text": pyarrow.array([], pyarrow.string())}), tmp_path / "a.parquet")
    content = answered(tmp_path / "a.parquet", "parquet", AnswerStyle(), ANSWERS["label"])
    assert parquet.read_table(io.BytesIO(content)).column_names == ["text", "prediction", "probability"]
    for name, expected in (("a.json", b"[\n]\n"), ("a.csv", b""), ("a.jsonl", b"")):
        (tmp_path / name).write_text("[]" if name == "a.json" else "")
        layout = name.rpartition(".")[2]
        assert (
            answered(tmp_path / name, layout, AnswerStyle(), ANSWERS["label"], text_column="text") == expected
        )


def test_arrays_hold_texts_or_numbers(tmp_path):
    np.savez(tmp_path / "b.npz", x=np.ones((2, 3, 1)), lengths=np.array([1, 9]))
    for kind, expected in (("label", ["b c", ""]), ("number", [1_700_000_003.0, math.nan])):
        content = answered(tmp_path / "b.npz", "npz", STYLES[kind], ANSWERS[kind], kind="vectors")
        with np.load(io.BytesIO(content)) as told:
            assert told["lengths"].tolist() == [1, 9]
            assert str(told["prediction"].tolist()) == str(expected)


def test_labels_of_fasttext_are_words(tmp_path):
    (tmp_path / "a.ft").write_text("__label__x fine\nfine\n")
    told = answered(tmp_path / "a.ft", "fasttext", STYLES["labels"], ANSWERS["labels"]).decode()
    assert told == "__label__a 0.5 __label__b_c 0.5\n" * 2
    told = answered(tmp_path / "a.ft", "fasttext", STYLES["number"], ANSWERS["number"]).decode()
    assert told == "__label__1700000003\n" * 2


def test_what_a_form_cannot_hold_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "a.conll").write_text("x A\n")
    (tmp_path / "a.tsv").write_text("x\tA\n")
    with pytest.raises(UsageError, match="a tag for each"):
        answered(tmp_path / "a.conll", "conll", STYLES["label"], ANSWERS["label"])
    with pytest.raises(UsageError, match="no header names the columns"):
        answered(tmp_path / "a.tsv", "tsv", AnswerStyle(prefix="a_"), ANSWERS["label"])
    many = AnswerStyle(probs=True, classes=[str(number) for number in range(1001)])
    with pytest.raises(UsageError, match="1,001 classes would be as many columns"):
        answered(tmp_path / "a.tsv", "tsv", many, ANSWERS["label"])
