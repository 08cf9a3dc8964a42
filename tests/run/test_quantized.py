"""Weights of int8: how near they come, and what is refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqrnn.errors import ModelError
from seqrnn.run.checkpoint import Snapshot
from seqrnn.run.directory import RunDirectory
from seqrnn.run.quantized import dequantize, quantize, stored_kinds
from seqrnn.run.tensors import write_tensors

FILE = Path("model.safetensors")
WEIGHTS = {"wide": np.linspace(-3, 2, 40, dtype="float32").reshape(4, 10), "bias": np.ones(9, "float32")}
EXPECTED = {"wide": ("float32", (4, 10)), "bias": ("float32", (9,))}


def kinds(tensors):
    return {name: (tensor.dtype.name, tensor.shape) for name, tensor in tensors.items()}


@settings(deadline=None)
@given(arrays("float32", (3, 9), elements=st.floats(-(2**100), 2**100, width=32)))
def test_no_weight_is_farther_off_than_half_a_step_of_its_row(matrix):
    found = dequantize(quantize({"w": matrix}), FILE)["w"]
    step = np.abs(matrix.astype("float64")).max(axis=1, keepdims=True) / 127
    assert (np.abs(found - matrix.astype("float64")) <= step * 0.50001 + 1e-37).all()
    assert found.dtype == np.float32


def test_the_largest_weight_of_a_row_and_a_row_of_zeros_are_exact():
    matrix = np.array([[0.5, -2.0] * 4, [0.0] * 8], dtype="float32")
    found = dequantize(quantize({"w": matrix}), FILE)["w"]
    np.testing.assert_array_equal(found[:, 1::2], matrix[:, 1::2])
    np.testing.assert_array_equal(found[1], 0)


@pytest.mark.parametrize(
    ("shape", "stored"),
    [
        ((5, 8), {"w": ("int8", (5, 8)), "w.scale": ("float32", (5,))}),
        ((5, 2, 3, 3), {"w": ("int8", (5, 2, 3, 3)), "w.scale": ("float32", (5,))}),
        ((5, 7), {"w": ("float32", (5, 7))}),
        ((500,), {"w": ("float32", (500,))}),
        ((0, 8), {"w": ("float32", (0, 8))}),
        (
            (10**12, 8),
            {"w": ("int8", (10**12, 8)), "w.scale": ("float32", (10**12,))},
        ),  # nothing is allocated
    ],
)
def test_shapes_alone_tell_what_is_stored(shape, stored):
    assert stored_kinds({"w": ("float32", shape)}) == stored
    if shape[0] < 1000:
        assert kinds(quantize({"w": np.ones(shape, "float32")})) == stored


@pytest.fixture
def saved(tmp_path):
    """The only checkpoint of a run of int8."""
    run = RunDirectory.create(tmp_path / "run", {"config.yaml": "task: tagging\n"})
    return run.save(Snapshot(step=3, tensors=WEIGHTS, weights="int8"))


def test_a_generation_gives_its_weights_back_in_single_precision(saved):
    assert (saved.manifest.format, saved.manifest.weights) == (2, "int8")
    for expected in (EXPECTED, None):
        found = RunDirectory.open(saved.path.parent).best().tensors(expected)
        assert kinds(found) == EXPECTED
        np.testing.assert_array_equal(found["bias"], WEIGHTS["bias"])
        np.testing.assert_allclose(found["wide"], WEIGHTS["wide"], atol=3 / 127 / 2)


def replace(saved, **stored):
    """Store other tensors in their place, with a manifest that calls them right."""
    path = saved.path / "model.safetensors"
    path.unlink()
    written = write_tensors(path, stored)
    files = {**saved.manifest.files, "model.safetensors": written}
    manifest = msgspec.structs.replace(saved.manifest, files=files)
    (saved.path / "manifest.json").write_text(manifest.to_json())
    return RunDirectory.open(saved.path.parent).best()


STEPS, SCALES, BIAS = np.ones((4, 10), "int8"), np.ones(4, "float32"), WEIGHTS["bias"]


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ({"wide": STEPS, "bias": BIAS}, "lacks 'wide.scale'"),
        ({"wide": STEPS, "wide.scale": SCALES, "bias": BIAS, "x.scale": SCALES}, "does not have: 'x.scale'"),
        (
            {"wide": STEPS, "wide.scale": SCALES[:3], "bias": BIAS},
            r"'wide.scale' is float32 \(3,\), expected",
        ),
        ({"wide": STEPS.astype("uint8"), "wide.scale": SCALES, "bias": BIAS}, "'wide' is uint8"),
        ({"wide": WEIGHTS["wide"], "bias": BIAS}, "lacks 'wide.scale'"),
        ({"wide": STEPS * 9, "wide.scale": SCALES * np.float32(1e38), "bias": BIAS}, "'wide' is infinite"),
    ],
)
def test_what_does_not_fit_the_configuration_is_refused(saved, stored, reason):
    with pytest.raises(ModelError, match=f"model.safetensors: .*{reason}"):
        replace(saved, **stored).tensors(EXPECTED)


def test_a_matrix_without_its_scales_is_refused_where_nothing_is_expected(saved):
    for scales in ({}, {"wide.scale": SCALES[:3]}, {"wide.scale": SCALES.astype("float64")}):
        with pytest.raises(ModelError, match="'wide' has no float32 scale for each of its rows"):
            replace(saved, wide=STEPS, **scales).tensors(None)


def test_a_flipped_bit_is_found(saved):
    path = saved.path / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model.safetensors: its s"):
        RunDirectory.open(saved.path.parent).best()
