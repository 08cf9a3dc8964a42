"""`seqrnn inspect DATA`: figures against those that sets, NumPy and a training give of the same files."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

DOCS = Path(__file__).parents[2] / "docs"
SAMPLES = Path(__file__).parents[2] / "sample_data"
WORDS = [f"w{number}" for number in range(40)]


def rows(count: int, seed: int, labels: str = "abc") -> list[tuple[str, str]]:
    draw = random.Random(seed)
    return [(" ".join(draw.choices(WORDS, k=draw.randint(1, 12))), draw.choice(labels)) for _ in range(count)]


TRAIN = [*rows(150, 1), ("w1 w2", "a"), ("w1 w2", "b"), ("lost \ufffd w3", "a"), ("w9 " * 400, "rare")]
VALID = [*rows(40, 2), TRAIN[3], ("unheard w1 new", "c"), ("w5 w5 w5 w5 w5", "d")]


@pytest.fixture(scope="module")
def files(folder) -> None:
    for name, content in (("look.tsv", TRAIN), ("look.valid.tsv", VALID)):
        lines = [f"{text}\t{label}" for text, label in content]
        lines[10:10] = [""]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def found(seqrnn, files):
    result = seqrnn("inspect", "look.tsv", "--valid", "look.valid.tsv", "--json", "--no-probe")
    assert (result.returncode, result.stderr) == (0, b"")
    return json.loads(result.stdout)


def test_counts_and_labels_are_those_of_the_files(found):
    assert (found["task"], found["format"], found["files"]) == (
        "classification",
        "tsv",
        ["look.tsv", "look.valid.tsv"],
    )
    examples = found["examples"]
    assert (examples["train"], examples["valid"], examples["blank"]) == (len(TRAIN), len(VALID), 2)
    for part, content in (("train", TRAIN), ("valid", VALID)):
        labels = found["answers"][part]["labels"]
        assert labels["counts"] == dict(Counter(label for _, label in content))
    assert found["answers"]["train"]["labels"]["seen_once_at"] == {"rare": f"look.tsv:{len(TRAIN) + 1}"}
    first = examples["first"][0]
    assert (first["place"], first["source"], first["targets"]) == ("look.tsv:1", TRAIN[0][0], [TRAIN[0][1]])


def test_lengths_and_cuts_are_those_that_numpy_counts(found):
    lengths = np.array([len(text.split()) for text, _ in TRAIN])
    told = found["sides"]["source"]["lengths"]
    assert (told["unit"], told["total"]) == ("token", lengths.sum())
    spread = told["spread"]
    assert (spread["largest"], spread["mean"]) == (400, pytest.approx(lengths.mean()))
    for share, value in spread["percentiles"].items():
        assert value == np.percentile(lengths, int(share), method="inverted_cdf")
    assert sum(count for _, _, count in spread["histogram"]) == len(lengths)
    assert told["cuts"]
    for cut in told["cuts"]:
        over = np.maximum(lengths - cut["max_tokens"], 0)
        assert cut["examples"] == pytest.approx((over > 0).mean())
        assert cut["tokens"] == pytest.approx(over.sum() / lengths.sum())


def test_the_vocabulary_is_that_of_the_training_part(found):
    tokens = [word for text, _ in TRAIN for word in text.split()]
    held_out = [word for text, _ in VALID for word in text.split()]
    told = found["sides"]["source"]["vocabulary"]
    assert (told["types"], told["tokens"]) == (len(set(tokens)), len(tokens))
    assert told["once"] == list(Counter(tokens).values()).count(1)
    for point in told["growth"]:
        assert point["types"] == len(set(tokens[: point["tokens"]]))
    ranked = sorted(Counter(tokens).values(), reverse=True)
    for each in told["coverage"]:
        assert each["share"] == pytest.approx(sum(ranked[: each["size"]]) / len(tokens))
    assert told["unknown"] == sum(word not in set(tokens) for word in held_out) == 2
    assert told["held_out"] == len(held_out)


def test_duplicates_and_leaks_are_those_that_sets_find(found):
    texts = [text.strip() for text, _ in TRAIN + VALID]
    trained = {text.strip() for text, _ in TRAIN}
    repeats = found["repeats"]
    assert (repeats["exact"], repeats["records"]) == (True, len(texts))
    assert repeats["repeated"] == len(texts) - len(set(texts))
    assert repeats["leaked"] == sum(text.strip() in trained for text, _ in VALID) > 0
    assert ["look.tsv:153", "look.tsv:152"] in repeats["contradictory_at"]
    assert ["look.valid.tsv:42", "look.tsv:4"] in repeats["leaked_at"]


def test_suspicious_rows_are_told_with_their_lines(found):
    suspicious = {each["what"]: each for each in found["suspicious"]}
    (blank,) = (each for what, each in suspicious.items() if "without text" in what)
    assert blank["places"] == ["look.tsv:11", "look.valid.tsv:11"]
    (lost,) = (each for what, each in suspicious.items() if "U+FFFD" in what)
    assert (lost["count"], lost["places"]) == (1, ["look.tsv:154"])
    (long,) = (each for what, each in suspicious.items() if "as long as" in what)
    assert long["places"] == [f"look.tsv:{len(TRAIN) + 1}"]


def test_settings_limit_the_vocabulary_as_in_a_training(seqrnn, files):
    options = ("look.tsv", "--valid", "look.valid.tsv", "--vocabulary-size", "20", "--min-count", "3")
    told = json.loads(seqrnn("inspect", *options, "--json", "--no-probe").stdout)
    known = told["sides"]["source"]["vocabulary"]
    trained = seqrnn("train", *options, "--dry-run").stderr.decode()
    (share,) = re.findall(r"validation: .*, ([\d.]+)% of them unknown", trained)
    assert f"{known['unknown_share']:.2%}" == f"{share}%"
    assert known["kept"] == 16
    for line in told["decisions"]:
        assert line in trained


def test_what_is_held_out_is_what_training_holds_out(seqrnn, files):
    told = json.loads(seqrnn("inspect", "look.tsv", "--seed", "5", "--json", "--no-probe").stdout)
    trained = seqrnn("train", "look.tsv", "--seed", "5", "--dry-run").stderr.decode()
    held_out = re.search(r"validation: (\d+) examples, (\d+) tokens", trained)
    assert held_out is not None
    assert told["examples"]["valid"] == int(held_out[1])
    assert told["sides"]["source"]["vocabulary"]["held_out"] == int(held_out[2])


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_the_report_fits_the_terminal(seqrnn, files, columns):
    result = seqrnn("inspect", "look.tsv", "--no-probe", COLUMNS=str(columns), LC_ALL="C.UTF-8")
    shown = result.stdout.decode()
    assert all(cell_len(line) <= columns for line in shown.splitlines())
    assert "█" in shown
    assert "\x1b" not in shown
    for head in (
        "Examples",
        "Labels: 4",
        "Lengths, in words",
        "Vocabulary: ",
        "Duplicates",
        "Suspicious rows",
    ):
        assert head in shown


def test_where_only_ascii_can_be_shown_it_is_drawn_so(seqrnn, folder):
    result = seqrnn("inspect", "train.tsv", "--no-probe", LC_ALL="C")
    assert result.returncode == 0
    assert result.stdout.isascii()
    assert b"####" in result.stdout


def test_rows_that_would_stop_a_training_are_all_told(seqrnn, folder):
    lines = [f"{text}\t{label}" for text, label in rows(40, 7)]
    lines[4], lines[9] = "no label here\t", "nor here\t "
    (folder / "stops.tsv").write_text("\n".join(lines) + "\n")
    shown = seqrnn("inspect", "stops.tsv", "--header", "no", "--task", "classification")
    assert shown.returncode == 0, shown.stderr
    assert b"A training would stop: 2 rows" in shown.stdout
    assert all(b"stops.tsv:%d: no label" % line in shown.stdout for line in (5, 10))
    assert b"Training, estimated" not in shown.stdout
    trained = seqrnn("train", "stops.tsv", "--header", "no", "--task", "classification", "--dry-run")
    assert b"stops.tsv:5: no label" in trained.stderr


def test_rows_that_are_too_long_or_name_no_file_are_told(seqrnn, folder):
    lines = [f"{text}\t{label}" for text, label in rows(40, 7)]
    lines[7] = "w1 " * 70_000 + "\ta"
    (folder / "long.tsv").write_text("\n".join(lines) + "\n")
    (folder / "images.tsv").write_text("".join(f"absent{i}.png\t{'ab'[i % 2]}\n" for i in range(20)))
    for file, place, words in (
        ("long.tsv", 8, "longer than 65,536 tokens"),
        ("images.tsv", 1, "No such file"),
    ):
        told = json.loads(seqrnn("inspect", file, "--json").stdout)
        assert told["stops"]["first"][0].startswith(f"{file}:{place}: ")
        assert words in told["stops"]["first"][0]
        assert told["training"] is None
    limited = json.loads(seqrnn("inspect", "long.tsv", "--max-tokens", "50", "--json", "--no-probe").stdout)
    assert limited["stops"]["rows"] == 0


def test_a_probe_tells_what_a_training_would_take(seqrnn, folder, small):
    result = seqrnn("inspect", "train.tsv", "--json", "--epochs", "3", *small)
    training = json.loads(result.stdout)["training"]
    examples = json.loads(result.stdout)["examples"]
    assert training["epochs"] == pytest.approx(3)
    assert training["updates"] >= 3 * examples["train"] // 32
    assert training["seconds"] >= 3 * training["seconds_per_epoch"] > 0
    assert training["evaluations"] >= 3
    assert 50e6 < training["memory_bytes"] < 4e9
    assert {path.name for path in folder.glob("gen-*")} == set()


def test_standard_input_is_inspected_like_a_file(seqrnn, folder):
    content = (folder / "train.tsv").read_bytes()
    told = json.loads(seqrnn("inspect", "-", "--json", "--no-probe", stdin=content).stdout)
    assert told["files"] == ["stdin"]
    assert told["examples"]["first"][0]["place"] == "stdin:1"


@pytest.mark.parametrize(
    ("file", "sides", "answers"),
    [
        ("lighthouse.txt", {"text": True}, set()),
        ("dates.train.tsv", {"source": True, "target": True}, set()),
        ("sightings.train.conll", {"source": True}, {"labels"}),
        ("adding.train.npz", {"source": False}, {"numbers"}),
        ("rounds.train.jsonl", {"source": False}, {"notes"}),
        ("boats.train.csv", {}, {"labels"}),
        ("scenes.train.tsv", {"target": True}, set()),
    ],
)
def test_every_kind_of_data_is_described_in_its_own_measures(seqrnn, file, sides, answers):
    result = seqrnn("inspect", SAMPLES / file, "--json", "--no-probe")
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert set(told["answers"]["train"]) == answers
    assert told["stops"]["rows"] == 0
    with_vocabulary = {name: side["vocabulary"] is not None for name, side in told["sides"].items()}
    assert {name: known for name, known in with_vocabulary.items() if name != "characters"} == sides


def test_the_keys_are_those_that_are_documented(found):
    page = (DOCS / "inspect.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([\w.]+)`", page, re.MULTILINE))
    assert {name for name in documented if "." not in name} == set(found)
    for section in ("examples", "sampled", "repeats", "stops"):
        inner = {name.split(".")[1] for name in documented if name.startswith(f"{section}.")}
        assert inner == set(found[section]), section


def test_what_is_for_runs_is_refused_for_data_and_the_other_way_round(seqrnn, files, classifier):
    for arguments, words in [
        (["look.tsv", "--config"], b"seqrnn init"),
        ([classifier, "--max-tokens", "3"], b"--max-tokens: says how data are read"),
        (["look.tsv", "-m", classifier], b"exclude each other"),
        (["look.tsv", "--tokenizer", "letters"], b"--tokenizer"),
    ]:
        result = seqrnn("inspect", *arguments)
        assert (result.returncode, result.stdout) == (2, b"")
        assert words in result.stderr
    absent = seqrnn("inspect", "absent.tsv")
    assert (absent.returncode, absent.stderr.count(b"\n")) == (3, 1)


def test_of_a_time_budget_the_size_is_estimated_that_it_would_get(seqrnn):
    told = seqrnn("inspect", SAMPLES / "lighthouse.txt", "--json", "--budget", "4s").stdout
    assert "lstm 320," not in json.loads(told)["training"]["model"]  # which is the usual one
