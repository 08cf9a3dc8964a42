"""The ids of a text are those of a simple program, however the file is cut into blocks."""

from __future__ import annotations

import random
import re
import sys
import unicodedata
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from seqrnn.config import DataConfig
from seqrnn.data.dataset import line_preparation
from seqrnn.data.dataset.prepare import prepare
from seqrnn.data.fields.field import TextField
from seqrnn.data.text.tokenizer import UNK, TokenizerSettings

SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
WORD = re.compile(f"\n|[^{SPACES}]+")
OF_EACH_CATEGORY = {unicodedata.category(chr(code)): chr(code) for code in range(sys.maxunicode, 0, -7)}
del OF_EACH_CATEGORY["Cs"]


def nasty_text() -> bytes:
    """Return lines of every kind of character, ended in every way, of which some are longer than a block."""
    generator = random.Random(4)
    characters = [
        *OF_EACH_CATEGORY.values(),
        *SPACES.replace("\n", ""),
        *"\x00\x1c\x1f\ufeff",
        "e\u0301",
        "猫",
        "the ",
    ]
    lines = ["".join(generator.choices(characters, k=generator.randint(0, 12))) for _ in range(200)]
    lines += ["x" * 900, "猫 " * 300, "", "", "last"]
    generator.shuffle(lines)
    return b"\xef\xbb\xbf" + b"".join(
        line.encode() + generator.choice([b"\n", b"\r\n", b"\r\r\n"]) for line in lines
    )


def tokens_of(line: str, tokenizer: str) -> list[str] | list[int]:
    if tokenizer == "byte":
        return list(line.encode())
    return WORD.findall(line) if tokenizer == "word" else list(line)


def simple_columns(
    content: bytes, tokenizer: str, fraction: float
) -> tuple[list[list[int]], list[list[int]]]:
    """Return the ids of each line of the training part and of the held-out part."""
    text = content.decode().removeprefix("\ufeff").removesuffix("\n")
    lines = [line.removesuffix("\r") + "\n" for line in text.split("\n")]
    cut, place, parts = sum(map(len, lines)) * (1 - fraction), 0, ([], [])
    for line in lines:
        parts[fraction > 0 and place + len(line) / 2 > cut].append(tokens_of(line, tokenizer))
        place += len(line)
    counts = Counter(token for line in parts[0] for token in line)
    ranked = range(256) if tokenizer == "byte" else sorted(counts, key=lambda token: (-counts[token], token))
    ids = {token: 4 + number for number, token in enumerate(ranked)}
    return tuple([[ids.get(token, UNK) for token in line] for line in part] for part in parts)


@pytest.mark.parametrize("block", [1, 7, 700, 1 << 20])
@pytest.mark.parametrize("tokenizer", ["char", "byte", "word"])
@pytest.mark.parametrize("fraction", [0.0, 0.2])
def test_ids_are_those_of_a_simple_program(tmp_path, monkeypatch, tokenizer, block, fraction) -> None:
    monkeypatch.setenv("SEQRNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(line_preparation, "BLOCK", block)
    path = Path(tmp_path, "a.txt")
    path.write_bytes(nasty_text())
    data = DataConfig(
        train=(str(path),), format="text", tokenizer=tokenizer, pretokenized="yes", valid_fraction=fraction
    )
    prepared = prepare(data, [TextField("text", TokenizerSettings.of(data), stream=True)], 1, 1)
    for part, expected in zip(
        (prepared.train, prepared.valid), simple_columns(path.read_bytes(), tokenizer, fraction), strict=True
    ):
        column = part["text"] if part else None
        bounds = column.offsets.tolist() if column else [0]
        assert [column.values[start:stop].tolist() for start, stop in pairwise(bounds)] == expected
