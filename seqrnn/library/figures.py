"""How a figure is named and written for people, wherever it is shown."""

from __future__ import annotations

from typing import Any

from seqrnn.data.lines import in_one_cell

RATES = {"accuracy", "macro_f1", "micro_f1", "span_f1", "precision", "recall", "f1"}
RATES |= {"exact_match", "wer", "token_error_rate", "coverage", "covered_accuracy", "share_of_right_tags"}
RATES |= {"expected_calibration_error", "expected_calibration_error_uncalibrated"}
SCORES_OF_100 = {"bleu", "chrf"}
HEADS = {"bits_per_character": "bits/char", "wer": "WER", "bleu": "BLEU", "chrf": "chrF"}
HEADS |= {"f1": "F1", "macro_f1": "macro F1", "micro_f1": "micro F1", "span_f1": "span F1"}


def head(name: str) -> str:
    """Return the heading of a figure."""
    return HEADS.get(name, name.replace("_", " "))


def title(name: str) -> str:
    """Return the heading of a figure as the title of what shows it."""
    return head(name)[:1].upper() + head(name)[1:]


def is_rate(name: str) -> bool:
    """Whether a figure, or the score of a task, is a share of one, which is written in per cent."""
    return name.replace(" ", "_") in RATES


def shown(name: str, value: Any) -> str:
    """Write a figure: rates in per cent, counts with separators, others with four decimals, - for none.

    A squared error, whose unit is that of the data, is written with four digits, and a score of up to 100
    with two decimals.
    """
    if value is None:
        return "-"
    if is_rate(name):
        return f"{value:.2%}"
    if name == "mse":
        return f"{value:.4g}"
    if isinstance(value, float):
        return f"{value:.2f}" if name.lower() in SCORES_OF_100 else f"{value:,.4f}"
    return f"{value:,}" if isinstance(value, int) else in_one_cell(str(value))


def clock(seconds: float) -> str:
    """Write a duration as `1:02:03`, `2:03` or `0:03`."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def counted(number: int, noun: str) -> str:
    """Write how many things there are, such as `1 edit` or `1,200 edits`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
