"""A table that is answered comes back as the same table, with the answers in further columns."""

from __future__ import annotations

import csv
import io
import json
import os
import select
import subprocess
import sys
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


def test_a_column_by_its_number_goes_for_files_with_a_header_and_without(model, tmp_path, seqrnn):
    data = tmp_path / "asked.csv"
    for header in ("", "n,words\n"):
        data.write_text(f"{header}1,good\n2,dull\n3,a good film\n", encoding="utf-8")
        told = seqrnn("classify", "-m", model, data, "--text-col", "2").stdout.decode().splitlines()
        rows = told[bool(header) :]
        assert [row.split(",")[0] for row in rows] == ["1", "2", "3"]
        assert all(row.split(",")[2] and row.split(",")[3] for row in rows)
        if header:
            assert told[0] == "n,words,prediction,probability"


def test_quotes_that_do_not_match_cost_one_row(model, tmp_path, seqrnn):
    data = tmp_path / "asked.csv"
    rows = ["n,question", '1,"open', "2,good", '3,"dull"', '4,"bad"x', '5,"never closed', "6,good"]
    data.write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = seqrnn("classify", "-m", model, data)
    told = done.stdout.decode().splitlines()
    assert [line.startswith(row) for line, row in zip(told, rows, strict=True)] == [True] * len(rows)
    assert [line.endswith(",,") for line in told] == [False, True, False, False, True, True, False]
    assert "rows that could not be answered: 3" in done.stderr.decode()
    assert "asked.csv:2: not valid CSV: " in done.stderr.decode()


def test_what_is_no_object_of_a_list_is_an_answer_with_an_error(model, tmp_path, seqrnn):
    data = tmp_path / "asked.json"
    rows = ['{"question": "good", "n": 1.50}', "5", '{"n": 2}', '{"question": NaN}', '{"question": "dull"}']
    data.write_text(f"[{','.join(rows)}]", encoding="utf-8")
    done = seqrnn("classify", "-m", model, data)
    answers = json.loads(done.stdout)
    assert [answer["prediction"] is None for answer in answers] == [False, True, True, True, False]
    assert ["error" in answer for answer in answers] == [False, True, True, True, False]
    assert '"n": 1.50, "prediction"' in done.stdout.decode()
    data.write_text(f"[{rows[0]},\n{rows[4]}, {{'", encoding="utf-8")
    cut = seqrnn("classify", "-m", model, data)
    assert (cut.returncode, cut.stderr.count(b"\n")) == (3, 1)
    assert b"asked.json:2: not valid JSON" in cut.stderr
    assert [line.count(b'"prediction"') for line in cut.stdout.splitlines()] == [0, 1, 1]


def test_a_malformed_line_of_json_is_an_answer_with_an_error(model, tmp_path, seqrnn):
    data = tmp_path / "asked.jsonl"
    data.write_text('{"question": "good"}\n{broken\n\n[1]\n{"question": "\\ud800"}\n', encoding="utf-8")
    done = seqrnn("classify", "-m", model, data)
    first, broken, blank, listed, half = done.stdout.decode().split("\n")[:-1]
    assert blank == ""
    assert json.loads(first)["prediction"] in {"yes", "no"}
    assert json.loads(broken)["text"] == "{broken"
    assert all(json.loads(line)["error"] for line in (broken, listed, half))


def test_parquet_of_other_types_and_damaged_parquet(model, tmp_path, seqrnn):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    nested = {"question": ["good", None, "dull"], "deep": [[{"a": [b"\xff"]}]] * 3, "x": [float("nan")] * 3}
    parquet.write_table(pyarrow.table(nested), tmp_path / "a.parquet")
    done = seqrnn("classify", "-m", model, tmp_path / "a.parquet", "-o", tmp_path / "b.parquet", "--probs")
    assert 'a.parquet:2: "question" is no text' in done.stderr.decode()
    table = parquet.read_table(tmp_path / "b.parquet")
    assert table.column_names == [*nested, "prediction", "probability", "p_no", "p_yes"]
    assert [row is None for row in table["prediction"].to_pylist()] == [False, True, False]
    lines = seqrnn("classify", "-m", model, tmp_path / "a.parquet", "--jsonl").stdout.splitlines()
    assert [json.loads(line)["x"] for line in lines] == [None] * 3
    damaged = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "c.parquet").write_bytes(damaged[:-20])
    failed = seqrnn("classify", "-m", model, tmp_path / "c.parquet", "-o", tmp_path / "b.parquet")
    assert (failed.returncode, failed.stderr.count(b"\n")) == (3, 1)
    assert (tmp_path / "b.parquet").stat().st_size > 0
    parquet.write_table(pyarrow.table({"question": [1.5]}), tmp_path / "d.parquet")
    assert b"is no text" in seqrnn("classify", "-m", model, tmp_path / "d.parquet").stderr


def test_bytes_are_not_written_to_a_terminal(model, tmp_path, environment):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"question": ["good"]}), tmp_path / "a.parquet")
    terminal, end = os.openpty()
    command = [sys.executable, "-m", "seqrnn", "classify", "-m", model, tmp_path / "a.parquet"]
    done = subprocess.run(command, stdout=end, stderr=subprocess.PIPE, env=environment, check=False)
    os.close(end)
    os.close(terminal)
    assert done.returncode == 2
    assert b"redirect it, name a file with -o, or add --jsonl" in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_files_and_streams_are_read_in_their_encoding_and_written_in_utf8(model, tmp_path, seqrnn, encoding):
    data = tmp_path / "asked.csv"
    data.write_bytes("question;prix\ngood é;3,14\n".encode(encoding))
    named = ("--encoding", encoding) if encoding == "cp1252" else ()
    told = seqrnn("classify", "-m", model, data, *named)
    assert told.stdout.decode().splitlines()[1].startswith("good é;3,14;")
    streamed = seqrnn("classify", "-m", model, "--format", "csv", *named, stdin=data.read_bytes())
    assert streamed.stdout == told.stdout
    line = seqrnn("classify", "-m", model, "--jsonl", *named, stdin="good é\n".encode(encoding))
    assert json.loads(line.stdout)["text"] == "good é"


def test_an_encoding_that_is_none_is_told(model, seqrnn):
    done = seqrnn("classify", "-m", model, "--encoding", "utf9", stdin=b"good\n")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--encoding utf9: no encoding of that name" in done.stderr


def test_names_of_answers_have_the_prefix_that_is_given(model, tmp_path, seqrnn):
    data = written(tmp_path / "asked.csv", ";")
    options = ("--probs", "--prefix", "a_")
    head = seqrnn("classify", "-m", model, data, *options).stdout.decode().splitlines()[0]
    assert head == "n;question;verdict;a_prediction;a_probability;a_p_no;a_p_yes"
    line = json.loads(seqrnn("classify", "-m", model, data, "--jsonl", *options).stdout.splitlines()[0])
    assert list(line)[:6] == ["id", "n", "question", "verdict", "a_prediction", "a_score"]
    assert sum(line["a_probabilities"].values()) == pytest.approx(1)
    refused = seqrnn("classify", "-m", model, "--prefix", "a_", stdin=b"good\n")
    assert (refused.returncode, refused.stderr.count(b"\n")) == (2, 1)


def test_the_format_of_a_file_is_told_from_its_content(model, tmp_path, seqrnn):
    table, lines = tmp_path / "table.txt", tmp_path / "lines.txt"
    table.write_bytes(b"sep=;\n" + written(tmp_path / "asked.csv", ";").read_bytes())
    lines.write_text("good, I say\ndull, I say\nboth\n", encoding="utf-8")
    told = seqrnn("classify", "-m", model, table).stdout.decode().splitlines()
    assert told[:2] == ["sep=;", "n;question;verdict;prediction;probability"]
    assert {*seqrnn("classify", "-m", model, lines).stdout.decode().split()} <= {"yes", "no"}


def test_the_file_that_is_read_is_not_written_over(model, tmp_path, seqrnn):
    data = written(tmp_path / "asked.csv", ",")
    before = data.read_bytes()
    done = seqrnn("classify", "-m", model, data, "-o", data)
    assert (done.returncode, data.read_bytes()) == (2, before)
    assert b"is the file that is read" in done.stderr


HEADED = "n,question,verdict\n1,is it good,yes\n"
LIKE_ITS_TRAINING = "each line was read as a text, and they look like csv: --format csv reads them so"
LIKE_OBJECTS = LIKE_ITS_TRAINING.replace("csv", "jsonl")


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        (HEADED, LIKE_ITS_TRAINING),
        (HEADED.splitlines(True)[0], LIKE_ITS_TRAINING),
        ('1,is it good,yes\n2,"is it bad, or",no\n3,the dull one,yes\n', LIKE_ITS_TRAINING),
        ('{"question": "is it good"}\n', LIKE_OBJECTS),
        ("is it good\n", ""),
        ("yes, it is, good\nno, I do not think it is\n", ""),
        ("the question of a verdict\n", ""),
        ("", ""),
    ],
)
def test_lines_that_look_like_rows_of_a_table_are_texts_and_that_is_told(model, seqrnn, lines, note):
    done = seqrnn("classify", "-m", model, stdin=lines.encode())
    assert done.returncode == 0
    assert done.stdout.count(b"\n") == lines.count("\n")
    assert done.stderr.decode().strip() == f"seqrnn: {note}" * bool(note)


def test_objects_that_are_read_as_such_are_not_taken_for_texts(model, seqrnn):
    done = seqrnn("classify", "-m", model, "--jsonl", stdin=b'{"question": "is it good"}\n')
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("asked", "output", "options", "what"),
    [
        ("rows.csv", "out.parquet", (), "a csv file comes back as csv, not as parquet; name it so"),
        ("rows.csv", "out.tsv", (), "a csv file comes back as csv, not as tsv; name it so"),
        ("rows.csv", "out.csv.gz", (), "nothing is compressed here; pipe it: ... | gzip > {output}"),
        ("rows.csv", "out.csv", ("--jsonl",), "--jsonl writes lines of JSON; name a .jsonl file"),
        ("rows.txt", "out.jsonl", (), "lines are answered by lines, not as jsonl; name a .txt file"),
        ("rows.txt", "out.npz", (), "lines are answered by lines, not as npz; name a .txt file"),
    ],
)
def test_a_name_that_promises_another_form_is_refused(model, tmp_path, seqrnn, asked, output, options, what):
    written(tmp_path / "rows.csv", ",")
    (tmp_path / "rows.txt").write_text("is it good\n")
    done = seqrnn("classify", "-m", model, tmp_path / asked, "-o", tmp_path / output, *options)
    assert (done.returncode, done.stdout) == (2, b"")
    assert f"-o {tmp_path / output}: {what.format(output=tmp_path / output)}" in done.stderr.decode()
    assert not (tmp_path / output).exists()


def test_lines_of_json_are_answered_as_they_come(model, environment):
    command = [sys.executable, "-m", "seqrnn", "classify", "-m", model, "--format", "jsonl"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, env=environment, bufsize=0, **pipes)
    for text in ("good", "dull"):
        process.stdin.write(json.dumps({"question": text}).encode() + b"\n")
        assert select.select([process.stdout], [], [], 60)[0]
        assert json.loads(process.stdout.readline())["question"] == text
    process.communicate()
