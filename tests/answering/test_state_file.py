"""Where a text stands, written to a file and read again: exactly, and trusting nothing in it."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from seqrnn.answering import continuer as continuer_module
from seqrnn.answering.continuer import Continuer
from seqrnn.answering.opened_run import open_run
from seqrnn.answering.state_file import read_state, write_state
from seqrnn.catalog import CELLS
from seqrnn.errors import DataError, OutputError

SHAPES = {"logits": (1, 5), "layer.0.h": (1, 3)}
ARRAYS = {name: np.arange(shape[1], dtype=np.float32)[None] for name, shape in SHAPES.items()}
NOTHING = np.empty(0, dtype=np.int64)


@pytest.fixture
def continuer(train, opened):
    """A function `(backend, settings) -> Continuer`, always of the same weights for the same settings."""

    def make(backend, settings):
        key = str(settings)
        if key not in runs:
            runs[key] = train("text", settings)[1]
        return Continuer(open_run(runs[key]), opened(runs[key], backend)[1])

    runs = {}
    return make


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_long_prompt_is_read_in_parts_with_the_same_end(continuer, backend, monkeypatch):
    prompt = np.array([4, 5, 6, 7, 4, 6, 5])
    text = continuer(backend, {})
    whole, more = text.start(prompt)[0], text.start(prompt, text.stands)[0]
    monkeypatch.setattr(continuer_module, "READ_AT_ONCE", 3)
    np.testing.assert_allclose(text.start(prompt)[0], whole, atol=1e-5)
    np.testing.assert_allclose(text.start(prompt, text.stands)[0], more, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("writer", "reader"), [("numpy", "torch"), ("torch", "numpy"), ("numpy", "numpy")])
def test_a_saved_state_goes_on_exactly_whichever_backend_wrote_it(continuer, tmp_path, cell, writer, reader):
    settings = {"model.cell": cell, "model.num_layers": 2}
    path, read, more = tmp_path / "state.npz", np.array([4, 5, 6, 7]), np.array([5, 4])
    first, second = continuer(writer, settings), continuer(reader, settings)
    first.start(read[:3])
    first.save(path, read[3:])
    expected, _ = continuer(writer, settings).start(read)
    np.testing.assert_allclose(second.start(NOTHING, second.load(path))[0], expected, atol=1e-5)
    expected, _ = continuer(writer, settings).start(np.concatenate([read, more]))
    np.testing.assert_allclose(second.start(more, second.load(path))[0], expected, atol=1e-5)


def test_a_state_of_other_weights_is_refused(continuer, tmp_path):
    one, other = (continuer("numpy", {"training.seed": seed}) for seed in (1, 2))
    one.start(NOTHING)
    one.save(tmp_path / "state.npz", NOTHING)
    with pytest.raises(DataError, match="no state of this model"):
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


@pytest.mark.parametrize(
    "member",
    [
        npy(np.zeros((1, 4), dtype=np.float32)),
        npy(np.zeros((1, 3), dtype=np.float64)),
        npy(np.array([[1, 2, np.nan]], dtype=np.float32)),
        npy(np.zeros((1, 3), dtype=np.float32))[:-2],
        npy(np.zeros((1, 3), dtype=np.float32), "(1, 9999999999)"),
        npy(np.array([[None, None, None]])),
        b"\x93NUMPY",
        b"",
        bytes(2_000_000),
    ],
)
def test_a_member_that_is_not_as_expected_is_refused(tmp_path, member):
    path = tmp_path / "s.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("abc/logits.npy", npy(ARRAYS["logits"]))
        archive.writestr("abc/layer.0.h.npy", member)
    with pytest.raises(DataError, match=r"s\.npz: damaged"):
        read_state(path, "abc", SHAPES)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "s.npz").write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        read_state(tmp_path / "s.npz", "abc", SHAPES)


def test_a_place_that_cannot_be_read_or_written_is_named(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_state(tmp_path / "s.npz", "abc", SHAPES)
    with pytest.raises(OutputError, match="No such file"):
        write_state(tmp_path / "no" / "s.npz", "abc", ARRAYS)
