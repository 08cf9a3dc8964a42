"""`seqrnn prepare`: a directory that trains the same as the files it was made from, and is not trusted."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

SAMPLES = Path(__file__).parents[2] / "sample_data"
TINY = ("--steps", "3", "--hidden-size", "8", "--threads", "1", "-q")


@pytest.fixture
def run(tmp_path, forker, environment):
    """Run a command to its end, in a folder of the test."""

    def run(*arguments: str, code: int = 0):
        done = forker.run(arguments, b"", {**environment, "SEQRNN_CACHE": str(tmp_path / "cache")}, tmp_path)
        assert done.returncode == code, done.stderr.decode()
        return done

    return run


@pytest.fixture(scope="module")
def mails(tmp_path_factory, forker, environment) -> Path:
    """Prepared mails."""
    place = tmp_path_factory.mktemp("prepared")
    shutil.copy(SAMPLES / "mails.train.tsv", place / "mails.tsv")
    done = forker.run(("prepare", "mails.tsv", "-o", "P", "--hidden-size", "8"), b"", environment, place)
    assert done.returncode == 0, done.stderr.decode()
    return place / "P"


@pytest.fixture
def copy(mails, tmp_path) -> Path:
    return Path(shutil.copytree(mails, tmp_path / "P"))


def weights(run: Path) -> bytes:
    return max(run.glob("gen-*")).joinpath("model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("mails.train.tsv", ("--seed", "3")),
        ("dates.train.tsv", ()),
        ("sightings.train.conll", ("--valid", "valid.conll")),
        ("lighthouse.txt", ("--tokenizer", "bpe", "--set", "data.vocabulary_size=300")),
        ("strokes.train.jsonl", ()),
        ("adding.train.npz", ()),
        ("rounds.train.jsonl", ()),
    ],
)
def test_it_trains_the_same_weights_without_the_files(run, tmp_path, name, more):
    shutil.copy(SAMPLES / name, tmp_path / name)
    shutil.copy(SAMPLES / "sightings.test.conll", tmp_path / "valid.conll")
    run("train", name, "-o", "of-file", *more, *TINY)
    run("prepare", name, "-o", "P", *more)
    for path in (name, "valid.conll", "cache"):
        shutil.rmtree(tmp_path / path, ignore_errors=True)
        (tmp_path / path).unlink(missing_ok=True)
    (tmp_path / "P").rename(tmp_path / "moved")
    run("train", "moved", "-o", "of-directory", *TINY)
    assert weights(tmp_path / "of-directory") == weights(tmp_path / "of-file")
    assert (tmp_path / "of-directory/metrics.jsonl").read_text().count("\n") == (
        (tmp_path / "of-file/metrics.jsonl").read_text().count("\n")
    )
    texts = [(tmp_path / of / "config.yaml").read_text().splitlines() for of in ("of-directory", "of-file")]
    assert [line for line in texts[0] if "train:" not in line] == [
        line for line in texts[1] if "train:" not in line
    ]


def test_a_training_goes_on_from_it(run, mails, tmp_path):
    for name, data in (("R", mails), ("whole", SAMPLES / "mails.train.tsv")):
        run("train", str(data), "-o", name, *TINY)
        run("train", "-o", name, "--resume", "--steps", "5", "-q")
    assert weights(tmp_path / "R") == weights(tmp_path / "whole")
    run("train", str(mails), "-o", "child", "--init-from", "R", "--steps", "1", "-q")
    run("evaluate", "-m", "R", str(SAMPLES / "mails.test.tsv"), "--json")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (("--tokenizer", "char"), b"--tokenizer char: cannot change in prepared data, it is word in "),
        (("--task", "seq2seq"), b"--task seq2seq: cannot change in prepared data, it is classification in "),
        (("--set", "data.max_tokens=3"), b"--set data.max_tokens=3: cannot change in prepared data, it is "),
        (("--valid", "dev.tsv"), b"--valid dev.tsv: cannot change in prepared data, it is "),
        (("--seed", "9"), b"--seed 9: cannot change in prepared data, it is 1 in "),
        (("--folds", "3"), b"--folds divides the rows of files"),
        (("--src", "a", "--tgt", "b"), b"is prepared data, which is trained on alone"),
        (("mails.tsv",), b"is prepared data, which is trained on alone"),
    ],
)
def test_a_setting_that_contradicts_it_is_told(run, mails, tmp_path, setting, told):
    done = run("train", str(mails), "-o", "R", *setting, code=2)
    assert told in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert not (tmp_path / "R").exists()


def test_settings_that_agree_or_are_free_are_taken(run, mails, tmp_path):
    run("train", str(mails), "-o", "R", "--tokenizer", "word", "--seed", "1", "--cell", "gru", *TINY)
    config = (tmp_path / "R/config.yaml").read_text()
    assert "cell: gru" in config
    assert "epochs: null" in config


def test_what_was_chosen_for_the_model_is_kept(run, mails, tmp_path):
    run("train", str(mails), "-o", "R", "--steps", "1", "-q")
    assert "hidden_size: 8" in (tmp_path / "R/config.yaml").read_text()


def test_what_needs_the_rows_asks_for_the_files(run, mails):
    for command in ("inspect", "init"):
        done = run(command, str(mails), code=2)
        assert b"is prepared data, to train on; give the files that it was made from" in done.stderr


def test_it_replaces_prepared_data_alone(run, copy, tmp_path):
    before = (copy / "prepared.json").read_bytes()
    assert (
        b"holds prepared data" in run("prepare", str(SAMPLES / "boats.train.csv"), "-o", "P", code=2).stderr
    )
    (tmp_path / "bad.tsv").write_text("a\tb\nc\n")
    run("prepare", "bad.tsv", "-o", "P", "--overwrite", "--task", "classification", code=3)
    assert (copy / "prepared.json").read_bytes() == before
    run("prepare", str(SAMPLES / "boats.train.csv"), "-o", "P", "--overwrite", "-q")
    assert (copy / "prepared.json").read_bytes() != before
    (tmp_path / "other").mkdir()
    (tmp_path / "other/mine").touch()
    run("prepare", str(SAMPLES / "boats.train.csv"), "-o", "other", "--overwrite", code=2)
    assert {path.name for path in tmp_path.iterdir()} - {"cache"} == {"P", "bad.tsv", "other"}


def test_images_stay_in_their_files(run):
    done = run("prepare", str(SAMPLES / "colours.train.tsv"), "-o", "P", code=2)
    assert b"images are decoded while a model trains" in done.stderr


def edited(place: Path, name: str, content: bytes) -> None:
    """Change a file, and the manifest with it."""
    (place / name).write_bytes(content)
    manifest = json.loads((place / "prepared.json").read_text())
    manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (place / "prepared.json").write_text(json.dumps(manifest))


def array(place: Path, name: str, change) -> None:
    found = np.load(place / name)
    np.save(place / name, change(found.copy()))
    edited(place, name, (place / name).read_bytes())


def with_last(value):
    def change(found):
        found[-1] = value
        return found

    return change


def manifest(place: Path, **changed) -> None:
    content = json.loads((place / "prepared.json").read_text())
    (place / "prepared.json").write_text(json.dumps({**content, **changed}))


def flipped(place: Path, name: str) -> None:
    content = bytearray((place / name).read_bytes())
    content[-1] ^= 1
    (place / name).write_bytes(content)


def linked(place: Path, name: str) -> None:
    (place / name).rename(place / "aside")
    (place / name).symlink_to(place / "aside")


def fifo(place: Path, name: str) -> None:
    (place / name).unlink()
    os.mkfifo(place / name)


def report(place: Path, **changed) -> None:
    content = json.loads((place / "report.json").read_text())
    edited(place, "report.json", json.dumps({**content, **changed}).encode())


VALUES, OFFSETS = "train/source.values.npy", "train/source.offsets.npy"
DAMAGE = {
    "a bit": lambda place: flipped(place, VALUES),
    "truncated": lambda place: os.truncate(place / VALUES, 1000),
    "missing": lambda place: (place / "valid/labels.offsets.npy").unlink(),
    "a folder is missing": lambda place: shutil.rmtree(place / "valid"),
    "linked": lambda place: linked(place, OFFSETS),
    "a pipe": lambda place: fifo(place, VALUES),
    "the manifest is a pipe": lambda place: fifo(place, "prepared.json"),
    "the manifest is empty": lambda place: (place / "prepared.json").write_text(""),
    "newer": lambda place: manifest(place, format=2),
    "another key": lambda place: manifest(place, more=1),
    "made from nothing": lambda place: manifest(place, hashes={}),
    "a file outside": lambda place: manifest(place, files={"../x": {"sha256": "0" * 64, "bytes": 1}}),
    "ids beyond the vocabulary": lambda place: array(place, VALUES, with_last(60_000)),
    "labels beyond those known": lambda place: array(place, "train/labels.values.npy", with_last(99)),
    "a negative label": lambda place: array(place, "train/labels.values.npy", with_last(-1)),
    "other numbers": lambda place: array(place, VALUES, lambda found: found.astype(np.int64)),
    "a matrix": lambda place: array(place, VALUES, lambda found: found[: len(found) // 2 * 2].reshape(-1, 2)),
    "objects": lambda place: edited(place, VALUES, b"\x93NUMPY\x01\x00\x14\x00{'descr':'|O','a':1}"),
    "an end beyond": lambda place: array(place, OFFSETS, with_last(10**12)),
    "offsets that go back": lambda place: array(place, OFFSETS, lambda found: found[::-1]),
    "columns of other lengths": lambda place: array(place, OFFSETS, lambda found: found[1:]),
    "a report of texts": lambda place: report(place, blank="many"),
    "a report of other counts": lambda place: report(place, train={**PART, "examples": 3}),
    "places in no file": lambda place: report(place, remarks=[[[7, 1, ""], "x"]]),
    "no report": lambda place: edited(place, "report.json", b"[]"),
    "other labels": lambda place: edited(
        place, "labels.json", b'{"multi_label": false, "labels": ["b", "a"]}'
    ),
    "another kind of settings": lambda place: edited(place, "settings.yaml", b"data: {format: 7}\n"),
    "settings that are no text": lambda place: edited(place, "settings.yaml", b"\xff"),
    "settings of no task": lambda place: edited(place, "settings.yaml", b"seed: 1\n"),
}
PART = {"examples": 1, "tokens": 1, "unknown": 0, "truncated": 0, "skipped": 0, "unknown_names": []}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_in_one_line(run, copy, tmp_path, damage):
    DAMAGE[damage](copy)
    done = run("train", "P", "-o", "R", *TINY, code=4)
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"seqrnn: error: P")
    assert not (tmp_path / "R").exists()
