"""`seqrnn init`: a commented file that trains what the data alone would have trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqrnn.config_file import from_yaml

SAMPLES = Path(__file__).parents[2] / "sample_data"
OPTIONS = ("--steps", "3", "--hidden-size", "6", "--embedding-size", "5")


@pytest.mark.parametrize(
    ("file", "more"),
    [
        ("train.tsv", ()),
        ("several.tsv", ("--multi-label", "--label-separator", ",")),
        ("story.txt", ("--tokenizer", "word")),
        (SAMPLES / "dates.train.tsv", ("--valid-fraction", "0.1", "--batch-size", "32")),
        (SAMPLES / "sightings.train.conll", ("--cell", "gru")),
        (SAMPLES / "boats.train.csv", ("--set", "training.momentum=0.5")),
        (SAMPLES / "rounds.train.jsonl", ("--transpose", "2")),
    ],
)
def test_the_file_holds_what_the_data_decide(seqrnn, folder, tmp_path, file, more):
    wanted = seqrnn("train", file, *more, "--dump-config")
    assert wanted.returncode == 0, wanted.stderr
    path = tmp_path / "settings.yaml"
    made = seqrnn("init", file, *more, "-o", path)
    assert (made.returncode, made.stdout) == (0, b""), made.stderr
    assert b"train with: seqrnn train -c" in made.stderr
    found = seqrnn("train", "-c", path, "--dump-config")
    assert (found.returncode, found.stdout) == (0, wanted.stdout)


def test_it_trains_the_same_weights(seqrnn, folder, newest_weights):
    (folder / "init.yaml").unlink(missing_ok=True)
    assert seqrnn("init", "train.tsv", *OPTIONS, "-o", "init.yaml").returncode == 0
    for run, arguments in (("by-data", ("train.tsv", *OPTIONS)), ("by-file", ("-c", "init.yaml"))):
        trained = seqrnn("train", *arguments, "-o", run, "--threads", "1")
        assert trained.returncode == 0, trained.stderr
    assert newest_weights("by-data") == newest_weights("by-file")


def test_decisions_are_told_and_other_settings_are_comments(seqrnn, folder):
    text = seqrnn("init", "train.tsv").stdout.decode()
    decided = from_yaml(text, "init")
    assert decided["data.format"].value == "tsv"
    assert decided["data.tokenizer"].value == "word"
    assert "# classification: train.tsv (read as tsv) holds 3 different labels" in text
    assert "\n  #momentum: 0.9\n" in text
    assert "training.momentum" not in decided
    assert "scheduled_sampling" not in text  # says nothing to a classifier
    for key in ("momentum", "seed", "lengths"):
        with_it = text.replace(f"  #{key}:", f"  {key}:")
        assert any(name.endswith(f".{key}") for name in from_yaml(with_it, "init"))


@pytest.mark.parametrize("arguments", [(), ("--task", "tagging"), ("--cell", "gru")])
def test_without_data_a_template_is_written_that_changes_nothing(seqrnn, folder, arguments):
    result = seqrnn("init", *arguments)
    assert result.returncode == 0, result.stderr
    text = result.stdout.decode()
    given = {"task": "--task", "model.cell": "--cell"}
    found = from_yaml(text, "template") if arguments else {}
    assert set(found) == {key for key, flag in given.items() if flag in arguments}
    assert ("  #bidirectional: true" in text) == ("tagging" in arguments)
    (folder / "template.yaml").write_text(text)
    trained = seqrnn("train", "train.tsv", "--task", "classification", *(), "--dump-config")
    if not arguments:
        by_template = seqrnn(
            "train", "train.tsv", "-c", "template.yaml", "--task", "classification", "--dump-config"
        )
        assert by_template.stdout == trained.stdout


def test_a_file_is_never_overwritten_unless_asked_for(seqrnn, folder):
    path = folder / "mine.yaml"
    path.write_text("mine\n")
    for arguments in (("train.tsv",), (), ("absent.tsv",)):
        refused = seqrnn("init", *arguments, "-o", "mine.yaml")
        assert (refused.returncode, refused.stderr.count(b"\n")) == (2, 1)
        assert b"mine.yaml: is there already; replace it with --overwrite" in refused.stderr
    assert path.read_text() == "mine\n"
    failed = seqrnn("init", "absent.tsv", "-o", "mine.yaml", "--overwrite")
    assert (failed.returncode, path.read_text()) == (3, "mine\n")
    assert seqrnn("init", "train.tsv", "-o", "mine.yaml", "--overwrite").returncode == 0
    assert "task: classification" in path.read_text()
