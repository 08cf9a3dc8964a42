"""`train --samples`: what the model answers now, at each evaluation, and nothing of the training changes."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from seqrnn.cli.sample_lines import LiveSamples, sample_lines
from seqrnn.library.training_samples import Sample, Sampled

ROWS = (Sample("warm soup " * 9, "travel", "food", False), Sample("a boat", "travel", "travel", True))


def test_the_same_validation_rows_are_answered_at_each_evaluation(
    seqrnn, folder, options, newest_weights
) -> None:
    told = (
        seqrnn("train", "train.tsv", "-o", "with-samples", "--samples", *options).stderr.decode().splitlines()
    )
    heads = [number for number, line in enumerate(told) if line.startswith("  samples at step ")]
    assert [told[number] for number in heads] == [f"  samples at step {step}:" for step in (20, 40, 60)]
    rows = [[line.partition(" -> ")[0] for line in told[n + 1 : n + 4]] for n in heads]
    assert rows[0] == rows[1] == rows[2]
    answers = [line.partition(" -> ")[2] for line in told[heads[-1] + 1 : heads[-1] + 4]]
    for row, answer in zip(rows[0], answers, strict=True):
        said = seqrnn("classify", "-m", "with-samples", stdin=row.strip().encode()).stdout.decode().strip()
        assert answer == said or answer.startswith(f"{said}  (right: ")
    seqrnn("train", "train.tsv", "-o", "without-samples", *options)
    assert newest_weights("with-samples") == newest_weights("without-samples")


def test_a_language_model_writes(seqrnn, small) -> None:
    arguments = ("story.txt", "-o", "sampled-story", "--samples", "--steps", "4", *small)
    told = seqrnn("train", *arguments).stderr.decode().splitlines()
    (at,) = (number for number, line in enumerate(told) if line == "  samples at step 4:")
    assert told[at + 1].startswith("  ")
    assert not told[at + 1].isspace()


def test_rows_of_standard_input_are_gone(seqrnn, folder, small) -> None:
    examples = (folder / "train.tsv").read_bytes()
    arguments = ("-", "-o", "sampled-stdin", "--samples", "--steps", "2", "--format", "tsv", *small)
    told = seqrnn("train", *arguments, stdin=examples)
    assert told.returncode == 0, told.stderr.decode()
    assert "  no samples: the validation rows cannot be read again" in told.stderr.decode().splitlines()


@pytest.mark.parametrize("width", [60, 80, 140])
def test_lines_fit_the_terminal_and_wrong_answers_have_the_right_one(width) -> None:
    lines = list(sample_lines(Sampled(20, ROWS), width))
    assert max(map(cell_len, lines)) <= width
    assert lines[1].endswith("-> travel  (right: food)")
    assert lines[2] == "  a boat -> travel"
    drawn = LiveSamples(width)
    assert drawn.__rich__().plain == ""
    drawn.take(Sampled(20, ROWS))
    assert drawn.__rich__().plain.split("\n") == lines
