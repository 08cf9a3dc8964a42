"""Settings in messages: below the command line by name, on it by flag."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import seqrnn
from seqrnn.cli.spelling import all_in_flags, flag_of, in_flags

PACKAGE = Path(seqrnn.__file__).parent
SPELL_FLAGS = {"cli", "config.py", "reporting", "__main__.py"}
"""What spells flags: the command line, settings, which declare theirs, and reports, which show commands."""


@pytest.mark.parametrize(
    ("named", "spelled"),
    [
        ("use `data.text_column`", "use --text-col"),
        ("use `data.format=lines`", "use --format lines"),
        ("`data.normalize=false`: has no effect", "--raw: has no effect"),
        ("`data.multi_label=true`", "--multi-label"),
        ("`data.multi_label=false`", "--set data.multi_label=false"),
        ("`data.feature_columns`", "--set data.feature_columns"),
        ("`decoding.top_k` 0", "--top-k 0"),
        ("add `decoding.sample=true` or `decoding.sample=false`", "add --sample or --greedy"),
        ("`resume` and `init_from`; name `output`; `k`", "--resume and --init-from; name -o; -k"),
        ("use `classify()`", "use seqrnn classify"),
        (
            "the field `prediction` of `data.nothing` and `x y`",
            "the field `prediction` of `data.nothing` and `x y`",
        ),
        ("a file data.format, and --top-k", "a file data.format, and --top-k"),
    ],
)
def test_names_between_backticks_become_flags_and_nothing_else_does(named: str, spelled: str) -> None:
    assert in_flags(named) == spelled


def test_texts_inside_a_value_are_spelled_too() -> None:
    found = all_in_flags({"a": ["`resume`", 1], "b": {"c": ("`k`", None)}})
    assert found == {"a": ["--resume", 1], "b": {"c": ["-k", None]}}


def test_nothing_below_the_command_line_spells_a_flag() -> None:
    found = []
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] in SPELL_FLAGS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _spells_a_flag(node.value):
                found.append(f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.value[:60]}")
    assert not found


def _spells_a_flag(text: str) -> bool:
    return re.search(r"(?<![\w-])--[a-z]", text) is not None


def test_a_setting_that_says_yes_is_a_flag_alone_and_a_column_may_be_called_so():
    assert flag_of("data.multi_label", "true") == "--multi-label"
    assert flag_of("data.text_column", "true") == "--text-col true"
    assert flag_of("no_such_setting", "true") is None
