"""Rows that cost too much, or that a library chokes on: each gets an answer or a reason, as do later ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

LONG = 10_000_000  # bytes
QUICK = ("--steps", "2", "--hidden-size", "8", "--precision", "fp32", "--threads", "1", "--quiet")
VECTOR = b"[[1, 2], [0, 1]]"
TOO_LONG = "longer than 65,536 {}s, the most that are read at once"


@pytest.fixture(scope="module")
def series(seqrnn, folder):
    """A classifier of series of two features."""
    rows = [{"vectors": [[number, 1], [-number, 0]], "label": "ab"[number % 2]} for number in range(20)]
    (folder / "series.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    result = seqrnn("train", "series.jsonl", "-o", "series", *QUICK)
    assert result.returncode == 0, result.stderr.decode()
    return folder / "series"


@pytest.fixture(scope="module")
def tagger(seqrnn, folder):
    """A tagger that reads texts in the form NFKC."""
    sentence = "on O\nx\u00b4y B-x\n\u2017 I-x\n\n"
    (folder / "forms.conll").write_text(sentence * 20, encoding="utf-8")
    result = seqrnn("train", "forms.conll", "-o", "normal-forms", "--unicode", "nfkc", *QUICK)
    assert result.returncode == 0, result.stderr.decode()
    return folder / "normal-forms"


# What a process has held includes what the one that forked it held then: here a small one, not pytest.
MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
open("hard.memory", "w").write(str(memory))
sys.exit(code)
"""


@pytest.fixture
def measured(environment, folder):
    """Runs a command on bytes: exit code, stdout, stderr, and the largest memory in bytes."""

    def run(*args, stdin):
        (folder / "hard.txt").write_bytes(stdin)
        command = [sys.executable, "-c", MEASURE, sys.executable, "-m", "seqrnn", *map(str, args), "hard.txt"]
        with (folder / "hard.out").open("wb") as out, (folder / "hard.err").open("wb") as err:
            code = subprocess.run(
                command, env=environment, cwd=folder, stdout=out, stderr=err, check=False, timeout=300
            ).returncode
        files = (folder / "hard.out").read_bytes(), (folder / "hard.err").read_text()
        return code, *files, int((folder / "hard.memory").read_text()) * 1024

    return run


def test_a_line_of_ten_megabytes_costs_no_memory_and_no_other_row(classifier, measured) -> None:
    long = (b"a bc " * (LONG // 5 + 1))[:LONG]
    code, answers, told, memory = measured("classify", "-m", classifier, stdin=b"soup\n%b\nsoup\n" % long)
    assert code == 0
    first, middle, last, end = answers.split(b"\n")
    assert (first, middle, end) == (last, b"", b"")
    assert first != b""
    assert told.count("\n") == 1
    assert f"hard.txt:2: {TOO_LONG.format('token')}" in told
    assert memory < 320 << 20


def test_vectors_by_the_million_cost_no_memory_and_no_other_row(series, measured) -> None:
    flat, steps = b"[%b1]" % (b"1," * (LONG // 2)), b"[%b[1,2]]" % (b"[1,2]," * (LONG // 6))
    rows = b"%b\n" * 4 % (VECTOR, b'{"vectors": %b}' % steps, flat, VECTOR)
    code, answers, told, memory = measured("classify", "-m", series, "--jsonl", "--threads", "1", stdin=rows)
    assert code == 0, told
    first, long, narrow, last = (json.loads(line) for line in answers.splitlines())
    assert first["prediction"] == last["prediction"] is not None
    assert TOO_LONG.format("step") in long["error"]
    assert "step 1 has 1 number, expected 2" in narrow["error"]
    assert memory < 800 << 20


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_row_longer_than_any_piece_is_answered(seqrnn, classifier, backend) -> None:
    row = b"warm soup " * 10_000
    result = seqrnn("classify", "-m", classifier, "--backend", backend, stdin=b"%b\nwarm soup\n" % row)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout == b"food\nfood\n"


def header(shape: str) -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


DAMAGED = {
    "cut.npy": header("(9, 2)"),
    "huge.npy": header("(1000000000000, 2)") + bytes(64),
    "negative.npy": header("(-4, 2)") + bytes(64),
    "wrapped.npy": header("(4611686018427387904, 4, 2)") + bytes(64),
    "empty.npy": header("(0, 2)"),
    "nested.npy": header("(" * 40 + ")" * 39) + bytes(64),
    "archive.npy": b"PK\x03\x04" + bytes(40),
    "text.npy": b"hello",
    "none.npy": b"",
}


def test_an_array_that_cannot_be_read_is_an_error_row(seqrnn, series, folder) -> None:
    for name, content in DAMAGED.items():
        (folder / name).write_bytes(content)
    np.save(folder / "objects.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    np.save(folder / "structured.npy", np.zeros(3, dtype=[("a", "f4")]))
    np.save(folder / "nan.npy", np.full((2, 2), np.nan))
    np.save(folder / "steps.npy", np.zeros((70_000, 2), dtype=np.float32))
    np.save(folder / "fine.npy", np.asfortranarray([[1, 2], [0, 1]], dtype=">f8"))
    os.mkfifo(folder / "fifo.npy")
    (folder / "zeros.npy").symlink_to("/dev/zero")
    (folder / "folder.npy").mkdir()
    bad = [
        *DAMAGED,
        "objects.npy",
        "structured.npy",
        "nan.npy",
        "steps.npy",
        "fifo.npy",
        "zeros.npy",
        "folder.npy",
    ]
    rows = "\n".join([*bad, "nul\0.npy", "fine.npy"])
    result = seqrnn("classify", "-m", series, "--jsonl", "--quiet", stdin=rows.encode())
    assert (result.returncode, result.stderr) == (0, b"")
    *answers, fine = (json.loads(line) for line in result.stdout.splitlines())
    assert len(answers) == len(bad) + 1
    assert [answer["prediction"] for answer in answers] == [None] * len(answers)
    assert all(answer["error"] for answer in answers)
    assert fine["prediction"] is not None


def test_numbers_and_nesting_beyond_all_bounds_are_error_rows_and_nothing_else(seqrnn, series) -> None:
    bad = {
        b"[[1e308, 1]]": "too large to compute with",
        b"[[-1e38, 1]]": "too large to compute with",
        b"[[%b, 1]]" % (b"9" * 400): "finite numbers",
        b"[[%b, 1]]" % (b"9" * 5000): "thousands of digits",
        b"[[1e400, 1]]": "1e400 is no finite number",
        b"[" * 980 + b"]" * 980: "nested more than 100 deep",
        b"[" * 90 + b"]" * 90: "step 1 has 1 number, expected 2",
        b"[" * 1_000_000: "nested more than 100 deep",
    }
    good = b'{"vectors": %b, "\\ud800": "\\udfff", "n": %b}' % (VECTOR, b"9" * 400)
    for threads in ("1", "2"):
        options = ("classify", "-m", series, "--jsonl", "--quiet", "--threads", threads)
        result = seqrnn(*options, stdin=b"\n".join([*bad, good]))
        assert (result.returncode, result.stderr) == (0, b"")
        *answers, fine = (json.loads(line) for line in result.stdout.splitlines())
        for answer, reason in zip(answers, bad.values(), strict=True):
            assert reason in answer["error"]
        assert fine["prediction"] is not None
        assert fine["n"] == int("9" * 400)


def test_a_tag_a_token_whatever_the_normal_form_makes_of_it(seqrnn, tagger) -> None:
    tokens = ["x\u00b4y", "\u00b4", "on", "\u2017", "\u200b", "a\u00a0b", "\u3000", "\ufeff"]
    objects = [{"tokens": tokens}, {"tokens": ["a b", "", "\u00b4 \u00b4"]}]
    rows = "\n".join([" ".join(tokens), *map(json.dumps, objects)])
    result = seqrnn("classify", "-m", tagger, "--jsonl", "--quiet", stdin=rows.encode())
    assert (result.returncode, result.stderr) == (0, b"")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [len(answer["prediction"]) for answer in answers] == [8, 8, 3]
    assert answers[0]["tokens"] == answers[1]["tokens"] == tokens
    evaluated = seqrnn("evaluate", "-m", tagger, "forms.conll", "--json")
    assert json.loads(evaluated.stdout)["tokens"] == 60
