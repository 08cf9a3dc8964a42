"""Texts of several columns are read as one, in every layout, in training and afterwards."""

from __future__ import annotations

import csv
import io
import json

import pytest

from seqrnn import load

THINGS = ("soup", "a boat", "the rain", "two tickets", "fresh bread")
PAIRS = [
    (
        f"I saw {THINGS[n % 5]} today",
        f"{THINGS[n % 3]}, they said",
        "same" if n % 15 in {0, 1, 2} else "other",
    )
    for n in range(45)
]
NAMES = ("said", "before", "about")
TINY = ("--steps", "4", "--hidden-size", "8", "--threads", "1", "-q")


def as_csv(rows) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


@pytest.fixture(scope="module")
def pairs(folder):
    objects = [dict(zip(NAMES, row, strict=True)) for row in PAIRS]
    nested = [{"of": {"said": a, "before": b}, "about": c} for a, b, c in PAIRS]
    files = {
        "pairs.csv": as_csv([NAMES, *PAIRS]),
        "bare.csv": as_csv(PAIRS),
        "pairs.jsonl": "".join(json.dumps(row) + "\n" for row in objects),
        "nested.json": json.dumps(nested),
        "joined.tsv": "".join(f"{a} ||| {b}\t{c}\n" for a, b, c in PAIRS),
    }
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def probabilities(seqrnn, pairs):
    """What a model of joined texts answers."""
    assert seqrnn("train", "joined.tsv", "-o", "of-joined", *TINY).returncode == 0
    return answers(seqrnn("classify", "-m", "of-joined", "joined.tsv", "--jsonl"))


def answers(result) -> list[float]:
    assert result.returncode == 0, result.stderr.decode()
    return [json.loads(line)["probability"] for line in result.stdout.decode().splitlines()]


@pytest.mark.parametrize(
    ("file", "chosen"),
    [
        ("pairs.csv", "said,before"),
        ("pairs.csv", "1, 2"),
        ("bare.csv", "1,2"),
        ("pairs.jsonl", "said,before"),
        ("nested.json", "of.said,of.before"),
    ],
)
def test_a_model_of_several_columns_is_that_of_texts_joined_by_hand(
    seqrnn, pairs, probabilities, file, chosen
):
    done = seqrnn("train", file, "--text-col", chosen, "-o", "of-pairs", "--overwrite", *TINY)
    assert done.returncode == 0, done.stderr.decode()
    told = seqrnn("classify", "-m", "of-pairs", file, "--jsonl")
    assert answers(told) == pytest.approx(probabilities, abs=1e-6)
    first = json.loads(told.stdout.decode().splitlines()[0])
    assert not any("|||" in str(value) for value in first.values()), "fields of the file and the answer"
    lines = "".join(f"{a} ||| {b}\n" for a, b, _ in PAIRS).encode()
    typed = seqrnn("classify", "-m", "of-pairs", "--jsonl", stdin=lines)
    assert answers(typed) == pytest.approx(probabilities, abs=1e-6)
    measured = seqrnn("evaluate", "-m", "of-pairs", file, "--json")
    assert json.loads(measured.stdout)["examples"] == len(PAIRS)


def test_the_model_reads_its_columns_from_every_other_layout(seqrnn, pairs, probabilities):
    done = seqrnn("train", "pairs.csv", "--text-col", "said,before", "-o", "of-names", *TINY)
    assert done.returncode == 0, done.stderr.decode()
    for file, *more in (["pairs.jsonl"], ["bare.csv", "--text-col", "1,2"], ["pairs.csv"]):
        told = seqrnn("classify", "-m", "of-names", file, *more, "--jsonl")
        assert answers(told) == pytest.approx(probabilities, abs=1e-6), file
    objects = "".join(json.dumps({"before": b, "said": a}) + "\n" for a, b, _ in PAIRS).encode()
    told = seqrnn("classify", "-m", "of-names", "--jsonl", stdin=objects)
    assert answers(told) == pytest.approx(probabilities, abs=1e-6)
    half = seqrnn("classify", "-m", "of-names", "--jsonl", stdin=b'{"said": "warm soup"}\n')
    assert 'no text in the field \\"said,before\\"' in half.stdout.decode()
    back = seqrnn("classify", "-m", "of-names", "pairs.csv").stdout.decode().splitlines()
    assert back[0] == "said,before,about,prediction,probability"


def test_objects_are_read_in_a_program_too(pairs, seqrnn, probabilities):
    done = seqrnn("train", "pairs.jsonl", "--text-col", "said,before", "-o", "of-objects", *TINY)
    assert done.returncode == 0, done.stderr.decode()
    model = load(pairs / "of-objects")
    found = model.classify([{"said": a, "before": b} for a, b, _ in PAIRS])
    assert [answer.probability for answer in found] == pytest.approx(probabilities, abs=1e-6)
    assert model.evaluate(pairs / "pairs.csv").figures["examples"] == len(PAIRS)


def test_a_column_whose_name_has_a_comma_is_one_of_the_file(seqrnn, pairs):
    rows = [("a", "b", "a,b", "c"), *((x, y, f"{x} {n}", z) for n, (x, y, z) in enumerate(PAIRS))]
    (pairs / "comma.csv").write_text(as_csv(rows), encoding="utf-8")
    done = seqrnn("train", "comma.csv", "--text-col", "a,b", "--label-col", "c", "-o", "of-comma", *TINY)
    assert done.returncode == 0, done.stderr.decode()
    told = seqrnn("classify", "-m", "of-comma", "comma.csv", "--jsonl").stdout.decode().splitlines()
    assert json.loads(told[0])["a,b"] == rows[1][2]


def test_a_column_that_is_not_there_is_an_error_of_its_own(seqrnn, pairs):
    done = seqrnn("train", "pairs.csv", "--text-col", "said,after", "-o", "never", *TINY)
    assert done.returncode == 3
    assert 'no column "after", the columns are said, before, about' in done.stderr.decode()
