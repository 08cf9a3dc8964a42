"""Where a text stands, written to a file and read again: exactly, and trusting nothing in it."""

from __future__ import annotations

import io
import os
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest

from seqrnn.answering import text_generator
from seqrnn.answering.opened_run import open_run
from seqrnn.answering.state_file import read_state, write_state
from seqrnn.answering.text_generator import TextGenerator
from seqrnn.catalog import CELLS
from seqrnn.errors import ModelError, OutputError

SHAPES = {"logits": (1, 5), "layer.0.h": (1, 3)}
ARRAYS = {name: np.arange(shape[1], dtype=np.float32)[None] for name, shape in SHAPES.items()}
NOTHING = np.empty(0, dtype=np.int64)


@pytest.fixture
def generator(train, opened):
    """A function `(backend, settings) -> TextGenerator`, always of the same weights for the same settings."""

    def make(backend, settings):
        key = str(settings)
        if key not in runs:
            runs[key] = train("text", settings)[1]
        return TextGenerator(open_run(runs[key]), opened(runs[key], backend)[1])

    runs = {}
    return make


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_long_prompt_is_read_in_parts_with_the_same_end(generator, backend, monkeypatch):
    prompt = np.array([4, 5, 6, 7, 4, 6, 5])
    text = generator(backend, {})
    whole, more = text.start(prompt)[0], text.start(prompt, text.last_prediction)[0]
    monkeypatch.setattr(text_generator, "READ_AT_ONCE", 3)
    np.testing.assert_allclose(text.start(prompt)[0], whole, atol=1e-5)
    np.testing.assert_allclose(text.start(prompt, text.last_prediction)[0], more, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("writer", "reader"), [("numpy", "torch"), ("torch", "numpy"), ("numpy", "numpy")])
def test_a_saved_state_goes_on_exactly_whichever_backend_wrote_it(generator, tmp_path, cell, writer, reader):
    settings = {"model.cell": cell, "model.num_layers": 2}
    path, read, more = tmp_path / "state.npz", np.array([4, 5, 6, 7]), np.array([5, 4])
    first, second = generator(writer, settings), generator(reader, settings)
    first.start(read[:3])
    first.save(path, read[3:])
    expected, _ = generator(writer, settings).start(read)
    np.testing.assert_allclose(second.start(NOTHING, second.load(path))[0], expected, atol=1e-5)
    expected, _ = generator(writer, settings).start(np.concatenate([read, more]))
    np.testing.assert_allclose(second.start(more, second.load(path))[0], expected, atol=1e-5)


def test_a_state_of_other_weights_is_refused(generator, tmp_path):
    one, other = (generator("numpy", {"training.seed": seed}) for seed in (1, 2))
    one.start(NOTHING)
    one.save(tmp_path / "state.npz", NOTHING)
    with pytest.raises(ModelError, match="not a state of this model"):
        other.load(tmp_path / "state.npz")


def test_what_is_written_is_read(tmp_path):
    write_state(tmp_path / "s.npz", "abc", ARRAYS)
    found = read_state(tmp_path / "s.npz", "abc", SHAPES)
    assert list(found) == list(SHAPES)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)


def npy(array, shape=None):
    """The bytes of an .npy file; with `shape` its header lies."""
    content = io.BytesIO()
    np.save(content, array)
    text = content.getvalue()
    return text if shape is None else text.replace(str(array.shape).encode(), shape.encode())


def pack(path, second, compression=zipfile.ZIP_STORED, names=("logits", "layer.0.h")):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(f"abc/{names[0]}.npy", npy(ARRAYS["logits"]))
        archive.writestr(f"abc/{names[1]}.npy", second)


GOOD = npy(ARRAYS["layer.0.h"])


@pytest.mark.parametrize(
    "member",
    [
        npy(np.zeros((1, 4), dtype=np.float32)),
        npy(np.zeros((3, 1), dtype=np.float32)),
        npy(np.zeros((1, 3), dtype=np.float64)),
        npy(np.zeros((1, 3), dtype=np.int32)),
        npy(np.zeros((1, 3), dtype=">f4")),
        npy(np.array([[1, 2, np.nan]], dtype=np.float32)),
        npy(np.array([[1, 2, -np.inf]], dtype=np.float32)),
        npy(np.zeros((1, 3), dtype=np.float32))[:-2],
        npy(np.zeros((1, 3), dtype=np.float32), "(1, 9999999999)"),
        npy(np.array([[None, None, None]])),
        GOOD.replace(b"\x01\x00", b"\x02\x00", 1),
        GOOD.replace(b"'shape'", b"((((((("),
        b"\x93NUMPY",
        b"",
    ],
)
def test_a_member_that_is_not_as_expected_is_refused(tmp_path, member):
    pack(tmp_path / "s.npz", member)
    with pytest.raises(ModelError, match=r"s\.npz: damaged .*; write it again with `state_out`$"):
        read_state(tmp_path / "s.npz", "abc", SHAPES)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("member", [GOOD, bytes(100_000)], ids=["whole", "bomb"])
def test_nothing_is_unpacked(tmp_path, member, compression):
    pack(tmp_path / "s.npz", member, compression)
    with pytest.raises(ModelError, match=r"s\.npz: damaged"):
        read_state(tmp_path / "s.npz", "abc", SHAPES)


def test_a_file_larger_than_the_model_needs_is_not_read(tmp_path):
    pack(tmp_path / "s.npz", bytes(100_000))
    with pytest.raises(ModelError, match=r"s\.npz: is larger than a state of this model"):
        read_state(tmp_path / "s.npz", "abc", SHAPES)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_may_not_occur_twice(tmp_path):
    pack(tmp_path / "s.npz", npy(ARRAYS["logits"]), names=("logits", "logits"))
    with pytest.raises(ModelError, match="not a state of this model"):
        read_state(tmp_path / "s.npz", "abc", {"logits": (1, 5)})


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "s.npz").write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        read_state(tmp_path / "s.npz", "abc", SHAPES)


def test_any_byte_that_is_changed_or_missing_is_noticed_or_harmless(tmp_path):
    path = tmp_path / "s.npz"
    write_state(path, "abc", ARRAYS)
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        for changed in (whole[:place], whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]):
            path.write_bytes(changed)
            try:
                found = read_state(path, "abc", SHAPES)
            except ModelError:
                continue
            assert all(np.array_equal(found[name], ARRAYS[name]) for name in ARRAYS)


def test_what_is_no_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    for place, reason in {
        tmp_path / "fifo": "is not a regular file",
        Path("/dev/zero"): "is not a regular file",
        tmp_path / "folder": "Is a directory",
        tmp_path / "loop": "Too many levels of symbolic links",
        tmp_path / "absent": "No such file or directory",
    }.items():
        with pytest.raises(ModelError, match=f"^{place}: {reason}; give a file of `state_out`$"):
            read_state(place, "abc", SHAPES)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for place in (tmp_path / "no" / "s.npz", tmp_path / "fifo", tmp_path, Path("/dev/full")):
        with pytest.raises(OutputError, match=f"^writing {place}: "):
            write_state(place, "abc", ARRAYS)
    assert [entry.name for entry in tmp_path.iterdir()] == ["fifo"]


def test_a_full_disk_leaves_the_old_state_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "s.npz"
    write_state(path, "abc", ARRAYS)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OutputError, match=r"writing .*s\.npz: File too large"):
            write_state(path, "abc", ARRAYS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (path.read_bytes(), [entry.name for entry in tmp_path.iterdir()]) == (before, ["s.npz"])


def test_a_state_takes_the_place_of_another_and_a_link_stays_one(tmp_path):
    (tmp_path / "s.npz").write_bytes(b"old")
    (tmp_path / "link.npz").symlink_to("s.npz")
    write_state(tmp_path / "link.npz", "abc", ARRAYS)
    assert (tmp_path / "link.npz").is_symlink()
    assert list(read_state(tmp_path / "s.npz", "abc", SHAPES)) == list(SHAPES)
