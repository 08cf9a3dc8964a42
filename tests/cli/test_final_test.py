"""`train --test`: read before the training, measured after it as `seqrnn evaluate` does."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def tested(seqrnn, folder, small):
    """A training whose settings name the test data by a path beside them."""
    (folder / "settings").mkdir()
    (folder / "settings" / "end.tsv").write_text((folder / "test.tsv").read_text() + "a new thing\tnews\n")
    (folder / "settings" / "tested.yaml").write_text("data:\n  test: end.tsv\n")
    options = ("-c", "settings/tested.yaml", "-o", "tested", "--steps", "5", *small)
    result = seqrnn("train", "train.tsv", *options)
    assert result.returncode == 0, result.stderr.decode()
    return result


def test_the_figures_are_those_of_evaluate_printed_and_kept(seqrnn, folder, tested) -> None:
    found = json.loads((folder / "tested" / "test.json").read_text())
    assert found["files"] == ["settings/end.tsv"]
    measured = json.loads(seqrnn("evaluate", "-m", "tested", "settings/end.tsv", "--json", "-q").stdout)
    assert found["figures"] == measured
    assert measured["unknown_labels"] == 1
    lines = tested.stderr.decode().splitlines()
    table = lines[lines.index("test on settings/end.tsv:") + 1 :]
    assert ["accuracy", f"{measured['accuracy']:.2%}"] in [line.split() for line in table]
    assert table[-2].startswith("1 label that training did not have, counted as wrong: 'news'")


def test_names_that_only_the_test_data_have_are_none_of_the_training(folder, tested) -> None:
    assert json.loads((folder / "tested" / "labels.json").read_text())["labels"] == [
        "food",
        "travel",
        "weather",
    ]


def test_a_resumed_run_can_be_tested_on_other_data(seqrnn, folder, tested) -> None:
    (folder / "more.csv").write_bytes((folder / "train.csv").read_bytes())
    again = seqrnn("train", "-o", "tested", "--resume", "--test", "train.csv", "--test", "more.csv")
    assert again.returncode == 0, again.stderr.decode()
    found = json.loads((folder / "tested" / "test.json").read_text())
    assert found["files"] == ["train.csv", "more.csv"]
    assert found["figures"]["examples"] == 2 * 288


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--test", "nowhere.tsv"], 3, "nowhere.tsv: No such file or directory"),
        (["--test", "wide.tsv"], 3, "wide.tsv:2: "),
        (["--test", "story.txt"], 3, "story.txt"),
        (["--test", "train.csv", "--test", "train.jsonl"], 3, "train.jsonl: is jsonl by its name"),
        (["--test-src", "train.source"], 2, "--test-src and --test-tgt go together"),
        (["--test", "-", "--valid", "-"], 2, "- is standard input, which can be read once"),
    ],
)
def test_what_is_wrong_with_the_test_data_is_told_before_the_training(
    seqrnn, folder, options: list[str], code: int, said: str
) -> None:
    (folder / "wide.tsv").write_text("warm soup\tfood\nonly text\n")
    result = seqrnn("train", "train.tsv", "-o", "untested", *options)
    (line,) = result.stderr.decode().splitlines()
    assert result.returncode == code
    assert line.startswith(f"seqrnn: error: {said}")
    assert not (folder / "untested").exists()


def test_parallel_test_data_are_measured(seqrnn, folder, small) -> None:
    sides = ("--src", "train.source", "--tgt", "train.target")
    test_sides = ("--test-src", "train.source", "--test-tgt", "train.target")
    result = seqrnn("train", *sides, *test_sides, "-o", "sides", "-q", "--steps", "1", *small)
    assert (result.returncode, result.stderr) == (0, b"")
    assert json.loads((folder / "sides" / "test.json").read_text())["figures"]["examples"] == 288
