"""fastText's layout: words and, anywhere among them, labels `__label__x`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from seqrnn.data.answer import Answer, AnswerStyle
from seqrnn.data.formats.answer_writer import AnswerableFormat, Answered, AnswerWriter, Asked, Sink
from seqrnn.data.formats.format import OpenLines
from seqrnn.data.formats.table import Row
from seqrnn.data.lines import Line, file_name
from seqrnn.data.record import Record
from seqrnn.data.text.tokens import join_tokens
from seqrnn.errors import UsageError

if TYPE_CHECKING:
    from seqrnn.data.source import Source

LABEL_PREFIX = "__label__"
_label = re.compile(rf"(?<!\S){LABEL_PREFIX}(\S+)\s*")


class FastText(AnswerableFormat):
    """One example a line; every word that begins with `__label__` is a label, wherever it is."""

    extensions = (".ft",)
    is_unmistakable = True
    ranks_labels = True
    targets_are_classes = True

    def matches(self, lines: Sequence[str]) -> bool:
        """Whether most lines begin or end with a label."""
        filled = [line.split() for line in lines if line.strip()]
        labelled = [words for words in filled if labels_in(words[0]) or labels_in(words[-1])]
        return len(labelled) > len(filled) / 2

    def records(self, path: str, source: Source, open_lines: OpenLines) -> Iterator[Record]:  # noqa: ARG002
        """Yield each line with its labels, which are no part of its text."""
        name = file_name(path)
        for line in open_lines(path):
            yield Record(without_labels(line.text), labels_in(line.text), name, line.number)

    def asked(self, path: str, source: Source, open_lines: OpenLines) -> Asked:
        """Open the file; labels that are in it are not read."""
        name = file_name(path)
        rows = (_row(line, name, source) for line in open_lines(path))
        return Asked(rows, FastTextLabels)


class FastTextLabels(AnswerWriter):
    """Writes what fastText's `predict` does: the labels alone, a line an example.

    With probabilities, each follows its label, as `predict-prob` has it.
    """

    def __init__(self, style: AnswerStyle) -> None:
        self._style = style
        if style.prefix:
            raise UsageError(f"`prefix` {style.prefix}: a line of fastText has no names; add `jsonl`")

    def write(self, examples: Sequence[Answered], out: Sink) -> None:
        """Write some lines; one that has an error is empty."""
        out.write_lines(self._line(answer) for _, answer in examples)

    def _line(self, answer: Answer | None) -> str:
        if answer is None or answer.abstained:
            return ""
        ranked = [(answer.prediction, None)] if self._style.kind == "number" else answer.ranked
        return " ".join(word for label, sure in ranked for word in self._words(label, sure))

    def _words(self, label: Any, sure: float | None) -> Iterator[str]:
        yield LABEL_PREFIX + join_tokens([self._style.cell(label)])
        if self._style.probs:
            yield f"{sure:.6g}"


def _row(line: Line, name: str, source: Source) -> tuple[Row, Record | None]:
    if line.error is not None:
        return Row(line.number, {}, line.error, line.text), None
    text, labels = without_labels(line.text), list(labels_in(line.text))
    told = {"label": labels if source.multi_label or len(labels) > 1 else labels[0]} if labels else {}
    fields = {"text": text, **told}
    return Row(line.number, fields, None, line.text), Record(text, (), name, line.number, fields)


def labels_in(text: str) -> tuple[str, ...]:
    """Return the labels of a line, without their prefix."""
    return tuple(_label.findall(text))


def without_labels(text: str) -> str:
    """Return what a model reads of a line: all but its labels."""
    return _label.sub("", text).strip() if LABEL_PREFIX in text else text
