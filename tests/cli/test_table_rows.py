"""A table that is answered comes back as the same table, with the answers in further columns."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

ROWS = [
    ("is it good", "yes"),
    ("is it bad, or\nworse", "no"),
    ('a "fine" one', "yes"),
    ("the dull one", "no"),
]


def written(path: Path, delimiter: str, header: bool = True) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([("n", "question", "verdict")] * header)
        writer.writerows((number, *row) for number, row in enumerate(ROWS * 10))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory, seqrnn, small):
    """A run that was trained on a table with a header."""
    folder = tmp_path_factory.mktemp("tables")
    data, run = written(folder / "train.csv", ","), folder / "run"
    done = seqrnn("train", data, "-o", run, "--steps", "4", *small)
    assert done.returncode == 0, done.stderr.decode()
    return run


def parsed(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_rows_and_columns_come_back_in_their_form(model, tmp_path, seqrnn, delimiter):
    data = written(tmp_path / "asked.csv", delimiter)
    before = parsed(data.read_text(encoding="utf-8"), delimiter)
    after = parsed(seqrnn("classify", "-m", model, data).stdout.decode(), delimiter)
    assert [row[:3] for row in after] == before
    assert after[0][3:] == ["prediction", "probability"]
    assert all(row[3] in {"yes", "no"} and 0.5 <= float(row[4]) <= 1 for row in after[1:])


def test_columns_are_found_by_name_and_labels_need_not_be_there(model, tmp_path, seqrnn):
    data = tmp_path / "asked.csv"
    data.write_text("question,who\nis it good,me\n", encoding="utf-8")
    head, row = parsed(seqrnn("classify", "-m", model, data).stdout.decode(), ",")
    assert head == ["question", "who", "prediction", "probability"]
    assert row[:2] == ["is it good", "me"]


def test_a_malformed_row_is_a_row_without_an_answer(model, tmp_path, seqrnn):
    data = tmp_path / "asked.csv"
    data.write_text("n,question\n1,good\n2,bad,worse\n\n3,dull\n", encoding="utf-8")
    done = seqrnn("classify", "-m", model, data)
    rows = parsed(done.stdout.decode(), ",")
    assert [row[:1] for row in rows] == [["n"], ["1"], ["2"], [], ["3"]]
    assert rows[2] == ["2", "bad", "worse", "", ""]
    assert "asked.csv:3: 3 columns, expected 2" in done.stderr.decode()


def test_standard_input_is_a_table_where_a_format_is_named(model, seqrnn):
    told = seqrnn("classify", "-m", model, "--format", "csv", stdin=b"question\ngood\n").stdout.decode()
    assert parsed(told, ",")[0] == ["question", "prediction", "probability"]
    assert len(seqrnn("classify", "-m", model, stdin=b"question\ngood\n").stdout.decode().splitlines()) == 2


def test_objects_keep_all_their_fields_also_those_named_as_the_answers(model, tmp_path, seqrnn):
    data = tmp_path / "asked.jsonl"
    data.write_text('{"question": "good", "prediction": [1], "x": {"y": null}}\n', encoding="utf-8")
    told = json.loads(seqrnn("classify", "-m", model, data).stdout.decode())
    assert list(told) == ["question", "prediction", "x", "prediction_2", "probability"]
    assert told["prediction"] == [1]


def test_two_models_in_one_pipe_keep_both_answers(model, seqrnn):
    once = seqrnn("classify", "-m", model, "--jsonl", stdin=b'{"question": "good"}\n').stdout.decode()
    twice = json.loads(seqrnn("classify", "-m", model, "--jsonl", stdin=once.encode()).stdout.decode())
    assert twice["prediction_2"] == twice["prediction"] == json.loads(once)["prediction"]
    assert twice["id"] == 0


def test_a_column_that_is_not_there_is_told_before_anything_is_written(model, tmp_path, seqrnn):
    data = tmp_path / "asked.csv"
    data.write_text("a,b\n1,2\n", encoding="utf-8")
    done = seqrnn("classify", "-m", model, data)
    assert (done.returncode, done.stdout) == (3, b"")
    assert 'no column "question", the columns are a, b; use --text-col' in done.stderr.decode()
