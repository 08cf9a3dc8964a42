"""Images on the command line: trained on, told of and named, from files and in pipelines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from lxml import html

SAMPLES = Path(__file__).parent.parent.parent / "sample_data"
QUICK = ("--steps", "30", "--channels", "8", "--image-size", "16", "--hidden-size", "24")
QUICK += ("--precision", "fp32", "--threads", "1", "--evaluate-every", "30")
QUICK += ("--average", "0", "--learning-rate", "0.01")


@pytest.fixture(scope="module")
def seqrnn(forker, environment, folder):
    """Runs `seqrnn` with arguments, in the folder: whatever reads images needs PyTorch, and so is forked."""

    def run(*args, stdin=b"", **env):
        return forker.run([*map(str, args)], stdin, {**environment, **env}, folder)

    return run


@pytest.fixture(scope="module")
def scenes(folder):
    """A folder with the first pictures of the sample, and tables that name them."""
    scenes = folder / "pictures"
    (scenes / "scenes").mkdir(parents=True)
    for name in ("scenes.train.tsv", "colours.train.tsv"):
        rows = [
            row
            for row in (SAMPLES / name).read_text(encoding="utf-8").splitlines(keepends=True)
            if row < "scenes/train-0080"
        ]
        (scenes / name).write_text("".join(rows), encoding="utf-8")
    for number in range(80):
        shutil.copy(SAMPLES / f"scenes/train-{number:04}.png", scenes / "scenes")
    return scenes


@pytest.fixture(scope="module")
def captioner(seqrnn, scenes):
    """What training on captions has printed."""
    trained = seqrnn("train", scenes / "scenes.train.tsv", "-o", "captioner", *QUICK)
    assert trained.returncode == 0, trained.stderr.decode()
    return trained.stderr.decode()


@pytest.fixture(scope="module")
def namer(seqrnn, scenes):
    """What training on colours has printed."""
    trained = seqrnn("train", scenes / "colours.train.tsv", "-o", "namer", *QUICK)
    assert trained.returncode == 0, trained.stderr.decode()
    return trained.stderr.decode()


def test_training_tells_that_it_reads_images(captioner, namer):
    assert "seq2seq: " in captioner
    assert "holds images with" in captioner
    assert "one-to-many: image -> CNN -> s_0 -> y_1" in captioner
    assert "classification: " in namer
    assert "one-to-one: " in namer
    assert "tokens" in captioner
    assert "token" not in namer.replace("tokens/s", "")  # an image has none


def test_paths_in_a_stream_start_from_the_current_directory(seqrnn, captioner):
    lines = b"pictures/scenes/train-0000.png\npictures/scenes/train-0001.png\n"
    answered = seqrnn("generate", "-m", "captioner", "--greedy", stdin=lines)
    assert answered.returncode == 0, answered.stderr.decode()
    assert answered.stdout.count(b"\n") == 2
    assert answered.stdout.startswith(b"a ")


def test_paths_in_a_file_start_from_its_folder(seqrnn, scenes, captioner, namer):
    (scenes / "list.txt").write_text("scenes/train-0000.png\n", encoding="utf-8")
    from_file = seqrnn("classify", "-m", "namer", "pictures/list.txt")
    from_stream = seqrnn("classify", "-m", "namer", stdin=b"pictures/scenes/train-0000.png\n")
    assert from_file.returncode == 0, from_file.stderr.decode()
    assert from_file.stdout == from_stream.stdout != b""


def test_rows_that_name_no_image_are_answered_with_the_reason(seqrnn, folder, captioner):
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n")
    image = "pictures/scenes/train-0002.png"
    rows = [json.dumps({"image": image, "page": 7}), "nowhere.png", "broken.png", "", image]
    answered = seqrnn("generate", "-m", "captioner", "--greedy", "--jsonl", stdin="\n".join(rows).encode())
    assert answered.returncode == 0, answered.stderr.decode()
    found = [json.loads(line) for line in answered.stdout.decode().splitlines()]
    assert [row["id"] for row in found] == [0, 1, 2, 3, 4]
    assert (found[0]["page"], found[0]["image"]) == (7, image)
    assert found[0]["prediction"] == found[4]["prediction"] != ""
    assert found[4]["image"] == image
    for row, reason in ((1, "No such file"), (2, "is no image"), (3, "names no file")):
        assert reason in found[row]["error"]
        assert not found[row]["error"].startswith("stdin:")  # where it is says its id
        assert found[row]["prediction"] is None
    assert [row.get("image") for row in found[1:4]] == ["nowhere.png", "broken.png", None]


def test_evaluation_knows_all_captions_of_an_image(seqrnn, scenes, captioner):
    figures = seqrnn("evaluate", "-m", "captioner", scenes / "scenes.train.tsv", "--json")
    assert figures.returncode == 0, figures.stderr.decode()
    assert {"exact_match", "bleu", "loss"} < json.loads(figures.stdout).keys()


def test_a_missing_image_ends_a_training_before_it_begins(seqrnn, scenes, folder):
    table = scenes / "missing.tsv"
    rows = (scenes / "scenes.train.tsv").read_text(encoding="utf-8")
    table.write_text(rows + "scenes/none.png\ta black hole in a picture\n", encoding="utf-8")
    refused = seqrnn("train", table, "-o", "refused", *QUICK)
    assert refused.returncode == 3
    line = rows.count("\n") + 1
    assert f"missing.tsv:{line}: " in refused.stderr.decode()
    assert "scenes/none.png" in refused.stderr.decode()
    assert not (folder / "refused").exists()


def test_an_image_that_has_changed_is_prepared_anew(seqrnn, scenes, folder):
    other = folder / "other"
    shutil.copytree(scenes, other)
    first = seqrnn("train", other / "colours.train.tsv", "-o", "one", *QUICK)
    assert first.returncode == 0, first.stderr.decode()
    image = (other / "colours.train.tsv").read_text(encoding="utf-8").split("\t")[0]
    (other / image).write_bytes(b"")
    refused = seqrnn("train", other / "colours.train.tsv", "-o", "two", *QUICK)
    assert refused.returncode == 3
    assert image in refused.stderr.decode()


def test_images_are_pytorchs_and_that_is_said(seqrnn, namer):
    refused = seqrnn("classify", "-m", "namer", "--backend", "numpy", stdin=b"")
    assert refused.returncode == 2
    assert "needs PyTorch" in refused.stderr.decode()


def test_a_model_of_images_is_shown_without_what_it_does_not_have(seqrnn, captioner, namer):
    shown = {
        name: json.loads(seqrnn("inspect", "-m", name, "--json").stdout) for name in ("captioner", "namer")
    }
    assert shown["captioner"]["shape"].startswith("one-to-many: image -> CNN")
    absent = {name: {key for key, value in facts.items() if value is None} for name, facts in shown.items()}
    assert absent["captioner"] == {"tokenizer", "bidirectional"}
    assert absent["namer"] == {"tokenizer", "target_tokenizer", "cell", "bidirectional"}
    assert shown["captioner"]["target_tokenizer"] == "word"


def test_where_it_looked_is_drawn_as_squares(seqrnn, namer):
    row = b"pictures/scenes/train-0001.png"
    (found,) = map(json.loads, seqrnn("explain", "-m", "namer", "--jsonl", stdin=row).stdout.splitlines())
    assert (found["grid"], found["method"]) == (8, "leave-one-out")
    assert len(found["outputs"][0]["saliency"]) == len(found["tokens"]) == 64
    shown = seqrnn("explain", "-m", "namer", stdin=row, LC_ALL="C").stdout.decode().splitlines()
    assert len([line for line in shown if line and set(line.replace(" ", "")) <= set(".:*#@")]) == 8
    refused = seqrnn("explain", "-m", "namer", "--method", "gradient", stdin=row)
    assert refused.returncode == 2
    assert b"use leave-one-out" in refused.stderr


def test_a_page_shows_where_it_looked(seqrnn, scenes, namer):
    few = scenes / "few.tsv"
    few.write_text("".join((scenes / "colours.train.tsv").read_text().splitlines(keepends=True)[:12]))
    written = seqrnn("report", "namer", few)
    assert written.returncode == 0, written.stderr.decode()
    (section,) = html.fromstring(written.stdout.decode()).xpath("//section[@id='saliency']")
    looked = section.xpath(".//svg[contains(@class, 'looked')]")
    assert (
        len(looked) == 2 * len(section.xpath(".//li")) > 0
    )  # each image, and with what speaks for the answer
    assert all(each.get("aria-label") for each in looked)
    keys = section.xpath(".//image/@id")
    assert section.xpath(".//use/@href") == [f"#{key}" for key in keys]
    assert all(image.startswith("data:image/png;base64,") for image in section.xpath(".//image/@href"))


def test_a_tagger_reads_no_images(seqrnn, scenes):
    refused = seqrnn("train", scenes / "colours.train.tsv", "-o", "no-tagger", "--task", "tagging", *QUICK)
    assert refused.returncode == 2
    assert "holds images" in refused.stderr.decode()
