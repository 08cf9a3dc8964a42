from __future__ import annotations

import copy
import gzip
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seqrnn.data.encodings import BINARY, LONGEST_MARK, wide_encoding
from seqrnn.data.lines import (
    GZIP_MAGIC,
    LINE_LIMIT,
    CopiedPath,
    Line,
    file_name,
    read_line_groups,
    read_lines,
)
from seqrnn.errors import DataError


@pytest.fixture
def texts(tmp_path: Path):
    """A function: bytes of a file -> the texts of its lines."""

    def read(content: bytes, errors: str = "strict") -> list[str]:
        path = tmp_path / "file"
        path.write_bytes(content)
        return [line.text for line in read_lines(str(path), errors)]

    return read


def test_lines_are_numbered_from_one(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text("a\nb\n")
    assert list(read_lines(str(path), "strict")) == [Line(1, "a", 0, None), Line(2, "b", 0, None)]


def test_an_empty_file_has_no_lines_and_a_newline_is_one_blank_line(texts):
    assert texts(b"") == []
    assert texts(b"\n") == [""]


@pytest.mark.parametrize("content", [b"a\nb", b"a\r\nb\r", b"a\n\nb", b"\xef\xbb\xbfa", "é".encode()])
def test_a_missing_final_newline_changes_nothing(texts, content: bytes):
    assert texts(content) == texts(content + b"\n")


def test_one_trailing_carriage_return_is_stripped(texts):
    assert texts(b"a\r\nb\r\r\nc\r") == ["a", "b\r", "c"]


def test_a_lone_carriage_return_is_data(texts):
    assert texts(b"a\rb\n\rc\n") == ["a\rb", "\rc"]


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\v", "\f", "\x1c", "\0", "\ufeff"])
def test_only_a_newline_ends_a_line(texts, character: str):
    assert texts(f"a{character}b\nc\n".encode()) == [f"a{character}b", "c"]


def test_a_byte_order_mark_is_stripped_at_byte_0_only(texts):
    mark = b"\xef\xbb\xbf"
    assert texts(mark + mark + b"a\n" + mark + b"b\n") == ["\ufeffa", "\ufeffb"]


@given(st.binary(max_size=300), st.lists(st.integers(1, 9), min_size=1, max_size=50))
def test_it_does_not_matter_where_the_chunks_end(content: bytes, sizes: list[int]):
    content = content.replace(b"0", b"\n").replace(b"1", b"\r")
    assume(not content.startswith((GZIP_MAGIC, b"\xff\xfe", b"\xfe\xff", *BINARY)))
    assume(wide_encoding(content[:LONGEST_MARK]) is None and wide_encoding(content) is None)
    reader, writer = os.pipe()
    os.write(writer, content)
    os.close(writer)
    with pytest.MonkeyPatch.context() as patch:
        remaining = iter(sizes)
        read = os.read
        patch.setattr(os, "read", lambda fd, size: read(fd, next(remaining, size)))
        found = [line.text for line in read_lines(f"/dev/fd/{reader}", "replace")]
    os.close(reader)
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")
    whole = content.removeprefix(b"\xef\xbb\xbf").decode(errors="replace").split("\n")
    if whole[-1] == "" and not content.endswith(b"\xef\xbb\xbf"):
        whole.pop()
    assert found == [text.removesuffix("\r") for text in whole]


def test_a_byte_that_is_not_utf8_is_an_error_with_its_location(texts, tmp_path: Path):
    with pytest.raises(DataError) as error:
        texts(b"fine\nab\xffc\n")
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'file'}:2:3: not UTF-8")
    assert "; try `data.encoding=cp1252` (abÿc) or " in message
    assert message.endswith(", or convert the file to UTF-8")


def test_bytes_that_are_not_utf8_are_replaced_and_counted_one_by_one(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"fine\nab\xffc\xe2\x82\nnext \xef\xbf\xbd\n")  # a stray byte, a cut-off euro sign
    lines = list(read_lines(str(path), "replace"))
    assert [line.text for line in lines] == ["fine", "ab\ufffdc\ufffd", "next \ufffd"]
    assert [line.replaced for line in lines] == [0, 3, 0]


def test_a_line_over_the_limit_is_an_error_with_its_location(texts):
    with pytest.raises(DataError, match=r"file:2: a line of over 16 MiB"):
        texts(b"a\n" + b"x" * (LINE_LIMIT + 1) + b"\nb\n")


def test_a_line_at_the_limit_is_kept(texts):
    assert [len(text) for text in texts(b"a\n" + b"x" * LINE_LIMIT + b"\nb\n")] == [1, LINE_LIMIT, 1]


@pytest.mark.parametrize("ending", [b"", b"\n", b"\nb\nc"])
def test_a_line_over_the_limit_can_be_passed_over_and_the_next_is_aligned(tmp_path: Path, ending: bytes):
    path = tmp_path / "file"
    path.write_bytes(b"a\n" + b"x" * (LINE_LIMIT + 1) + ending)
    lines = list(read_lines(str(path), "replace"))
    after = [Line(3, "b", 0, None), Line(4, "c", 0, None)] if b"b" in ending else []
    assert lines == [Line(1, "a"), Line(2, "", 0, "the line is longer than 16 MiB"), *after]


def test_a_line_over_the_limit_is_an_error_before_its_end_is_read(tmp_path: Path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=_write_endlessly, args=(fifo,))
    writer.start()
    with pytest.raises(DataError, match=r":1: a line of over 16 MiB"):
        list(read_lines(str(fifo), "strict"))
    writer.join(timeout=10)
    assert not writer.is_alive()


def _write_endlessly(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        while True:
            os.write(descriptor, b"x" * 65536)
    except BrokenPipeError:
        os.close(descriptor)


def test_memory_stays_bounded_however_long_a_line_is():
    code = (
        "import resource, tracemalloc\n"
        "from seqrnn.data.lines import read_lines\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "texts = [line.text for line in read_lines('-', 'replace')]\n"
        "print(texts, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1) as process:
        for _ in range(200):
            process.stdin.write(b"x" * (1 << 20))
        answer, _ = process.communicate(b"\nnext\n")
    texts, megabytes = answer.decode().rsplit(maxsplit=1)
    assert texts == "['', 'next']"
    assert int(megabytes) < 64


def test_a_slow_producer_gets_each_line_at_once(tmp_path: Path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    descriptor = os.open(fifo, os.O_RDWR)  # so that neither side waits for the other to open
    groups = read_line_groups(str(fifo), "strict")
    for text in ["one", "two", "three"]:
        os.write(descriptor, f"{text}\nunfinished ".encode())
        assert [line.text.removeprefix("unfinished ") for line in next(groups)] == [text]
    groups.close()
    os.close(descriptor)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_an_empty_group_says_that_the_next_one_is_to_be_waited_for(tmp_path: Path, compress):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    descriptor = os.open(fifo, os.O_RDWR)
    groups = read_line_groups(str(fifo), "strict")
    for text in ["one", "two"]:
        os.write(descriptor, compress(f"{text}\n".encode()))
        assert [line.text for line in next(groups)] == [text]
        assert next(groups) == []
    groups.close()
    os.close(descriptor)


def test_a_process_may_have_very_many_files_open(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text("line\n")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, before[1]), before[1]))
    others = [os.open(path, os.O_RDONLY) for _ in range(1100)]
    try:
        assert [line.text for line in read_lines(str(path), "strict")] == ["line"]
    finally:
        for descriptor in others:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_fast_producer_gives_big_groups(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"line\n" * 10_000)
    assert len(list(read_line_groups(str(path), "strict"))) == 1


def test_gzip_is_recognised_by_its_first_bytes(texts):
    assert texts(gzip.compress(b"a\nb\n")) == ["a", "b"]


def test_gzip_members_that_follow_each_other_are_one_file(texts):
    members = gzip.compress(b"a\nb") + gzip.compress(b"") + gzip.compress(b"c\n") + b"\0" * 512
    assert texts(members) == ["a", "bc"]


def test_gzip_that_inflates_a_thousandfold_is_read_whole(texts):
    content = b"y" * 999 + b"\n"
    assert texts(gzip.compress(content * 5_000)) == ["y" * 999] * 5_000


def test_gzip_is_recognised_and_inflated_byte_by_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(b"a\n") + gzip.compress(b"b\n") + b"\0\0")
    read = os.read
    monkeypatch.setattr(os, "read", lambda fd, size: read(fd, 1))
    assert [line.text for line in read_lines(str(path), "strict")] == ["a", "b"]


@pytest.mark.parametrize("cut", [1, 9, 20])
def test_truncated_gzip_is_an_error(texts, cut: int):
    content = gzip.compress(os.urandom(1000).hex().encode())
    with pytest.raises(DataError, match=r"file: gzip data ends too early"):
        texts(content[:-cut])


def test_damaged_gzip_is_an_error(texts):
    content = bytearray(gzip.compress(b"a\nb\n" * 100))
    content[-6] ^= 1  # in the checksum
    with pytest.raises(DataError, match=r"file: damaged gzip data"):
        texts(bytes(content))


def test_a_file_of_one_gzip_like_byte_is_not_gzip(texts):
    assert texts(b"\x1f") == ["\x1f"]


@pytest.mark.parametrize("content", [b"a\nb\n", gzip.compress(b"a\nb\n", mtime=0)], ids=["plain", "gzip"])
@pytest.mark.parametrize("path", ["None", "'-'"])
def test_stdin_is_read_where_no_file_is_named(content: bytes, path: str):
    code = (
        "from seqrnn.data.lines import read_lines\n"
        f"print([line.text for line in read_lines({path}, 'strict')])"
    )
    run = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=True)
    assert run.stdout == b"['a', 'b']\n"


def test_a_missing_file_is_an_error_with_path_and_reason(tmp_path: Path):
    with pytest.raises(DataError, match=r"absent: No such file or directory; "):
        list(read_lines(str(tmp_path / "absent"), "strict"))


def test_a_directory_is_an_error_with_path_and_reason(tmp_path: Path):
    with pytest.raises(DataError, match=r": Is a directory; "):
        list(read_lines(str(tmp_path), "strict"))


def test_a_copy_goes_by_the_name_of_its_original_wherever_its_path_is_taken() -> None:
    path = CopiedPath("/tmp/copy", "stdin")
    assert (path, os.fspath(path), hash(path)) == ("/tmp/copy", "/tmp/copy", hash("/tmp/copy"))
    assert [file_name(each) for each in (path, copy.deepcopy(path), str(path))] == [
        "stdin",
        "stdin",
        "/tmp/copy",
    ]
