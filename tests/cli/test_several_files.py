"""Patterns, several files and directories of shards train as one file that holds all of their rows."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "sample_data"
TINY = ("--steps", "3", "--hidden-size", "8", "--threads", "1", "-q")
SHARDS = 3


def rows() -> list[dict[str, str]]:
    with (SAMPLES / "mails.train.tsv").open(encoding="utf-8") as file:
        names, *found = (line.rstrip("\n").split("\t") for line in file)
    return [dict(zip(names, row, strict=True)) for row in found][:600]


def as_csv(table: list[dict[str, str]], names: list[str]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with the mails in one file, and cut into shards, of each format."""
    place, table = tmp_path_factory.mktemp("several"), rows()
    cut = [table[len(table) * n // SHARDS : len(table) * (n + 1) // SHARDS] for n in range(SHARDS)]
    (place / "one.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table))
    (place / "one.csv").write_text(as_csv(table, ["text", "label"]))
    for folder in ("objects", "tables", "columns"):
        (place / folder).mkdir()
    for number, part in enumerate(cut):
        lines = "".join(json.dumps(row) + "\n" for row in part)
        (place / f"objects/{number}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
        names = ["label", "text"] if number else ["text", "label"]
        (place / f"tables/{number}.csv").write_text(as_csv(part, names))
    (place / "objects/_SUCCESS").touch()
    (place / "one.txt").write_text((SAMPLES / "lighthouse.txt").read_text())
    text = (SAMPLES / "lighthouse.txt").read_text().splitlines(keepends=True)
    (place / "a.txt").write_text("".join(text[:40]))
    (place / "b.txt").write_text("".join(text[40:]))
    return place


@pytest.fixture(scope="module")
def run(place, forker, environment):
    """Run a command to its end, in the folder."""

    def run(*arguments: str, code: int = 0):
        done = forker.run(arguments, b"", environment, place)
        assert done.returncode == code, done.stderr.decode()
        return done

    return run


def weights(run: Path) -> bytes:
    return max(run.glob("gen-*")).joinpath("model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def of_one(place, run):
    """A function that trains on one file, once, and returns the weights."""
    known: dict[str, bytes] = {}

    def of_one(name: str) -> bytes:
        if name not in known:
            run("train", name, "-o", f"of-{name}", *TINY)
            known[name] = weights(place / f"of-{name}")
        return known[name]

    return of_one


@pytest.mark.parametrize(
    ("name", "shards"),
    [
        ("one.jsonl", ("objects/*.jsonl.gz",)),
        ("one.jsonl", ("objects",)),
        ("one.jsonl", ("objects/[01].jsonl.gz", "**/2.jsonl.gz")),
        ("one.csv", ("tables/?.csv",)),
        ("one.csv", ("tables/",)),
        ("one.txt", ("[ab].txt",)),
    ],
)
def test_shards_train_as_one_file(run, place, of_one, tmp_path, name, shards):
    run("train", *shards, "-o", str(tmp_path / "R"), *TINY)
    assert weights(tmp_path / "R") == of_one(name)


def test_shards_of_parquet_train_as_one_file(run, place, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.Table.from_pylist(rows())
    parquet.write_table(table, place / "one.parquet")
    for number in range(SHARDS):
        part = table.slice(200 * number, 200)
        parquet.write_table(part, place / f"columns/part-{number}.parquet", row_group_size=70)
    for name in ("one.parquet", "columns"):
        run("train", name, "-o", str(tmp_path / name), *TINY)
    assert weights(tmp_path / "columns") == weights(tmp_path / "one.parquet")


def test_patterns_go_for_what_is_measured_and_for_a_run_that_is_resumed(run, place, tmp_path):
    out = str(tmp_path / "R")
    run("train", "tables/[01]*.csv", "--valid", "tables/[2].csv", "--test", "tables/*.csv", "-o", out, *TINY)
    assert json.loads((tmp_path / "R/test.json").read_text())["figures"]["examples"] == 600
    assert "tables/[01]*.csv" in (tmp_path / "R/config.yaml").read_text()
    run("train", "-o", out, "--resume", "--steps", "4", "-q")
    found = run("evaluate", "-m", out, "tables/*.csv", "--json")
    assert json.loads(found.stdout)["examples"] == 600
    (place / "tables/1b.csv").write_text("text,label\na,spam\n")
    done = run("train", "-o", out, "--resume", "--steps", "5", "-q", code=3)
    (place / "tables/1b.csv").unlink()
    assert b"tables/1b.csv: differs (sha256)" in done.stderr


def test_prepared_shards(run, place, of_one, tmp_path):
    run("prepare", "objects/*.gz", "-o", str(tmp_path / "P"))
    run("train", str(tmp_path / "P"), "-o", str(tmp_path / "R"), *TINY)
    assert weights(tmp_path / "R") == of_one("one.jsonl")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"a.csv": "text,label\na,x\nb,y\n", "b.csv": 'text,label\nc,x\n"d,y\n'}, "bad/b.csv:3: "),
        ({"a.csv": "text,label\na,x\nb,y\n", "b.csv": "words,label\nc,x\n"}, "bad/b.csv"),
        (
            {"a.jsonl": '{"text": "a", "label": "x"}\n', "b.jsonl": '{"text": "b", "label": "x"}\n{\n'},
            "bad/b.jsonl:2: ",
        ),
        (
            {"a.jsonl": '{"text": "a", "label": "x"}\n', "b.csv": "text,label\nc,x\n"},
            "bad/b.csv: is csv by its name",
        ),
        ({"a.tsv": "a\tx\nb\ty\n", "b.tsv": "a\tx\n\xff\ty\n"}, "bad/b.tsv:2:1: not UTF-8"),
    ],
)
def test_errors_name_the_file(run, tmp_path, place, files, told):
    folder = tmp_path / "bad"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_bytes(text.encode("latin-1"))
    done = run("train", f"{folder}/*", "-o", str(tmp_path / "R"), *TINY, code=3)
    assert f"seqrnn: error: {tmp_path}/{told}" in done.stderr.decode()
    assert not (tmp_path / "R").exists()


def test_a_pattern_that_matches_nothing_is_told(run, tmp_path):
    done = run("train", "objects/*.csv", "-o", str(tmp_path / "R"), code=3)
    assert done.stderr.startswith(b"seqrnn: error: objects/*.csv: no file matches this pattern")


def test_parts_of_a_data_set_are_not_read_as_one(run, place, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("train-0.csv", "test-0.csv"):
        (folder / name).write_text("text,label\na,x\nb,y\n")
    done = run("train", str(folder), "-o", str(tmp_path / "R"), code=3)
    assert b"name the files" in done.stderr


def test_one_file_is_answered_at_a_time(run, of_one):
    of_one("one.csv")
    done = run("classify", "-m", "of-one.csv", "tables/*.csv", code=2)
    assert b"tables/*.csv: stands for 3 files, and one is answered at a time" in done.stderr


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(run, place, of_one, tmp_path):
    (place / "one[1].csv").write_bytes((place / "one.csv").read_bytes())
    (place / "one1.csv").write_text("text,label\na,x\nb,y\n")
    run("train", "one[1].csv", "-o", str(tmp_path / "R"), *TINY)
    assert weights(tmp_path / "R") == of_one("one.csv")
