"""Rows that another process parses become the columns that they become without it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from seqrnn.config import DataConfig
from seqrnn.data.dataset import processes
from seqrnn.data.dataset.prepare import prepare
from seqrnn.data.dataset.records_ahead import RecordsAhead, read_ahead
from seqrnn.data.fields.field import LabelField, TextField
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.source import Source
from seqrnn.data.text.tokenizer import TokenizerSettings
from seqrnn.errors import DataError, MemoryLimit, UsageError

random.seed(3)
TEXTS = [
    "".join(random.choices(["the ", "cat", ", ", "été ", '"', "猫", "\x00", "\u2028"], k=6))
    for _ in range(2500)
]
LABELS = [random.choice(["a", "b", " c "]) for _ in TEXTS]


def csv_of(texts) -> str:
    rows = (
        f'"{text.replace(chr(34), chr(34) * 2)}\nmore",{label}\n'
        for text, label in zip(texts, LABELS, strict=True)
    )
    return "text,label\n" + "".join(rows)


FILES = {
    "csv": csv_of(TEXTS),
    "tsv": "".join(f"{text}\t{label}\n" for text, label in zip(TEXTS, LABELS, strict=True)) + "\n \tx\n",
    "jsonl": "".join(
        json.dumps({"text": text, "label": label, "id": 1}) + "\n"
        for text, label in zip(TEXTS, LABELS, strict=True)
    ),
    "fasttext": "".join(
        f"__label__{label.strip()} {text}\n" for text, label in zip(TEXTS, LABELS, strict=True)
    ),
    "conll": "".join(f"{word} O\n" + "\n" * (word == "cat") for text in TEXTS for word in text.split()),
}


def source_of(path: Path, format: str, **settings) -> Source:
    return Source((str(path),), format=format, kind="text", **settings)


@pytest.fixture
def two_processes(monkeypatch):
    monkeypatch.setattr(processes, "WORTH_PROCESSES", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


@pytest.mark.parametrize("format", FILES)
def test_records_are_those_of_this_process_at_each_pass(tmp_path, format) -> None:
    path = tmp_path / "a.txt"
    path.write_text(FILES[format], encoding="utf-8", newline="")
    source = source_of(path, format)
    here, taken = read_records(source), []
    expected = [record._replace(fields={}) for record in here]
    with RecordsAhead(source, taken.append) as ahead:
        assert next(iter(ahead)).source == expected[0].source  # and no more of this pass
        taken.clear()
        for _ in range(2):
            assert [record._replace(fields={}) for record in ahead] == expected
            assert (ahead.blank, ahead.replaced, ahead.oversize) == (here.blank, here.replaced, here.oversize)
    assert sum(taken) == 2 * path.stat().st_size


def test_columns_are_those_of_one_process(tmp_path, monkeypatch, two_processes) -> None:
    path = tmp_path / "a.csv"
    path.write_text(FILES["csv"], encoding="utf-8", newline="")
    found = []
    for threads in (1, 2):
        monkeypatch.setenv("SEQRNN_CACHE", str(tmp_path / f"cache{threads}"))
        fields = [TextField("source", TokenizerSettings("split-word")), LabelField("label", False)]
        data = DataConfig(train=(str(path),), format="csv", source_kind="text")
        prepared = prepare(data, fields, 7, threads)
        parts = [
            part[name] for part in (prepared.train, prepared.valid) if part for name in ("source", "label")
        ]
        arrays = [array.tolist() for part in parts for array in (part.values, part.offsets)]
        found.append((arrays, [field.to_json() for field in fields], prepared.report))
    assert found[0] == found[1]
    with read_ahead(source_of(path, "csv"), 2) as ahead, read_ahead(source_of(path, "csv"), 1) as here:
        assert [type(reader).__name__ for reader in (ahead, here)] == ["RecordsAhead", "RecordReader"]


@pytest.mark.parametrize(
    ("content", "settings", "error", "message"),
    [
        ("text,label\n" + "a,b\n" * 1500 + "c\n", {}, DataError, r"a\.csv:1502: 1 column, expected 2"),
        ('text,label\n"a', {}, DataError, r"a\.csv:2: not valid CSV"),
        (
            "x,1\ny,2\n",
            {"text_column": "words", "header": "no"},
            UsageError,
            "text_column` words is a name",
        ),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_its_location(
    tmp_path, content, settings, error, message
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with (
        RecordsAhead(source_of(path, "csv", **settings), lambda _: None) as ahead,
        pytest.raises(error, match=message),
    ):
        list(ahead)


def test_a_process_that_was_killed_is_told(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(FILES["csv"])
    with RecordsAhead(source_of(path, "csv"), lambda _: None) as ahead:
        ahead._process._process.kill()
        with pytest.raises(MemoryLimit, match=r"was ended \(signal 9\)"):
            list(ahead)


def test_messages_call_a_copy_of_stdin_by_its_name(tmp_path, monkeypatch) -> None:
    script = """
import sys
from seqrnn.data.dataset.records_ahead import RecordsAhead
from seqrnn.data.source import Source, spool
source = spool(Source(("-",), format="csv", kind="text"))
with RecordsAhead(source, lambda _: None) as ahead:
    print([record.location for record in ahead])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], input=b"text,label\nx,y\n", capture_output=True, check=True
    )
    assert done.stdout == b"['stdin:2']\n"


def test_messages_call_a_copy_of_the_other_file_by_its_name_too(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    script = """
from seqrnn.data.dataset.records_ahead import RecordsAhead
from seqrnn.data.source import Source, spool
from seqrnn.errors import DataError
source = spool(Source(("a.txt",), target_path="-", format="parallel", kind="text"))
with RecordsAhead(source, lambda _: None) as ahead:
    try:
        list(ahead)
    except DataError as error:
        print(error)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, input=b"x\ny\n", capture_output=True, check=True, cwd=tmp_path)
    assert done.stdout.startswith(b"a.txt has 1 lines, stdin has 2; ")
