"""Texts in blocks of lines, by one process or several: the same columns as from single records."""

from __future__ import annotations

import gzip
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrnn.config import DataConfig
from seqrnn.data.dataset import line_blocks, line_preparation, processes
from seqrnn.data.dataset.building import Building
from seqrnn.data.dataset.coders import CoderProcesses
from seqrnn.data.dataset.line_blocks import read_blocks, utf8_lines
from seqrnn.data.dataset.line_coder import LineJob
from seqrnn.data.dataset.line_preparation import LineSource
from seqrnn.data.dataset.prepare import prepare
from seqrnn.data.dataset.progress import Pass, Preparing, Progress
from seqrnn.data.fields.field import TextField
from seqrnn.data.limits import LONGEST
from seqrnn.data.lines import read_lines
from seqrnn.data.text.tokenizer import TokenizerSettings
from seqrnn.errors import DataError, MemoryLimit

PIECES = [
    "(it's) ",
    "a.b, ",
    "\u00b4x ",
    "the ",
    "cat",
    "été ",
    "e\u0301 ",
    " ",
    "\t",
    "Σας ",
    "猫",
    "\x1c",
    "\x00 ",
    "\x85",
    "<unk> ",
    "\ufeff",
]
random.seed(5)
LINES = ["".join(random.choices(PIECES, k=random.randint(0, 9))) for _ in range(300)]
PLAIN = "\n".join(LINES).encode()
FILES = {
    "plain": PLAIN + b"\n",
    "open": PLAIN + b"\r",
    "crlf": b"\xef\xbb\xbf" + PLAIN.replace(b"\n", b"\r\n"),
    "gzip": gzip.compress(PLAIN) + gzip.compress(b"more\nlines\n"),
    "wrong": PLAIN.replace(b"cat", b"c\xfft\xc3"),
}


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQRNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(line_preparation, "BLOCK", 700)


def columns(paths, by_records=False, threads=1, tell=lambda _: None, **settings):
    """Prepare, and return all that there is to compare."""
    data = DataConfig(train=paths, **settings)
    field = TextField("text", TokenizerSettings.of(data), stream=data.format == "text")
    with pytest.MonkeyPatch.context() as patch:
        if by_records:
            patch.setattr(LineSource, "of", lambda *_: None)
        prepared = prepare(data, [field], 7, threads, tell)
    parts = [part["text"] for part in (prepared.train, prepared.valid) if part]
    arrays = [array.tolist() for part in parts for array in (part.values, part.offsets)]
    return arrays, field.to_json(), prepared.report


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("format", ["text", "lines"])
@pytest.mark.parametrize(
    "settings",
    [
        {"tokenizer": "word"},
        {"tokenizer": "char", "lowercase": True, "unicode_form": "nfc"},
        {"tokenizer": "byte", "holdout": "sources", "valid_fraction": 0.3},
        {"tokenizer": "word", "max_tokens": 2, "over_length": "skip", "min_count": 2},
        {"tokenizer": "char", "max_tokens": 4, "valid_fraction": 0.0},
        {"tokenizer": "word", "pretokenized": "no", "lowercase": True, "unicode_form": "nfkc"},
    ],
)
def test_blocks_become_the_columns_that_records_become(tmp_path, monkeypatch, file, format, settings) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(FILES[file])
    settings = {"format": format, "encoding_errors": "replace", **settings}
    found = columns((str(path), str(path)), **settings)
    monkeypatch.setenv("SEQRNN_CACHE", str(tmp_path / "other"))
    assert found == columns((str(path), str(path)), by_records=True, **settings)


@pytest.mark.parametrize(
    "settings",
    [{"format": "text"}, {"format": "lines", "tokenizer": "bpe"}, {"format": "text", "pretokenized": "no"}],
)
def test_several_processes_do_the_same_in_order(tmp_path, monkeypatch, settings) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(FILES["crlf"])
    settings = {"tokenizer": "word", "vocabulary_size": 300, **settings}
    found = columns((str(path),), **settings)
    monkeypatch.setenv("SEQRNN_CACHE", str(tmp_path / "other"))
    monkeypatch.setattr(processes, "WORTH_PROCESSES", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    events: list[Preparing] = []
    monkeypatch.setattr("seqrnn.data.dataset.progress.INTERVAL", 0)
    assert found == columns((str(path),), threads=2, tell=events.append, **settings)
    fractions = [event.fraction for event in events]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {event.what for event in events} == {"reading", "measuring", "learning", "encoding"}


def test_what_is_wrong_in_another_process_is_told_with_its_location(tmp_path) -> None:
    job = LineJob(TokenizerSettings("word"), True, True, "strict", "truncate")
    calls = [("a.txt", 10, b"good\n"), ("a.txt", 11, b"good\nb\xffd\n"), ("a.txt", 13, b"\xfe\n")] * 3
    with CoderProcesses(job, 2) as working, pytest.raises(DataError, match=r"a\.txt:13:2: not UTF-8"):
        list(working.each("measure", calls))
    assert [process._process.poll() for process in working._processes] == [-9, -9]


def test_a_process_that_was_killed_is_told(tmp_path) -> None:
    job = LineJob(TokenizerSettings("word"), True, True, "strict", "truncate")
    with CoderProcesses(job, 2) as working:
        calls = (("a.txt", line, b"line\n") for line in range(9))
        results = working.each("measure", calls)
        assert next(results) == 1
        for process in working._processes:
            process._process.kill()
        with pytest.raises(MemoryLimit, match=r"was ended \(signal 9\).*`training.threads=1`"):
            list(working.each("measure", [("a.txt", 0, b"line\n")] * 9))


@pytest.mark.parametrize("over_length", ["truncate", "skip", "error"])
def test_a_line_of_more_tokens_than_are_read_at_once_is_told_with_its_location(tmp_path, over_length) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a b\n\n" + b"a " * (LONGEST + 1) + b"\nb\n")
    settings = {"format": "lines", "over_length": over_length, "valid_fraction": 0.0}
    with pytest.raises(DataError, match=r"a\.txt:3: longer than 65,536 tokens"):
        columns((str(path),), **settings)
    assert sum(columns((str(path),), max_tokens=10, **{**settings, "over_length": "skip"})[0][0]) > 0


def test_files_below_some_size_start_no_process(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    path = tmp_path / "a.txt"
    path.write_bytes(FILES["plain"])
    columns((str(path),), threads=None, format="text")


@given(
    content=st.lists(st.sampled_from([b"\n", b"\r\n", b"\r", b"ab", b"\xc3\xa9", b"\xff", b"\xef\xbb\xbf"]))
)
def test_the_lines_of_blocks_are_those_of_a_file(tmp_path_factory, content) -> None:
    path = str(tmp_path_factory.mktemp("blocks") / "a.txt")
    Path(path).write_bytes(b"".join(content))
    decoded = [utf8_lines(block, "replace") for block in read_blocks(path, "replace", 5)]
    lines = list(read_lines(path, "replace"))
    assert b"".join(found for found, _ in decoded).decode() == "".join(f"{line.text}\n" for line in lines)
    assert sum(replaced for _, replaced in decoded) == sum(line.replaced for line in lines)


@pytest.mark.parametrize("ending", [b"", b"\n", b"\nb\n"])
def test_a_line_that_is_too_long_is_told_or_empty(tmp_path, monkeypatch, ending) -> None:
    monkeypatch.setattr(line_blocks, "LINE_LIMIT", 3 << 20)
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n" + b"x" * (3 << 20) + b"y" + ending)
    with pytest.raises(DataError, match=r"a\.txt:2: a line of over 16 MiB"):
        list(read_blocks(str(path), "strict", 1 << 20))
    blocks = read_blocks(str(path), "replace", 1 << 20)
    found = b"".join(utf8_lines(block, "replace")[0] for block in blocks)
    assert found == (b"a\n\nb\n" if b"b" in ending else b"a\n\n")


def test_the_files_are_parsed_once_to_learn_and_once_to_encode(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("".join(f"text {number}\t{'ab'[number % 2]}\n" for number in range(2000)))
    passes: list[int] = []
    progress = Progress()
    monkeypatch.setattr(Progress, "taken", lambda self, size: passes.append(size))
    from seqrnn.data.dataset.references import ReferencesField
    from seqrnn.data.fields.field import LabelField
    from seqrnn.data.source import Source

    data = DataConfig(train=(str(path),), format="tsv")
    fields = [
        TextField("source", TokenizerSettings("word")),
        LabelField("label", False),
        ReferencesField("all"),
    ]
    building = Building(Source.training(data), None, fields, data, 1, None, progress)
    building.build(tmp_path)
    assert sum(passes) == 2 * path.stat().st_size


def test_time_left_is_that_of_all_passes(monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    events: list[Preparing] = []
    progress = Progress(events.append)
    progress.plan([Pass("reading", 100, 1), Pass("measuring", 100, 1), Pass("encoding", 100, 2)])
    progress.begin("encoding")
    now[0] = 106.0
    progress.taken(50)
    assert events == [Preparing("encoding", 50, 100, 6.0, 0.75, pytest.approx(2.0))]


MEASURED = """
import sys
from pathlib import Path
from seqrnn.config import DataConfig
from seqrnn.data.fields.field import TextField
from seqrnn.data.dataset.prepare import prepare
from seqrnn.data.text.tokenizer import TokenizerSettings
data = DataConfig(train=(sys.argv[1],), format="text", tokenizer="char")
prepare(data, [TextField("text", TokenizerSettings.of(data), stream=True)], 1, threads=1)
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
assert "torch" not in sys.modules
"""


def test_memory_does_not_grow_with_the_file(tmp_path) -> None:
    most = []
    for megabytes in (3, 30):
        path = tmp_path / "a.txt"
        path.write_bytes(b"so many words stand in a line\n" * (megabytes * 1_000_000 // 30))
        done = subprocess.run([sys.executable, "-c", MEASURED, path], capture_output=True, check=True)
        most.append(int(done.stdout) / 1024)
    assert most[1] - most[0] < 8  # MiB; the file is 27 MB larger, its columns 62


LIMITED = """
import os, sys
from seqrnn.data.dataset import line_preparation, processes
os.sched_getaffinity = lambda _: {0, 1}
processes.WORTH_PROCESSES, line_preparation.BLOCK = 0, int(sys.argv.pop(1))
from seqrnn.__main__ import main
main()
"""


def start(tmp_path: Path, block: int, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", LIMITED, str(block), "train", "a.txt", "--format", "text", *arguments]
    return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def preparing(tmp_path):
    """A command that is preparing data, and the two processes that do so."""
    (tmp_path / "a.txt").write_bytes(b"some words in a line\n" * 100_000)
    command = start(tmp_path, 100, "-o", "run")  # such small blocks take long
    while len(found := children(command.pid)) < 2:
        assert command.poll() is None, command.stderr.read()
        time.sleep(0.01)
    yield command, found
    command.kill()
    command.wait()
    command.stderr.close()


def have_ended(processes: list[int]) -> bool:
    """Wait for processes that read the end of their input."""
    until = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in processes) and time.monotonic() < until:
        time.sleep(0.01)
    return not any(Path(f"/proc/{pid}").exists() for pid in processes)


def test_an_interruption_ends_the_preparation_and_its_processes(preparing, tmp_path) -> None:
    command, found = preparing
    command.send_signal(signal.SIGINT)
    assert command.wait(60) == 130
    assert command.stderr.read() == b""
    assert have_ended(found)
    assert not list((tmp_path / "cache").glob("*"))


def test_processes_end_where_the_command_is_killed(preparing) -> None:
    command, found = preparing
    command.kill()
    assert have_ended(found)


def test_a_process_that_is_killed_ends_the_command_with_one_line(preparing, tmp_path) -> None:
    command, found = preparing
    os.kill(found[0], signal.SIGKILL)
    assert command.wait(60) == MemoryLimit.exit_code
    (line,) = command.stderr.read().decode().splitlines()
    assert line.startswith("seqrnn: error: a process that prepared the data was ended (signal 9)")
    assert have_ended(found)
    assert not (tmp_path / "run").exists()
