"""The committed sample data is what its script writes, and its configurations say what each key is for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from seqrnn.config import Config
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
        if path.suffix in {".txt", ".tsv", ".conll"}
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
    config = Config.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")), strict=False)
    assert config.data.train
    assert all((ROOT / name).is_file() for name in config.data.train)


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


def test_each_of_these_tasks_has_a_sample():
    tasks = {yaml.safe_load(path.read_text(encoding="utf-8"))["task"] for path in CONFIGS}
    assert tasks >= {"classification", "language-model", "tagging", "seq2seq"}


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
