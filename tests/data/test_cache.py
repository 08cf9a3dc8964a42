"""The cache of prepared data among processes that build, read, sweep and die at the same time."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seqrnn.data.dataset import cache
from seqrnn.data.dataset.cache_entries import sweep
from seqrnn.errors import OutputError, UsageError

USER = """
import os, sys, time
from pathlib import Path
from seqrnn.data.dataset.cache import cached
key, folder, waits = sys.argv[1], Path(sys.argv[2]), set(sys.argv[3:])

def wait_in(place):
    if place in waits:
        (folder / f"{key}.{place}").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)

def build(directory):
    with open(folder / "built", "a") as log:
        log.write(f"{key}\\n")
    (directory / "half").write_text(key)
    wait_in("build")
    (directory / "whole").write_text(key * 100)

def read(directory):
    return (directory / "half").read_text(), (directory / "whole").read_text(), directory

half, whole, directory = (found := cached(key, build, read))[0]
wait_in("read")
assert (half, whole) == (key, key * 100), (half, whole)
assert directory.parent != Path(os.environ["SEQRNN_CACHE"]) or (directory / "whole").exists()
print(directory.parent)
"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEQRNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def start(tmp_path: Path, root: Path) -> Iterator[Start]:
    """Starts a process that uses an entry and waits in `build` or `read` until there is a file `go`."""
    program = tmp_path / "user.py"
    program.write_text(USER)
    children = []

    def popen(key: str, *waits: str, size: str = "0") -> subprocess.Popen[str]:
        command = [sys.executable, str(program), key, str(tmp_path), *waits]
        env = {**os.environ, "SEQRNN_CACHE_SIZE": size}
        child = subprocess.Popen(command, env=env, text=True, stdout=-1, stderr=-1)
        children.append(child)
        marks = [tmp_path / f"{key}.{place}" for place in waits]
        until(lambda: all(mark.exists() for mark in marks) or child.poll() is not None)
        return child

    yield popen
    for child in children:
        child.kill()
        child.communicate()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ended_well(child: subprocess.Popen[str]) -> str:
    stdout, stderr = child.communicate(timeout=30)
    assert (child.returncode, stderr) == (0, "")
    return stdout.strip()


def kill(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if not path.name.endswith(".lock"))


def use(key: str, size: int = 1) -> Path:
    """Use an entry in this process, for a moment."""
    found, _ = cache.cached(key, lambda d: (d / "data").write_bytes(b"x" * size) and None, _read)
    return found


def _read(directory: Path) -> Path:
    assert (directory / "data").read_bytes()
    return directory


@pytest.mark.parametrize("where", ["build", "read"])
def test_an_entry_is_kept_while_a_process_builds_or_reads_it(
    where: str, start: Start, root, tmp_path
) -> None:
    long = start("long", where)
    others = [start(f"short{number}") for number in range(12)]  # each removes all that nobody uses
    assert {ended_well(child) for child in others} == {str(root)}
    assert [name for name in names(root) if "long" in name] != []
    (tmp_path / "go").touch()
    assert ended_well(long) == str(root)
    assert (tmp_path / "built").read_text().count("long") == 1


def test_one_of_many_processes_builds_what_all_need(start: Start, root: Path, tmp_path: Path) -> None:
    first = start("same", "build", size="1G")
    others = [start("same", size="1G") for _ in range(8)]
    (tmp_path / "go").touch()
    assert {ended_well(child) for child in [first, *others]} == {str(root)}
    assert (tmp_path / "built").read_text() == "same\n"


@pytest.mark.parametrize("where", ["build", "read"])
def test_the_death_of_a_process_frees_its_entry(where: str, start: Start, root: Path, tmp_path: Path) -> None:
    kill(start("dead", where))
    sweep(root, 0)
    assert list(root.iterdir()) == []


def test_what_a_killed_process_left_half_built_is_built_anew(start: Start, root: Path, tmp_path) -> None:
    kill(start("dead", "build"))
    assert names(root) == ["columns-dead.building"]
    assert ended_well(start("dead")) == str(root)
    assert names(root) == ["columns-dead"]


def test_a_process_that_was_stopped_is_not_waited_for_for_ever(start: Start, root, monkeypatch) -> None:
    monkeypatch.setattr(cache, "PATIENCE", 0.3)
    start("same", "build").send_signal(signal.SIGSTOP)
    assert use("same").parent != root


def test_an_entry_that_is_damaged_while_another_process_reads_it_is_left_alone(start: Start, root) -> None:
    start("same", "read")
    (root / "columns-same" / "whole").unlink()
    assert use("same").parent != root
    assert names(root) == ["columns-same"]


def test_entries_go_by_their_size_and_last_use(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "foreign").mkdir(parents=True)
    monkeypatch.setenv("SEQRNN_CACHE_SIZE", "1M")
    for number in range(30):
        use(f"small{number}", 1000)
    for age, key in enumerate(["small3", "small5"]):
        os.utime(root / f"columns-{key}", (0, 1e9 - age))
    use("small5", 1000)  # again
    use("large", 980_000)
    left = names(root)
    assert {"columns-small5", "columns-large", "foreign"} <= set(left)
    assert "columns-small3" not in left
    use("larger than the limit", 2**21)
    assert names(root) == ["columns-larger than the limit", "foreign"]


def test_a_size_that_is_none_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQRNN_CACHE_SIZE", "ten")
    with pytest.raises(UsageError, match="SEQRNN_CACHE_SIZE=ten: is no size; write 500M or 10G"):
        use("any")


def test_a_file_system_without_locks_is_done_without(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert use("any").parent != root
    assert names(root) == []


def test_a_full_cache_is_emptied_of_what_nobody_uses(root: Path) -> None:
    use("old")
    tries: list[Path] = []

    def build(directory: Path) -> None:
        tries.append(directory)
        if (root / "columns-old").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        (directory / "data").write_text("x")

    place, _ = cache.cached("new", build, _read)
    assert (place, len(tries)) == (root / "columns-new", 2)


def test_where_the_cache_is_full_a_temporary_directory_serves(root: Path) -> None:
    def build(directory: Path) -> None:
        if directory.parent == root:
            raise OSError(errno.ENOSPC, "No space left on device")
        (directory / "data").write_text("x")

    place, lock = cache.cached("new", build, _read)
    assert (place.parent != root, lock) == (True, None)
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "raised"), [(ValueError("bad data"), ValueError), (OSError(errno.EIO, "EIO"), OutputError)]
)
def test_a_build_that_fails_leaves_nothing(error: Exception, raised: type[Exception], root: Path) -> None:
    def build(directory: Path) -> None:
        (directory / "data").touch()
        raise error

    with pytest.raises(raised):
        cache.cached("new", build, _read)
    assert list(root.iterdir()) == []
