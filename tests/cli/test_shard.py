"""`--shard I/N`: the outputs of all parts, one after the other, are that of one process, to the byte."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seqrnn.cli.shard import Shard
from seqrnn.errors import UsageError

SAMPLES = Path(__file__).parents[2] / "sample_data"
TINY = ("--steps", "3", "--hidden-size", "8", "--threads", "1", "-q")
TRAINED = {
    "mails": ("mails.train.tsv",),
    "dates": ("dates.train.tsv",),
    "sightings": ("sightings.train.conll",),
    "boats": ("boats.train.csv",),
    "strokes": ("strokes.train.jsonl",),
    "waves": ("waves.csv",),
}
ROWS = 2100  # three blocks
TWO_BLOCKS = 1100

Program = Callable[..., object]


def repeated(text: str, header: int, rows: int = TWO_BLOCKS) -> str:
    lines = text.splitlines(keepends=True)
    body = lines[header:]
    return "".join([*lines[:header], *(body * (1 + rows // len(body)))[:rows]])


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder of files with some thousand rows each."""
    place = tmp_path_factory.mktemp("shards")
    for name, header in (("mails.test.tsv", 1), ("dates.test.tsv", 0), ("boats.test.csv", 1)):
        (place / name).write_text(repeated((SAMPLES / name).read_text(), header))
    (place / "strokes.test.jsonl").write_text(repeated((SAMPLES / "strokes.test.jsonl").read_text(), 0))
    (place / "sightings.test.conll").write_text((SAMPLES / "sightings.test.conll").read_text() * 9)
    mails = [
        line.split("\t")
        for line in repeated((SAMPLES / "mails.test.tsv").read_text(), 1, ROWS).splitlines()[1:]
    ]
    texts = [text for _, text in mails] if mails[0][0] in {"ham", "spam"} else [row[0] for row in mails]
    rows = [json.dumps({"text": text, "n": number}) for number, text in enumerate(texts)]
    (place / "list.json").write_text("[" + ",\n".join(rows) + "]")
    (place / "short.json").write_text("[" + ",\n".join(rows[:1500]) + "]")
    lines = "".join(f"{text}\n" for text in texts)
    (place / "lines").write_text("\ufeff" + lines.replace("\n", "\r\n") + "the last, without an end")
    fewer = "".join(f"{text}\n" for text in texts[:TWO_BLOCKS])
    (place / "utf16").write_bytes(fewer.encode("utf-16"))
    (place / "lines.gz").write_bytes(gzip.compress(fewer.encode()))
    (place / "labels.ft").write_text("".join(f"__label__x {text}\n" for text in texts[:TWO_BLOCKS]))
    (place / "few").write_text("one\ntwo\n")
    (place / "none").write_text("")
    steps = [f"{n % 50},{n // 50},{n % 7}.5,{'ab'[n % 2]}" for n in range(1000)]
    (place / "waves.csv").write_text("\n".join(["id,time,value,label", *sorted(steps), ""]))
    return place


@pytest.fixture(scope="module")
def run(place, forker, environment):
    """Run a command to its end, in the folder."""

    def run(*arguments: str, stdin: bytes = b"", code: int = 0):
        done = forker.run(arguments, stdin, environment, place)
        assert done.returncode == code, done.stderr.decode()
        return done

    for name, (data,) in TRAINED.items():
        path = SAMPLES / data if (SAMPLES / data).exists() else place / data
        run("train", str(path), "-o", name, *TINY)
    return run


def joined(run, *arguments: str, of: int = 2, stdin: bytes = b"") -> bytes:
    parts = [run(*arguments, "--shard", f"{number}/{of}", stdin=stdin) for number in range(1, of + 1)]
    return b"".join(part.stdout for part in parts)


CASES = [
    ("classify", "-m", "mails", "mails.test.tsv", "--probs"),
    ("classify", "-m", "mails", "list.json"),
    ("classify", "-m", "mails", "short.json"),
    ("classify", "-m", "mails", "lines", "--jsonl"),
    ("classify", "-m", "mails", "utf16", "--jsonl"),
    ("classify", "-m", "mails", "lines.gz", "--jsonl", "--threads", "1"),
    ("classify", "-m", "mails", "labels.ft", "--jsonl"),
    ("classify", "-m", "mails", "few", "--jsonl"),
    ("classify", "-m", "sightings", "sightings.test.conll", "--probs"),
    ("classify", "-m", "boats", "boats.test.csv", "--probs"),
    ("classify", "-m", "strokes", "strokes.test.jsonl"),
    ("classify", "-m", "waves", "waves.csv", "--jsonl"),
    ("generate", "-m", "dates", "dates.test.tsv", "--max-len", "4", "--beam-size", "2", "--jsonl"),
    ("generate", "-m", "dates", "dates.test.tsv", "--fixed-len", "3", "--sample"),
]


@pytest.mark.parametrize("command", CASES, ids=" ".join)
def test_the_parts_make_the_output_of_one_process(run, command):
    of = 3 if {"lines", "list.json"} & set(command) else 2
    assert joined(run, *command, of=of) == run(*command).stdout


def test_every_part_has_its_share_of_the_rows(run):
    parts = [run("classify", "-m", "mails", "lines", "--shard", f"{number}/3").stdout for number in (1, 2, 3)]
    assert [part.count(b"\n") for part in parts] == [1024, 1024, ROWS + 1 - 2048]


def test_standard_input_is_counted_first(run, place):
    lines = (place / "lines").read_bytes()
    command = ("classify", "-m", "mails", "--jsonl")
    assert joined(run, *command, stdin=lines) == run(*command, "lines").stdout


def test_rows_have_the_numbers_of_the_whole_file(run, place):
    lines = (place / "list.json").read_text()[1:-1].replace(",\n", "\n").splitlines()
    lines[2000] = '{"text": 1'
    (place / "broken.jsonl").write_text("\n".join(lines))
    done = run("classify", "-m", "mails", "broken.jsonl", "--shard", "2/2", "--strict", code=3)
    assert b"broken.jsonl:2001:" in done.stderr
    assert b"broken.jsonl" not in run("classify", "-m", "mails", "broken.jsonl", "--shard", "1/2").stderr


def test_what_comes_before_damage_is_answered_and_the_last_part_says_so(run, place):
    whole = (place / "lines.gz").read_bytes()
    (place / "cut.gz").write_bytes(whole[:-20])
    alone = run("classify", "-m", "mails", "cut.gz", "--jsonl", code=3)
    first = run("classify", "-m", "mails", "cut.gz", "--jsonl", "--shard", "1/2")
    last = run("classify", "-m", "mails", "cut.gz", "--jsonl", "--shard", "2/2", code=3)
    assert first.stdout + last.stdout == alone.stdout
    assert last.stderr == alone.stderr


def test_a_list_that_is_damaged_is_left_unfinished(run, place):
    text = (place / "list.json").read_text()
    (place / "cut.json").write_text(text[: len(text) * 3 // 4] + "}}}")
    alone = run("classify", "-m", "mails", "cut.json", code=3)
    parts = [
        run("classify", "-m", "mails", "cut.json", "--shard", f"{n}/2", code=3 * (n == 2)) for n in (1, 2)
    ]
    assert b"".join(part.stdout for part in parts) == alone.stdout


def test_parts_of_parquet_are_files_that_hold_the_rows_of_one(run, place):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = json.loads((place / "list.json").read_text())
    parquet.write_table(pyarrow.Table.from_pylist(rows), place / "rows.parquet", row_group_size=700)
    run("classify", "-m", "mails", "rows.parquet", "-o", "all.parquet")
    for number in range(1, 5):
        run("classify", "-m", "mails", "rows.parquet", "-o", f"{number}.parquet", "--shard", f"{number}/4")
    parts = [parquet.read_table(place / f"{number}.parquet") for number in range(1, 5)]
    assert [len(part) for part in parts] == [0, 1024, 1024, ROWS - 2048]
    assert pyarrow.concat_tables(parts).equals(parquet.read_table(place / "all.parquet"))


def test_series_go_together_unless_they_are_json(run):
    done = run("classify", "-m", "waves", "waves.csv", "--shard", "1/2", code=2)
    assert b"--shard: " in done.stderr
    assert b"add --jsonl" in done.stderr


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "a/b", "-1/2", "1/0", "1/99999999", "1/2/3"])
def test_what_is_no_part_is_a_usage_error(text):
    with pytest.raises(UsageError, match=f"^--shard {text}: is no part; write 2/4"):
        Shard.parse(text)


def test_parts_of_any_number_of_rows_hold_each_row_once():
    for rows in (0, 1, 1023, 1024, 1025, 5000, 100_000):
        for of in (1, 2, 3, 7, 200):
            pieces = [Shard(number, of).piece(rows) for number in range(1, of + 1)]
            assert [piece.start for piece in pieces[1:]] == [piece.stop for piece in pieces[:-1]]
            assert (pieces[0].start, pieces[-1].stop) == (0, None)
            assert [piece.rows_follow for piece in pieces[:-1]] == [
                piece.stop < rows for piece in pieces[:-1]
            ]


def test_a_missing_file_fails_in_every_part(run):
    for number in (1, 2):
        done = run("classify", "-m", "mails", "gone.tsv", "--shard", f"{number}/2", code=3)
        assert b"gone.tsv: No such file" in done.stderr
