"""The committed sample data is what its script writes, and its configurations say what each key is for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from seqrnn.catalog import TASKS
from seqrnn.config_file import dump, read_file, resolve
from seqrnn.library.plan import plan_training
from seqrnn.metrics.spans import find_spans

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_data"
CONFIGS = sorted(SAMPLES.glob("*.yaml"))


def rows(name: str) -> list[list[str]]:
    lines = (SAMPLES / name).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return [line.split("\t") for line in lines]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What the script writes."""
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([sys.executable, "-B", SAMPLES / "make.py", folder], check=True)
    return folder


def test_the_script_writes_the_committed_files_byte_for_byte(made):
    written = {path.name: path.read_bytes() for path in made.iterdir() if path.is_file()}
    committed = {
        path.name: path.read_bytes()
        for path in SAMPLES.iterdir()
        if path.suffix in {".txt", ".tsv", ".conll", ".jsonl", ".csv", ".npz"}
    }
    assert {"lighthouse.txt", "mails.test.tsv", "mails.train.tsv"} < set(written)
    assert written == committed


def test_the_script_draws_the_committed_pictures(made):
    names = sorted(path.name for path in (SAMPLES / "scenes").iterdir())
    assert names == sorted(path.name for path in (made / "scenes").iterdir())
    assert len(names) == 900
    for name in names:
        committed, drawn = (
            np.asarray(Image.open(folder / "scenes" / name).convert("RGB"), dtype=np.int64)
            for folder in (SAMPLES, made)
        )
        assert committed.shape == (64, 64, 3)
        assert np.abs(committed - drawn).max() <= 8, name  # another Pillow may round another way


def things(name: str) -> list[tuple[str, frozenset[str]]]:
    """Each picture of a table, and the two things that its captions tell of."""
    found = []
    for image, *captions in rows(name):
        for caption in captions:
            first, second = re.fullmatch(r"a (\w+ \w+) .*\ba (\w+ \w+)", caption).groups()
            found.append((image, frozenset((first, second))))
    return found


def test_scenes_show_two_things_that_are_never_together_in_training():
    train, test = things("scenes.train.tsv"), things("scenes.test.tsv")
    assert len({image for image, _ in train}) == 800
    assert len({image for image, _ in test}) == 100
    assert len(test) == 400  # a picture has four right captions
    assert len(dict(train)) < len(train) < 3 * len(dict(train))
    assert not {pair for _, pair in train} & {pair for _, pair in test}
    assert {thing for _, pair in test for thing in pair} <= {thing for _, pair in train for thing in pair}


def test_the_colour_above_is_that_of_the_thing_in_the_caption():
    captions = {image: captions[0] for image, *captions in rows("scenes.test.tsv")}
    for image, colour in rows("colours.test.tsv"):
        assert captions[image].split()[1] == colour
        assert captions[image].split()[3] == "above"


def test_the_log_is_a_text_of_dated_entries():
    entries = (SAMPLES / "lighthouse.txt").read_text(encoding="utf-8").split("\n\n")
    assert len(entries) == 500
    weekdays = [entry.split(",")[0] for entry in entries]
    assert weekdays[:3] == ["Wednesday", "Thursday", "Friday"]
    assert all(today == a_week_on for today, a_week_on in zip(weekdays, weekdays[7:], strict=False))
    assert not re.search(r"[{}]", "".join(entries))


def test_mails_have_a_header_and_two_columns():
    train, test = rows("mails.train.tsv"), rows("mails.test.tsv")
    assert train[0] == test[0] == ["text", "label"]
    assert (len(train), len(test)) == (2001, 301)
    assert all(len(row) == 2 and all(row) for row in train + test)


def test_train_and_test_have_the_same_six_labels_and_no_mail_in_common():
    train, test = rows("mails.train.tsv")[1:], rows("mails.test.tsv")[1:]
    counts = Counter(label for _, label in train)
    assert set(counts) == {label for _, label in test}
    assert len(counts) == 6
    assert min(counts.values()) > 100
    assert not {text.lower() for text, _ in train} & {text.lower() for text, _ in test}


def test_no_request_stands_in_both_train_and_test():
    show = (
        "import mails, random, make; train, test = mails.split(random.Random(make.SEED));"
        "print(len({m.request for m in train} & {m.request for m in test}), len({m.request for m in test}))"
    )
    shown = subprocess.run(
        [sys.executable, "-B", "-c", show], check=True, capture_output=True, text=True, cwd=SAMPLES
    )
    assert shown.stdout == "0 300\n"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_sample_configuration_is_valid_and_finds_its_data(path):
    config = resolve([read_file(str(path))])
    assert config.data.train
    assert all((ROOT / name).is_file() for name in config.data.train)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_sample_configuration_dumped_in_full_says_the_same(path, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = plan_training([read_file(str(path))]).config
    (tmp_path / "full.yaml").write_text(dump(config, comments=True), encoding="utf-8")
    assert plan_training([read_file(str(tmp_path / "full.yaml"))]).config == config
    asked = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert config.task == asked["task"]
    assert config.data.format == asked["data"]["format"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_key_of_a_sample_configuration_is_explained(path):
    keys = [line for line in path.read_text(encoding="utf-8").split("\n") if re.match(r" *\w+: *\S", line)]
    assert len(keys) > 10
    assert [line for line in keys if not re.search(r" # \S", line)] == []


def sentences(name: str) -> list[list[list[str]]]:
    blocks = (SAMPLES / name).read_text(encoding="utf-8").removesuffix("\n").split("\n\n")
    return [[line.split(" ") for line in block.split("\n")] for block in blocks]


def test_sightings_are_tagged_tokens_and_no_name_of_the_test_was_seen_in_training():
    train, test = sentences("sightings.train.conll"), sentences("sightings.test.conll")
    assert (len(train), len(test)) == (500, 120)
    assert all(len(cells) == 2 for sentence in train + test for cells in sentence)
    tags = {tag for sentence in train for _, tag in sentence}
    assert tags == {
        "O",
        *(f"{letter}-{kind}" for letter in "BI" for kind in ("cargo", "place", "ship", "time")),
    }
    assert not names(train) & names(test)


def names(tagged: list[list[list[str]]]) -> set[str]:
    """The ships and places of some sentences."""
    found = set()
    for sentence in tagged:
        tokens, tags = zip(*sentence, strict=True)
        spans = [span for span in find_spans(tags) if span[0] in {"place", "ship"}]
        found |= {f"{kind} {' '.join(tokens[start:stop])}" for kind, start, stop in spans}
    return found


def test_each_task_has_a_sample():
    tasks = {yaml.safe_load(path.read_text(encoding="utf-8"))["task"] for path in CONFIGS}
    assert tasks == set(TASKS)


def test_dates_are_pairs_and_no_day_of_the_test_stands_in_the_training_set():
    train, test = rows("dates.train.tsv"), rows("dates.test.tsv")
    assert (len(train), len(test)) == (2000, 300)
    assert all(re.fullmatch(r"18\d\d-[01]\d-[0-3]\d", target) for _, target in train + test)
    assert not {target for _, target in train} & {target for _, target in test}
    endings = Counter(re.findall(r"\b(\d+(?:st|nd|rd|th))\b", " ".join(source for source, _ in train)))
    assert endings.keys() >= {"1st", "2nd", "3rd", "11th", "12th", "13th", "22nd"}
    assert not endings.keys() & {"11st", "12nd", "13rd"}


def test_islands_have_names_in_three_tongues_each_once():
    islands = rows("islands.tsv")
    assert Counter(tongue for tongue, _ in islands) == {"Norran": 400, "Luméan": 400, "Tokuwa": 400}
    assert len({name for _, name in islands}) == 1200


def objects(name: str) -> list[dict]:
    return [json.loads(line) for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()]


def test_strokes_are_movements_that_bring_a_closed_figure_back_to_its_start():
    train, test = objects("strokes.train.jsonl"), objects("strokes.test.jsonl")
    assert (len(train), len(test)) == (400, 120)
    assert set(Counter(row["label"] for row in test)) == {"circle", "eight", "spiral", "square", "zigzag"}
    for row in train + test:
        points = np.cumsum([[0, 0], *row["vectors"]], axis=0)
        gap = np.linalg.norm(points[-1]) / np.ptp(points, axis=0).max()
        assert (gap < 0.25) == (row["label"] in {"circle", "eight", "square"})
    assert {len(row["vectors"]) for row in train} == set(range(16, 33))


def test_boats_are_measured_and_no_measure_alone_tells_all_kinds():
    lines = [line.split(",") for line in (SAMPLES / "boats.train.csv").read_text().splitlines()]
    assert (lines[0], len(lines)) == (["length", "beam", "draught", "sail", "crew", "kind"], 601)
    kinds = np.array([line[-1] for line in lines[1:]])
    measures = np.array([line[:-1] for line in lines[1:]], dtype=float)
    assert set(kinds) == {"barge", "cutter", "dinghy", "ketch", "trawler"}
    assert min(Counter(kinds).values()) > 90
    for measure in measures.T:
        ranges = [(measure[kinds == kind].min(), measure[kinds == kind].max()) for kind in sorted(set(kinds))]
        assert any(a[0] <= b[1] and b[0] <= a[1] for a, b in pairwise(sorted(ranges)))


def test_the_sums_are_those_of_two_numbers_one_in_each_half():
    with np.load(SAMPLES / "adding.train.npz") as arrays:
        x, y = arrays["x"], arrays["y"]
    assert (x.shape, y.shape, x.dtype, y.dtype) == ((1000, 12, 2), (1000,), np.float32, np.float32)
    assert ((x[:, :, 0] >= 0) & (x[:, :, 0] < 1)).all()
    assert (x[:, :6, 1].sum(axis=1) == 1).all()
    assert (x[:, 6:, 1].sum(axis=1) == 1).all()
    np.testing.assert_allclose(x[x[:, :, 1] == 1][:, 0].reshape(-1, 2).sum(axis=1), y)
    assert np.mean((y - 1) ** 2) == pytest.approx(1 / 6, abs=0.01)


def test_series_to_add_can_be_made_of_any_length(tmp_path):
    command = [sys.executable, "-B", SAMPLES / "adding.py"]
    for name, seed in (("a.npz", "3"), ("b.npz", "3"), ("c.npz", "4")):
        options = ["--steps", "50", "--examples", "7", "--seed", seed]
        subprocess.run([*command, *options, tmp_path / name], check=True)
    first, again, other = ((tmp_path / f"{name}.npz").read_bytes() for name in "abc")
    assert first == again != other
    assert np.load(tmp_path / "a.npz")["x"].shape == (7, 50, 2)
    refused = subprocess.run([*command, "--steps", "1", tmp_path / "d.npz"], capture_output=True, check=False)
    assert refused.returncode == 2
    assert not (tmp_path / "d.npz").exists()


def test_rounds_are_sung_by_three_voices_over_one_bass():
    train, test = objects("rounds.train.jsonl"), objects("rounds.test.jsonl")
    assert (len(train), len(test)) == (60, 15)
    for piece in train + test:
        notes = piece["notes"]
        assert len(notes) == 5 * 16
        assert all(keys == sorted(set(keys)) and keys[0] >= 0 and keys[-1] < 88 for keys in notes)
        bass, voices = [keys[0] for keys in notes], [set(keys[1:]) for keys in notes]
        assert all(bass[step] == bass[step % 16] for step in range(80))
        assert all(len(sung) <= 3 for sung in voices)
        assert all(
            a <= b for a, b in zip(voices[:16], voices[16:32], strict=True)
        )  # the second voice's entry
