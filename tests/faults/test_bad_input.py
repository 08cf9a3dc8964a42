"""One bad file each: one line that says where, what and what to do; no run directory, an empty stdout."""

from __future__ import annotations

import pytest

CASES = {
    "missing-column": ({"x.tsv": b"a b\tx\nc d\ty\ne f\n"}, "x.tsv", 3, "x.tsv:3: 1 column"),
    "invalid-utf-8": ({"x.tsv": b"a b\tx\nc \xff d\ty\n"}, "x.tsv", 3, "x.tsv:2:3: not UTF-8"),
    "empty": ({"x.tsv": b""}, "x.tsv", 3, "x.tsv: is empty; give"),
    "blank": ({"x.tsv": b"\n\n\n"}, "x.tsv", 3, "x.tsv: is empty; give"),
    "one-class": (
        {"x.tsv": b"a\tx\nb\tx\nc\tx\n"},
        "x.tsv",
        3,
        "x.tsv: every training example has the label 'x'",
    ),
    "unequal": (
        {"x.src": b"a\nb\n", "x.tgt": b"1\n2\n1\n"},
        "--src x.src --tgt x.tgt",
        3,
        "x.src has 2 lines, x.tgt has 3",
    ),
    "unknown-key": (
        {"x.yaml": b"model:\n  hiden_size: 3\n"},
        "good.tsv -c x.yaml",
        2,
        "x.yaml:2: model.hiden_size: unknown key; did you mean hidden_size?",
    ),
    "nan-vectors": (
        {"x.vec": b"apple " + b"nan " * 8},
        "good.tsv --embeddings x.vec",
        3,
        "x.vec:1: a number is not finite",
    ),
    "directory": ({"x.jsonl": b"{}"}, ".", 3, ".: holds no sub-folder that names a class, but files ("),
    "absent": ({}, "x.tsv", 3, "x.tsv: No such file or directory"),
    "broken-json": (
        {"x.jsonl": b'{"text": "a", "label": "b"}\n{"text"\n'},
        "x.jsonl",
        3,
        "x.jsonl:2: not valid JSON",
    ),
    "cut-gzip": (
        {"x.tsv": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b"},
        "x.tsv",
        3,
        "x.tsv: gzip data ends too early",
    ),
    "over-length": (
        {},
        "good.tsv --max-tokens 1 --over-length error",
        3,
        ": longer than --max-tokens; raise",
    ),
    "bad-number": ({"x.yaml": b"training: {learning_rate: fast}\n"}, "good.tsv -c x.yaml", 2, "x.yaml:1: "),
    "long-line": (
        {"x.tsv": b"a b\tx\n" + b"a b " * 40_000 + b"\ty\n"},
        "x.tsv",
        3,
        "x.tsv:2: longer than 65,536 tokens, the most that are read at once; break it up",
    ),
    "huge-target": (
        {"x.csv": b"a,b,label\n1,2,3\n2,4,1e308\n"},
        "x.csv --task regression --label-col label",
        3,
        "x.csv:3: the target 1e308 is too large to compute with",
    ),
    "huge-feature": (
        {"x.csv": b"a,b,label\n1,2,x\n2,-1e39,y\n"},
        "x.csv --label-col label",
        3,
        "x.csv:3: holds a number too large to compute with",
    ),
    "deep-json": (
        {"x.jsonl": b'{"text": "a", "label": "b"}\n{"text": ' + b"[" * 980 + b"]" * 980 + b"}\n"},
        "x.jsonl",
        3,
        "x.jsonl:2: not valid JSON: lists and objects are nested more than 100 deep",
    ),
    "no-such-column": ({}, "good.tsv --label-col 5", 3, "good.tsv:1: no column 5"),
}


@pytest.mark.parametrize(("files", "args", "code", "words"), CASES.values(), ids=CASES)
def test_a_bad_file_is_one_line(folder, train, files, args, code, words) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    exit_code, stdout, stderr = train(*args.split(), "-o", "run", "--steps", "2")
    assert (exit_code, stdout, stderr.count("\n")) == (code, "", 1), stderr
    assert stderr.startswith("seqrnn: error: ")
    assert words in stderr
    assert "; " in stderr or "must be" in stderr  # and what to do
    assert not (folder / "run").exists()
