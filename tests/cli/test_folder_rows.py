"""A folder with a sub-folder a class is trained on, measured and answered with no other flag."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

MOODS = {"neg": ("dull", "awful", "poor"), "pos": ("great", "lovely", "fine")}


def films(root: Path, count: int = 24) -> Path:
    draw = random.Random(1)
    for label, words in MOODS.items():
        (root / label).mkdir(parents=True)
        for number in range(count):
            text = f"{draw.choice(words)} film\nby {draw.choice('ABC')}\n"
            (root / label / f"{number}.txt").write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def trained(tmp_path_factory, seqrnn, small):
    """A folder with parts, a run that was trained on it, and what the training said."""
    folder = tmp_path_factory.mktemp("folders")
    films(folder / "films" / "train")
    films(folder / "films" / "test", 5)
    (folder / "films" / "test" / "pos" / "blank.txt").touch()
    done = seqrnn("train", folder / "films", "-o", folder / "run", "--steps", "8", *small)
    assert done.returncode == 0, done.stderr.decode()
    return folder, done.stderr.decode()


def answers(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_part_for_testing_is_not_trained_on(trained):
    folder, told = trained
    films = folder / "films"
    assert f"of {films} it is {films}/train to train on, {films}/test to test on at the end" in told
    assert "48 text files: 2 classes, neg (24), pos (24)" in told
    settings = (folder / "run" / "config.yaml").read_text(encoding="utf-8")
    assert f"train: [{films}/train]" in settings
    assert f"test: [{films}/test]" in settings


def test_the_figures_of_evaluate_are_those_of_the_answers(trained, seqrnn):
    folder, _ = trained
    rows = answers(seqrnn("classify", "-m", folder / "run", folder / "films" / "train").stdout.decode())
    assert [row["path"] for row in rows[:2]] == ["neg/0.txt", "neg/1.txt"]
    assert len(rows) == 48
    right = sum(row["label"] == row["prediction"] for row in rows) / len(rows)
    measured = seqrnn("evaluate", "-m", folder / "run", folder / "films" / "train", "--json")
    assert json.loads(measured.stdout)["accuracy"] == pytest.approx(right)
    assert "48 text files" in measured.stderr.decode()


def test_files_without_classes_are_answered(trained, seqrnn):
    folder, _ = trained
    unlabelled = folder / "films" / "test" / "pos"
    rows = answers(seqrnn("classify", "-m", folder / "run", unlabelled).stdout.decode())
    assert [row["path"] for row in rows] == ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt", "blank.txt"]
    assert set(rows[0]) == {"path", "prediction", "probability"}
    lines = seqrnn("classify", "-m", folder / "run", unlabelled, "--jsonl").stdout.decode().splitlines()
    first = json.loads(lines[0])
    assert (first["path"], first["prediction"]) == ("0.txt", rows[0]["prediction"])
    refused = seqrnn("evaluate", "-m", folder / "run", unlabelled)
    assert (refused.returncode, b"no sub-folder that names a class" in refused.stderr) == (3, True)


def test_parts_are_named_and_not_mixed_where_a_model_answers(trained, seqrnn):
    folder, _ = trained
    for command in ("classify", "evaluate"):
        done = seqrnn(command, "-m", folder / "run", folder / "films")
        assert done.returncode == 3
        assert b"holds the parts train and test of a data set" in done.stderr


def test_lines_of_standard_input_are_texts(trained, seqrnn):
    folder, _ = trained
    done = seqrnn("classify", "-m", folder / "run", stdin=b"a great film\n")
    assert done.stdout.decode().strip() in MOODS


def test_a_changed_file_is_noticed_when_training_goes_on(trained, seqrnn):
    folder, _ = trained
    (folder / "films" / "train" / "neg" / "0.txt").write_text("another", encoding="utf-8")
    done = seqrnn("train", "-o", folder / "run", "--resume", "--steps", "9")
    assert (done.returncode, b"differs (sha256)" in done.stderr) == (3, True), done.stderr


def test_images_are_classified_by_their_folders(tmp_path, seqrnn, small):
    pil = pytest.importorskip("PIL.Image")
    for label, colour in (("sky", "blue"), ("wood", "green")):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for number in range(12):
            pil.new("RGB", (8, 8), colour).save(tmp_path / "pictures" / label / f"{number}.png")
    options = ("--image-size", "8", "--channels", "4", "--steps", "6", *small)
    done = seqrnn("train", tmp_path / "pictures", "-o", tmp_path / "run", *options)
    assert "one-to-one: x -> label" in done.stderr.decode()
    rows = answers(seqrnn("classify", "-m", tmp_path / "run", tmp_path / "pictures").stdout.decode())
    right = sum(row["label"] == row["prediction"] for row in rows) / len(rows)
    measured = json.loads(seqrnn("evaluate", "-m", tmp_path / "run", tmp_path / "pictures", "--json").stdout)
    assert (len(rows), measured["accuracy"]) == (24, pytest.approx(right))
