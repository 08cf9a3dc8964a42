"""`evaluate --shard` and `--merge`: the figures of several processes are those of one, to the last bit."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "sample_data"
TINY = ("--steps", "3", "--hidden-size", "8", "--threads", "1", "-q")
OF = 3


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("parts")
    for name in ("mails.train.tsv", "mails.test.tsv"):
        shutil.copy(SAMPLES / name, place / name)
    return place


@pytest.fixture(scope="module")
def run(place, forker, environment):
    """Run a command to its end, in the folder."""

    def run(*arguments: str, code: int = 0, stdin: bytes = b""):
        done = forker.run(arguments, stdin, environment, place)
        assert done.returncode == code, done.stderr.decode()
        return done

    return run


@pytest.fixture(scope="module")
def mails(run, place) -> Path:
    """The parts of an evaluation of a classifier."""
    run("train", "mails.train.tsv", "-o", "R", *TINY)
    for number in range(1, OF + 1):
        run("evaluate", "-m", "R", "mails.test.tsv", "--shard", f"{number}/{OF}", "-o", f"part-{number}")
    return place


@pytest.mark.parametrize(
    ("data", "test", "more"),
    [
        ("dates.train.tsv", "dates.test.tsv", ("--beam-size", "2", "--length-penalty", "0.5")),
        ("sightings.train.conll", "sightings.test.conll", ("--min-probability", "0.3")),
        ("adding.train.npz", "adding.test.npz", ()),
        ("rounds.train.jsonl", "rounds.test.jsonl", ()),
        ("colours.train.tsv", "colours.test.tsv", ()),
    ],
)
def test_the_figures_are_those_of_one_process(run, tmp_path, data, test, more):
    command = ("evaluate", "-m", str(tmp_path / "R"), str(SAMPLES / test), *more)
    run("train", str(SAMPLES / data), "-o", str(tmp_path / "R"), *TINY)
    for number in (1, 2):
        run(*command, "--shard", f"{number}/2", "-o", str(tmp_path / f"part-{number}"))
    found, alone = run(*command, "--merge", str(tmp_path / "part-*")), run(*command)
    assert (found.stdout, found.stderr) == (alone.stdout, alone.stderr)


def test_lines_of_a_text_are_scored_in_parts_but_the_text_is_read_as_one(run, place):
    run("train", str(SAMPLES / "lighthouse.txt"), "-o", "T", *TINY)
    text = (SAMPLES / "lighthouse.txt").read_bytes() * 3
    command = ("evaluate", "-m", "T", "--per-line", "--json")
    parts = [run(*command, "--shard", f"{n}/2", stdin=text).stdout for n in (1, 2)]
    assert b"".join(parts) == run(*command, stdin=text).stdout
    told = run("evaluate", "-m", "T", str(SAMPLES / "lighthouse.txt"), "--shard", "1/2", "-o", "x", code=2)
    assert b"--shard: a text is read from its beginning to its end" in told.stderr


def test_standard_input_is_evaluated_in_parts(run, mails, place):
    text = (mails / "mails.test.tsv").read_bytes()
    command = ("evaluate", "-m", "R", "--format", "tsv")
    for number in (1, 2):
        (place / f"stdin-{number}").write_bytes(run(*command, "--shard", f"{number}/2", stdin=text).stdout)
    merged = run(*command, "--merge", "stdin-?", "--json", stdin=text)
    assert merged.stdout == run("evaluate", "-m", "R", "mails.test.tsv", "--json").stdout


def broken(mails: Path, change) -> None:
    content = bytearray((mails / "part-2").read_bytes())
    (mails / "bad").write_bytes(change(content))


def rewritten(mails: Path, change) -> None:
    with zipfile.ZipFile(mails / "part-2") as old, zipfile.ZipFile(mails / "bad", "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)


def flipped(content: bytearray) -> bytearray:
    content[len(content) // 2] ^= 1
    return content


DAMAGE = {
    "cut": lambda mails: broken(mails, lambda content: content[:-100]),
    "a bit": lambda mails: broken(mails, flipped),
    "text": lambda mails: (mails / "bad").write_text("text"),
    "nothing": lambda mails: (mails / "bad").write_text(""),
    "about nothing": lambda mails: rewritten(mails, lambda name, c: None if name == "part.json" else c),
    "about something else": lambda mails: rewritten(
        mails, lambda name, c: b"{}" if name == "part.json" else c
    ),
    "a batch less": lambda mails: rewritten(mails, lambda name, c: None if name.startswith("0/") else c),
    "a number less": lambda mails: rewritten(mails, lambda name, c: c[:-1] if "values" in name else c),
    "a huge array": lambda mails: rewritten(mails, lambda name, c: c.replace(b"(", b"(9999", 1)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_with_the_file(run, mails, damage):
    DAMAGE[damage](mails)
    names = [option for name in ("part-1", "bad", "part-3") for option in ("--merge", name)]
    done = run("evaluate", "-m", "R", "mails.test.tsv", *names, code=3)
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"seqrnn: error: bad: " if damage != "a batch less" else b"seqrnn: error: ")
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("parts", "options", "told"),
    [
        (("part-1", "part-3"), (), b"part-1: part 2 of 3 is missing"),
        (("part-1", "part-1"), (), b"part-1: is part 1 as part-1 is; give each part once"),
        (("part-*",), ("--format", "tsv"), b"other data"),
        (("gone",), (), b"gone: No such file"),
        (("gone-*",), (), b"gone-*: no file matches"),
    ],
)
def test_parts_that_do_not_go_together_are_told(run, mails, parts, options, told):
    data = "mails.train.tsv" if options else "mails.test.tsv"
    names = [option for name in parts for option in ("--merge", name)]
    done = run("evaluate", "-m", "R", data, *options, *names, code=3)
    assert told in done.stderr
    assert done.stdout == b""


def test_a_part_of_another_model_is_told(run, mails):
    run("train", "mails.train.tsv", "-o", "other", *TINY, "--seed", "5")
    done = run("evaluate", "-m", "other", "mails.test.tsv", "--merge", "part-*", code=3)
    assert b"part-1: is of another model" in done.stderr
