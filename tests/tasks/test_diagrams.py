"""The drawings of all shapes: what is read and written at which step."""

from __future__ import annotations

import pytest

from seqrnn.catalog import TASKS, load
from seqrnn.cli.drawing import Paper
from seqrnn.config_file import from_defaults, resolve


def drawn(task: str, **settings: str) -> list[list[str]]:
    layer = {"task": task, **{f"data.{name}": value for name, value in settings.items()}}
    made = load(TASKS[task])(resolve([from_defaults(layer)]))
    lines = list(Paper(60, ascii=True).network(made.diagram(), both_ways=False))
    assert all(len(line) <= 60 for line in lines)
    return [lines[row].split() for row in (0, 4)]


@pytest.mark.parametrize(
    ("task", "kind", "written", "read"),
    [
        ("classification", "vector", "label", "x"),
        ("classification", "text", "label", "x_1 x_2 ... x_T"),
        ("regression", "vectors", "number", "x_1 x_2 ... x_T"),
        ("tagging", "text", "tag_1 tag_2 ... tag_T", "x_1 x_2 ... x_T"),
        ("language-model", "none", "x_2 x_3 ... x_T+1", "x_1 x_2 ... x_T"),
        ("polyphony", "notes", "x_2 x_3 ... x_T+1", "x_1 x_2 ... x_T"),
        ("seq2seq", "text", "y_1 y_2 ...", "x_1 ... x_S <bos> y_1 ..."),
        ("seq2seq", "image", "y_1 y_2 ...", "image <bos> y_1 ..."),
        ("seq2seq", "label", "y_1 y_2 ...", "label <bos> y_1 ..."),
    ],
)
def test_every_shape_is_drawn_as_a_lecture_does(task, kind, written, read):
    assert drawn(task, source_kind=kind) == [written.split(), read.split()]
