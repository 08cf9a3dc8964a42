from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from seqrnn.data.text.word_vectors import read_vectors
from seqrnn.errors import DataError

VOCABULARY = {"missing": 6, "Dog": 5, "cat": 4, "<unk>": 1}


def write(tmp_path: Path, text: str) -> str:
    file = tmp_path / "vectors.vec"
    file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("header", ["", "3 2\n"])
def test_only_words_of_the_vocabulary_are_kept(tmp_path: Path, header: str) -> None:
    matrix, ids = read_vectors(write(tmp_path, f"{header}the 1 2\ncat 0.5 -1e-1\n,  3 4\n"), VOCABULARY)
    assert ids.tolist() == [4]
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix, [[0.5, -0.1]])


def test_the_same_spelling_is_preferred_to_the_lower_cased_one(tmp_path: Path) -> None:
    lower_cased = read_vectors(write(tmp_path, "dog 1 1\nDOG 9 9\n"), VOCABULARY)[0]
    same = read_vectors(write(tmp_path, "dog 1 1\nDog 2 2\n"), VOCABULARY)[0]
    assert (lower_cased.tolist(), same.tolist()) == ([[1, 1]], [[2, 2]])


def test_of_two_vectors_for_a_word_the_first_counts(tmp_path: Path) -> None:
    assert read_vectors(write(tmp_path, "cat 1 2\ncat 3 4\n"), VOCABULARY)[0].tolist() == [[1, 2]]


def test_rows_and_ids_go_together(tmp_path: Path) -> None:
    matrix, ids = read_vectors(write(tmp_path, "Dog 5 5\ncat 4 4 \n<unk> 1 1\n"), VOCABULARY)
    assert ids.tolist() == [1, 4, 5]
    assert matrix[:, 0].tolist() == [1, 4, 5]


def test_no_word_found_gives_no_rows_of_the_files_dimension(tmp_path: Path) -> None:
    matrix, ids = read_vectors(write(tmp_path, "the 1 2 3\n"), VOCABULARY)
    assert matrix.shape == (0, 3)
    assert ids.shape == (0,)


def test_a_gzip_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "vectors.vec.gz"
    file.write_bytes(gzip.compress(b"1 2\ncat 1 2\n"))
    assert read_vectors(str(file), VOCABULARY)[0].tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("cat 1 2 3", "dimension 3, expected 2"),
        ("cat 1", "dimension 1, expected 2"),
        ("cat 1 nan", "not finite"),
        ("cat 1 1e99", "not finite"),
        ("cat 1 x", "could not convert"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = write(tmp_path, f"the 1 2\n{line}\n")
    with pytest.raises(DataError, match=rf"vectors\.vec:2: .*{complaint}.*; fix or remove the line"):
        read_vectors(path, VOCABULARY)


@pytest.mark.parametrize("header", ["", "5 2\n"])
@pytest.mark.parametrize("separator", [" ", "\t"])
def test_a_word_may_hold_blanks(tmp_path: Path, header: str, separator: str) -> None:
    lines = "the 0.1 0.2\n. 0.3 0.4\n. . . 0.5 0.6\nat a@b.c 7 8\nat 9 9\n".replace(" 0.5", f"{separator}0.5")
    matrix, ids = read_vectors(write(tmp_path, header + lines), {".": 2, "the": 3, "at": 7})
    assert ids.tolist() == [2, 3, 7]
    np.testing.assert_allclose(matrix, [[0.3, 0.4], [0.1, 0.2], [9, 9]])


def binary(words: dict[str, list[float]], end: str) -> bytes:
    rows = [
        f"{word} ".encode() + np.array(row, dtype="<f4").tobytes() + end.encode()
        for word, row in words.items()
    ]
    return f"{len(words)} {len(next(iter(words.values())))}\n".encode() + b"".join(rows)


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_the_binary_of_word2vec_is_read(tmp_path: Path, end: str, compress) -> None:
    words = {f"w{n}": [n / 7, n / 3, -1.5] for n in range(100_000)} | {"cat": [0.1, -0.2, 0.3]}
    file = tmp_path / "vectors.bin"
    file.write_bytes(compress(binary(words, end)))
    matrix, ids = read_vectors(str(file), {"w70": 2, "cat": 1, "absent": 0})
    assert ids.tolist() == [1, 2]
    np.testing.assert_allclose(matrix, [words["cat"], words["w70"]], rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (binary({f"w{n}": [n / 7, n / 3] for n in range(900)}, "")[:-3], "ends too early, or is damaged; "),
        (b"9 2\n" + bytes(range(1, 32)) * 900, "ends too early, or is damaged; "),
        (binary({f"w{n}": [float("nan"), 0.1] for n in range(900)}, ""), "a number is not finite; "),
        (b"\xba\x16\x4f\x2f\x0c\0\0\0" * 99, "is a whole model of fastText; give the .vec file"),
        (b"\x93NUMPY\1\0v\0" * 99, "is no text and not word2vec's binary; "),
    ],
)
def test_other_binary_files_are_told(tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / "vectors.bin"
    file.write_bytes(content)
    with pytest.raises(DataError, match=complaint):
        read_vectors(str(file), {"w1": 1})
