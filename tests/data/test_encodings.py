# ruff: noqa: RUF001
from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import os
import re
from pathlib import Path

import pytest

from seqrnn.config import DataConfig
from seqrnn.config_file import from_flags, resolve
from seqrnn.data import lines
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.lines import read_lines, read_text
from seqrnn.data.source import Source
from seqrnn.errors import ConfigError, DataError

TEXT = "Größe\tx\nnaïve café\ty\n€ 5\tz\n"
ROWS = TEXT.split("\n")[:-1]


@pytest.fixture
def read(tmp_path: Path):
    """A function: bytes of a file, and how to read them -> the texts of its lines."""

    def read_file(content: bytes, encoding: str = "auto", errors: str = "strict") -> list[str]:
        path = tmp_path / "file"
        path.write_bytes(content)
        return [line.text for line in read_lines(str(path), errors, encoding)]  # type: ignore[arg-type]

    return read_file


def failure(read, *arguments: object) -> str:
    with pytest.raises(DataError) as error:
        read(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value).rpartition("/")[2]


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_tells_the_encoding_and_any_line_end_ends_a_line(read, mark, codec, compress, end):
    content = mark + TEXT.replace("\n", end).encode(codec)
    assert read(compress(content)) == ROWS
    assert read(compress(content), "auto", "replace") == ROWS


@pytest.mark.parametrize("codec", ["cp1252", "utf-16-le", "utf-16-be", "utf_8", "gb18030", "cp1140"])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_an_encoding_can_be_named_wherever_the_chunks_end(read, monkeypatch, codec: str, size: int):
    text = TEXT.replace("ï", "i").replace("ö", "o").replace("ß", "s") if codec == "gb18030" else TEXT
    real = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, _: real(descriptor, size))
    assert read(text.encode(codec), codec) == text.split("\n")[:-1]


@pytest.mark.parametrize(
    "mark", [codecs.BOM_UTF8 + "é".encode(), codecs.BOM_UTF16_LE + "é".encode("utf-16-le")]
)
def test_a_byte_order_mark_comes_before_a_named_encoding(read, mark: bytes):
    assert read(mark, "cp1252") == ["é"]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("errors", ["strict", "replace"])
@pytest.mark.parametrize("text", ["text\tlabel\ngood\tx\n", "добрый день\tx\n", "今日は 天気\ty\n"])
def test_utf_16_without_a_mark_is_told(read, codec: str, errors: str, text: str):
    message = failure(read, text.encode(codec), "auto", errors)
    assert message == f"file:1:1: looks like UTF-16 without a byte-order mark; use `data.encoding` {codec}"
    assert read(text.encode(codec), codec) == text.split("\n")[:-1]


@pytest.mark.parametrize("content", [b"a\0b\nc\n", b"\0\0\0\0\n", b"ab\0\0cd\n", b"\0a\n"])
def test_a_nul_in_utf_8_is_data(read, content: bytes):
    assert read(content) == content.decode().split("\n")[:-1]


SENTENCES = {
    "Сегодня весь день идёт дождь, а завтра будет солнце": ("cp1251", "koi8-r", "iso8859-5", "cp866"),
    "Dziś cały dzień pada deszcz, a jutro będzie słońce": ("cp1250", "iso8859-2"),
    "Dnes celý den prší, zítra bude příjemně a od moře silný vítr": ("cp1250", "iso8859-2"),
    "Bugün bütün gün yağmur yağıyor, yarın güneşli olacak": ("cp1254",),
    "Σήμερα βρέχει όλη μέρα, αύριο θα έχει ήλιο": ("cp1253",),
    "היום יורד גשם כל היום ומחר תהיה שמש": ("cp1255",),
    "اليوم تمطر طوال النهار وغدا ستكون الشمس": ("cp1256",),
    "วันนี้ฝนตกทั้งวัน พรุ่งนี้จะมีแดดและลมแรงจากทะเล": ("cp874",),
    "この店の料理はまずいし、今日は一日中雨が降っています": ("cp932", "euc_jp"),
    "服务员态度很差味道难吃，今天整天下雨": ("gb18030",),
    "服務員態度很差味道難吃，今天整天下雨": ("big5",),
    "이 영화는 정말 재미있었다, 오늘은 하루 종일 비가 온다": ("euc_kr",),
    "Heute regnet es den ganzen Tag, morgen gibt es schöne Sonne": ("cp1252",),
    "Aujourd'hui il pleut toute la journée, et l’été arrive à Noël": ("cp1252",),
}


@pytest.mark.parametrize(
    ("text", "codec"), [(text, codec) for text, codecs in SENTENCES.items() for codec in codecs]
)
def test_what_is_not_utf_8_is_told_with_its_place_and_an_encoding_that_reads_it(read, text, codec):
    content = "".join(f"{word}\n" for word in ["fine", *[text] * 3]).encode(codec)
    message = failure(read, content)
    assert message.startswith("file:2:")
    tried = re.findall(r"`data\.encoding=([\w-]+)` \((.+?)\)", message)
    read_in = {name: content.decode(name, "replace") for name, _ in tried}
    assert content.decode(codec) in read_in.values()
    for name, word in tried:
        assert word in read_in[name]
    assert all(word.isascii() is False for _, word in tried)


def test_the_lines_around_a_short_one_tell_its_encoding_too(read):
    rows = "żółty ser\tjedzenie\nśnieg leży na drodze\tpogoda\nzażółć gęślą jaźń\tinne\n" * 3
    assert "try `data.encoding=cp1250` (żółty)" in failure(read, rows.encode("cp1250"))


def test_of_a_text_in_one_line_the_part_around_the_byte_is_looked_at(tmp_path: Path):
    path = tmp_path / "a.json"
    text = "дождь идёт весь день, а завтра будет солнце и сильный ветер. " * 20
    path.write_bytes(f'[{{"text": "{"fine " * 10_000} {text}"}}]'.encode("koi8-r"))
    with pytest.raises(DataError, match=r"try `data\.encoding=koi8-r` \(дождь\)"):
        "".join(read_text(str(path), "strict"))


def test_bytes_that_no_encoding_reads_have_no_advice_that_fails(read):
    message = failure(read, b"fine\n" + bytes(range(128, 256)) + b"\n")
    for name, _ in re.findall(r"`data\.encoding=([\w-]+)` \((.+?)\)", message):
        bytes(range(128, 256)).decode(name)


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
@pytest.mark.parametrize(
    ("content", "codec", "place"),
    [
        (b"ab\nc\x81d\n", "cp1252", "2:2: not cp1252 (byte 0x81); "),
        (
            "ab\ncé".encode("utf-16") + b"\x00\xd8" + "x\n".encode("utf-16-le"),
            "auto",
            "2:5: not utf-16 (byte 0x00)",
        ),
        (b"ab\nc\xe9\n", "ascii", "2:2: not ascii (byte 0xe9); "),
        ("ab".encode("utf-16") + b"\x41", "auto", "1:5: not utf-16 (byte 0x41); "),
    ],
)
def test_a_byte_that_an_encoding_lacks_is_an_error_with_its_location(
    read, monkeypatch, size, content, codec, place
):
    real = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, _: real(descriptor, size))
    assert failure(read, content, codec).startswith(f"file:{place}")


def test_a_byte_that_an_encoding_lacks_can_be_replaced_and_is_counted(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"a\xe9\nb\x81\x8d\n")
    found = [(line.text, line.replaced) for line in read_lines(str(path), "replace", "cp1252")]
    assert found == [("aé", 0), ("b\ufffd\ufffd", 2)]


def test_utf_8_that_is_read_as_another_encoding_is_told(read):
    content = b"plain\n" + "naïve\n".encode()
    message = failure(read, content, "cp1252")
    assert message == "file:2: is UTF-8, and not cp1252; use `data.encoding=utf-8`"
    assert read(content, "cp1252", "replace") == ["plain", "naïve"]


def test_carriage_returns_end_lines_only_where_there_is_no_newline(read):
    assert read(b"a\rb\rc") == read(b"a\rb\rc\r") == ["a", "b", "c"]
    assert read(b"a\rb\nc\rd\n") == ["a\rb", "c\rd"]


@pytest.mark.parametrize("more", [b"", b"x\r" * 10])
def test_a_long_file_of_carriage_returns_has_lines(read, more: bytes):
    assert read(b"abc\r" * (1 << 19) + more) == ["abc"] * (1 << 19) + ["x"] * (len(more) // 2)


def test_a_newline_after_a_million_carriage_returns_is_told(read):
    content = b"abc\r" * (1 << 19) + b"d\n"
    assert failure(read, content).startswith(f"file:{(1 << 19) + 1}: lines before this one end with \\r")


def test_a_line_of_a_stream_comes_at_once_in_every_encoding(tmp_path: Path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    descriptor = os.open(fifo, os.O_RDWR)
    groups = lines.read_line_groups(str(fifo), "strict")
    os.write(descriptor, "é1\n".encode("utf-16"))
    assert [line.text for line in next(groups)] == ["é1"]
    os.write(descriptor, "é2\n".encode("utf-16-le"))
    found: list[str] = []
    while not found:
        found = [line.text for line in next(groups)]
    assert found == ["é2"]
    groups.close()
    os.close(descriptor)


def test_a_source_reads_its_files_in_its_encoding(tmp_path: Path):
    path = tmp_path / "a.tsv"
    path.write_bytes(TEXT.encode("cp1252"))
    source = Source.training(DataConfig(train=(str(path),), format="tsv", encoding="cp1252"))
    assert [(record.source, *record.targets) for record in read_records(source)] == [
        tuple(row.split("\t")) for row in ROWS
    ]


@pytest.mark.parametrize("name", ["klingon", "hex", "rot13", "idna", "", "a\0b"])
def test_an_unknown_encoding_is_refused(name: str):
    with pytest.raises(ConfigError, match=r"`data.encoding=.*no encoding of that name; "):
        resolve([from_flags({"data.encoding": name})])


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"PAR1\x15\x04", "a parquet file; use `data.format=parquet`"),
        (b"PK\x03\x04\x14", "a zip file; give .npz"),
        (lzma.compress(b"a"), "compressed by xz; pipe it"),
        (bz2.compress(b"a", 5), "compressed by bzip2; pipe it"),
        (b"\x28\xb5\x2f\xfd\x00", "compressed by zstd; pipe it"),
        (b"\x89PNG\r\n\x1a\n", "an image; a row is the path of one"),
        (b"\xff\xd8\xff\xe0", "an image"),
        (b"SQLite format 3\x00", "an SQLite database; export the table"),
        (b"\x80\x04\x95\x05\x00", "a pickle, which may run code"),
    ],
)
def test_a_file_of_no_text_is_told(read, content: bytes, advice: str):
    assert failure(read, content + bytes(99)).startswith(f"file: is {advice}")
    assert read(b"PAR1 and PK\n") == ["PAR1 and PK"]
