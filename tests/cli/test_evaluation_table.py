from __future__ import annotations

import pytest

from seqrnn.cli.console import Meter
from seqrnn.cli.evaluation_table import MARK, EvaluationTable
from seqrnn.training.events import Evaluated, Stepped

FIGURES = {
    "classification": ({"accuracy": 0.75, "macro_f1": 0.7143, "micro_f1": 0.75}, "accuracy"),
    "language-model": ({"perplexity": 12_345.6789, "bits_per_character": 2.3456}, "loss"),
    "tagging": ({"accuracy": 0.9, "span_f1": 0.8}, "span_f1"),
    "seq2seq": (
        {"exact_match": 0.5, "wer": 0.5, "token_error_rate": 0.25, "bleu": 32.8123, "chrf": 50.1234},
        "token_error_rate",
    ),
    "regression": ({"mse": 1.234e78, "r2": -0.1234}, "mse"),
}


def evaluated(task: str, step: int = 12_345, best: bool = True) -> Evaluated:
    figures, metric = FIGURES[task]
    metrics = {"task": task, "examples": 9, "tokens": 9, "loss": 1.2345, **figures}
    return Evaluated(step, 123.45, 36_000.0, 2.3456, metrics, best, metric)


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("task", FIGURES)
def test_the_table_fits_the_terminal_and_keeps_what_decides(task: str, width: int) -> None:
    table, event = EvaluationTable(width), evaluated(task)
    lines = [*table.head(event), table.row(event)]
    assert max(map(len, lines)) <= width
    assert len({len(line) for line in lines[:-1]} | {len(lines[-1]) - len(MARK)}) == 1  # aligned
    assert table.head(event) == []
    head = " ".join(" ".join(lines[:-1]).split())
    assert {"step", "valid", "loss"} <= set(head.split())
    metric = event.metrics[event.metric]
    assert any(f"{shown}" in lines[-1] for shown in (f"{metric:.4f}", f"{metric:.2%}", f"{metric:.4g}"))
    if width == 140:
        assert len(lines) == 2
        assert "12,345   123.45 10:00:00" in lines[-1]


def test_a_log_file_has_all_columns() -> None:
    table, event = EvaluationTable(None), evaluated("seq2seq", best=False)
    (head,) = table.head(event)
    assert " ".join(head.split()) == (
        "step epoch time train loss valid loss exact match WER token error rate BLEU chrF"
    )
    assert not table.row(event).endswith(MARK)


@pytest.mark.parametrize(("width", "words"), [(100, 4), (45, 3), (30, 2)])
def test_the_progress_line_fits_beside_the_bar(width: int, words: int) -> None:
    meter = Meter()
    event = Stepped(9, 1.0, 0.001, 1.234, 0.01, 999, 0.05, 500.0)
    meter.add(event)
    meter.tokens_per_second = 123_456.0
    line = meter.line(event, width)
    assert len(line) <= width
    assert len(line.split("  ")) == words
    assert line.startswith("loss 1.234")
    assert line.endswith(" left")
