"""Where the files are that records name."""

from __future__ import annotations

import os

import numpy as np
import pytest

from seqrnn.data.dataset.split import SourceSplit, assign
from seqrnn.data.fields.named_files import find_named_file, fingerprint, path_of
from seqrnn.data.fields.steps import matrix_of
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.record import Record
from seqrnn.data.source import Source
from seqrnn.errors import DataError
from seqrnn.inference import infer


@pytest.fixture
def table(tmp_path):
    """A table in a folder of its own, beside which stands a file."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.png").write_bytes(b"1234")
    table = tmp_path / "data" / "table.tsv"
    table.write_text("a.png\tx\n", encoding="utf-8")
    return table


def test_a_path_in_a_file_starts_from_its_folder(table, tmp_path):
    found = find_named_file(Record("a.png", path=str(table), line=1))
    assert found.path == str(tmp_path / "data" / "a.png")
    assert found.size == 4


def test_a_path_in_a_stream_starts_from_the_current_directory(table, monkeypatch):
    monkeypatch.chdir(table.parent)
    assert path_of(Record("a.png")) == str(table.parent / "a.png")
    reader, writer = os.pipe()  # a number that was not opened may be a file of another test
    try:
        assert path_of(Record("a.png", path=f"/dev/fd/{reader}")) == str(table.parent / "a.png")
    finally:
        os.close(reader)
        os.close(writer)


def test_an_absolute_path_is_taken_as_it_is(table):
    assert path_of(Record("/x/a.png", path=str(table))) == "/x/a.png"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("b.png", "No such file"), (".", "no regular file"), ("a\0b", "null"), (" ", "names no file")],
)
def test_a_file_that_cannot_be_is_told_with_its_location(table, name, reason):
    with pytest.raises(DataError, match=rf"table\.tsv:7: .*{reason}"):
        find_named_file(Record(name, path=str(table), line=7))


def test_a_pipe_is_no_file_to_wait_for(table):
    os.mkfifo(table.parent / "pipe.png")
    with pytest.raises(DataError, match="no regular file"):
        find_named_file(Record("pipe.png", path=str(table)))


def test_the_fingerprint_changes_with_the_files(table):
    records = [Record("a.png", path=str(table))]
    before = fingerprint(records)
    assert fingerprint(records) == before
    (table.parent / "a.png").write_bytes(b"12345")
    assert fingerprint(records) != before


@pytest.fixture
def arrays(tmp_path):
    """A function: arrays -> a table that names each, with a caption."""

    def save(*arrays, header=""):
        rows = []
        for number, array in enumerate(arrays):
            np.save(tmp_path / f"{number}.npy", array)
            rows.append(f"{number}.npy\tthe caption of number {number} is this long\n")
        (tmp_path / "table.tsv").write_text(header + "".join(rows), encoding="utf-8")
        return Source((str(tmp_path / "table.tsv"),))

    return save


@pytest.mark.parametrize(("shape", "kind"), [((3,), "vector"), ((4, 3), "vectors")])
def test_a_cell_that_names_an_array_holds_its_numbers(arrays, shape, kind):
    generator = np.random.default_rng(1)
    saved = [generator.normal(size=shape).astype(np.float32) for _ in range(5)]
    for header in ("", "source\ttarget\n"):
        source = arrays(*saved, header=header)
        found = infer(source, None)
        assert (found.task, found.source_kind) == ("seq2seq", kind)
        records = list(read_records(Source(source.paths, format=found.format, kind=kind)))
        for record, array in zip(records, saved, strict=True):
            np.testing.assert_array_equal(matrix_of(record), np.atleast_2d(array))


@pytest.mark.parametrize("array", [np.zeros((2, 2, 2)), np.array(["a"]), np.array([1j])])
def test_an_array_of_anything_else_is_refused_with_its_location(arrays, array):
    source = arrays(array)
    with pytest.raises(DataError, match=r"table\.tsv:1: '0.npy' holds no vectors"):
        matrix_of(Record("0.npy", path=source.paths[0], line=1))


def test_a_pickled_or_cut_array_is_refused(arrays, tmp_path):
    source = arrays(np.zeros(30))
    record = Record("0.npy", path=source.paths[0], line=1)
    np.save(tmp_path / "0.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="holds no vectors"):
        matrix_of(record)
    np.save(tmp_path / "0.npy", np.zeros(30))
    (tmp_path / "0.npy").write_bytes((tmp_path / "0.npy").read_bytes()[:200])
    with pytest.raises(DataError, match="holds no vectors"):
        matrix_of(record)


def test_equal_numbers_are_held_out_together_and_others_are_not():
    records = [Record("", (str(turn),), steps=[[float(number)]]) for turn in (1, 2) for number in range(200)]
    held_out = [out for _, held_out in assign(SourceSplit(0.3, 1), records) for out in held_out.tolist()]
    assert held_out[:200] == held_out[200:]
    assert 30 < sum(held_out[:200]) < 90
