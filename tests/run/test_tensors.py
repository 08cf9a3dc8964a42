"""Tensor files: what comes back, and everything that is refused."""

from __future__ import annotations

import json
import os
import stat
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from seqrnn.errors import ModelError, NumericError
from seqrnn.run.files import fingerprint
from seqrnn.run.tensors import read_tensors, write_tensors

EXPECTED = {"bias": ("float32", (3,)), "weight": ("float32", (2, 3))}
NUMBERS = st.sampled_from(["float32", "float64", "int64", "uint8", "bool"]).flatmap(
    lambda dtype: arrays(
        dtype,
        array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=4),
        elements={"allow_nan": False, "allow_infinity": False} if dtype.startswith("float") else None,
    )
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.safetensors"
    weight, bias = np.arange(6, dtype="float32").reshape(2, 3), np.ones(3, "float32")
    write_tensors(path, {"weight": weight, "bias": bias})
    return path


def put(path, header, data=b""):
    """Write a file with this header, given as JSON text or as what becomes JSON."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def entry(first, last, shape=(), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [first, last]}


@settings(deadline=None)
@given(tensors=st.dictionaries(st.text(min_size=1).filter(lambda name: name != "__metadata__"), NUMBERS))
def test_what_was_written_comes_back_with_dtype_and_shape(tmp_path_factory, tensors):
    path = tmp_path_factory.mktemp("tensors") / "model.safetensors"
    write_tensors(path, tensors)
    found = read_tensors(path)
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape)
        np.testing.assert_array_equal(found[name], tensor)


def test_a_transposed_array_is_stored_as_it_reads(tmp_path):
    matrix = np.arange(6, dtype="float32").reshape(2, 3)
    write_tensors(tmp_path / "a.safetensors", {"matrix": matrix.T})
    np.testing.assert_array_equal(read_tensors(tmp_path / "a.safetensors")["matrix"], matrix.T)


def test_a_file_is_readable_by_others_as_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        write_tensors(tmp_path / "a.safetensors", {"x": np.zeros(1)})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.safetensors").stat().st_mode) == 0o640


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_neither_written_nor_read(tmp_path, bad):
    with pytest.raises(NumericError, match="weight holds nan or infinity"):
        write_tensors(tmp_path / "a.safetensors", {"weight": np.array([1.0, bad])})
    assert not (tmp_path / "a.safetensors").exists()
    put(tmp_path / "b.safetensors", {"weight": entry(0, 8, [2])}, np.array([1.0, bad], "float32").tobytes())
    with pytest.raises(ModelError, match="'weight' holds nan or infinity"):
        read_tensors(tmp_path / "b.safetensors")


@settings(deadline=None)
@given(data=st.data())
def test_no_change_of_a_file_gets_past_its_fingerprint(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("flip") / "model.safetensors"
    written = write_tensors(path, {"weight": np.arange(6, dtype="float32")})
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model.safetensors: "):
        read_tensors(path, {"weight": ("float32", (6,))}, written)


@settings(deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_give_tensors_or_a_model_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model.safetensors"):
        read_tensors(path, EXPECTED)


@settings(deadline=None)
@given(data=st.data())
def test_a_flipped_bit_in_the_header_never_gives_unexpected_tensors(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("header") / "model.safetensors"
    write_tensors(path, {name: np.ones(shape, dtype) for name, (dtype, shape) in EXPECTED.items()})
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * (len(content) - 36) - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    try:
        found = read_tensors(path, EXPECTED)
    except ModelError:
        return
    assert {name: (array.dtype.name, array.shape) for name, array in found.items()} == EXPECTED


@pytest.mark.parametrize("kept", [0, 7, 8, 30, -1])
def test_a_truncated_file_is_refused(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"too short|its header describes"):
        read_tensors(path, EXPECTED)


def test_an_extra_byte_is_refused(path):
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="37 bytes of data, its header describes 36"):
        read_tensors(path, EXPECTED)


@pytest.mark.parametrize(
    ("header", "data", "reason"),
    [
        (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},', b"", "malformed JSON"),
        (b"[]", b"", "not an object"),
        (b"[" * 50_000, b"", "malformed JSON"),
        (b"\xff\xfe", b"", "malformed JSON"),
        (b'{"a":' + b"9" * 5000 + b"}", b"", "malformed JSON"),
        (
            b'{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},'
            b'"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}',
            bytes(4),
            "'a' occurs twice",
        ),
        ({"a": entry(0, 4, dtype="F33")}, bytes(4), "'a.dtype'"),
        ({"a": entry(0, 4, [-1])}, bytes(4), "'a.shape.0'"),
        ({"a": entry(0, 4, [True])}, bytes(4), "'a.shape.0'"),
        ({"a": entry(0, 4, [2])}, bytes(4), "has 4 bytes, its shape needs 8"),
        ({"a": entry(0, 8, [10**12])}, bytes(8), "its shape needs 4000000000000"),
        ({"a": entry(0, 4), "b": entry(8, 12)}, bytes(12), "'b' starts at byte 8"),
        ({"a": entry(0, 8, [2]), "b": entry(4, 8)}, bytes(8), "'b' starts at byte 4"),
        ({"a": {**entry(0, 4), "pickle": "x"}}, bytes(4), "'a.pickle'"),
    ],
)
def test_a_malformed_header_is_refused(tmp_path, header, data, reason):
    put(tmp_path / "model.safetensors", header, data)
    with pytest.raises(ModelError, match=f"model.safetensors: .*{reason}"):
        read_tensors(tmp_path / "model.safetensors")


@pytest.mark.parametrize("header", [b"{", b"[]", {"a": entry(0, 4, dtype="F33")}])
def test_what_to_do_about_a_malformed_header_is_said(tmp_path, header):
    put(tmp_path / "model.safetensors", header, bytes(4))
    with pytest.raises(ModelError, match=r"; copy it again$"):
        read_tensors(tmp_path / "model.safetensors")


def test_a_huge_header_is_not_read(tmp_path):
    path = tmp_path / "model.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 2**33))
        file.truncate(2**33 + 8)  # a hole: it takes no disk, but reading it would take 8 GiB of memory
    with pytest.raises(ModelError, match="a header of 8589934592 bytes, at most 1048576"):
        read_tensors(path)


def test_a_file_longer_than_its_header_says_is_not_read(tmp_path):
    put(tmp_path / "model.safetensors", {"a": entry(0, 4)})
    with (tmp_path / "model.safetensors").open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(ModelError, match="its header describes 4"):
        read_tensors(tmp_path / "model.safetensors")


def test_names_are_compared_before_anything_else_is_looked_at(tmp_path):
    put(tmp_path / "model.safetensors", {f"x{i}": "no entry at all" for i in range(1000)})
    with pytest.raises(ModelError, match=r"lacks 'bias', 'weight'$"):
        read_tensors(tmp_path / "model.safetensors", EXPECTED)
    with pytest.raises(ModelError, match=r"'x0', 'x1', 'x10', 'x100', 'x101' and 995 more$"):
        read_tensors(tmp_path / "model.safetensors", {})


def test_a_wrong_shape_or_dtype_is_named(path):
    wrong = {"bias": ("float32", (3,)), "weight": ("float32", (3, 2))}
    with pytest.raises(ModelError, match=r"'weight' is float32 \(2, 3\), expected float32 \(3, 2\)"):
        read_tensors(path, wrong)
    with pytest.raises(ModelError, match=r"'bias' is float32 \(3,\), expected float16 \(3,\)"):
        read_tensors(path, {**EXPECTED, "bias": ("float16", (3,))})


def test_names_in_an_error_cannot_steer_a_terminal(tmp_path):
    put(tmp_path / "model.safetensors", {"\x1b[2J\n": entry(0, 4)}, bytes(4))
    with pytest.raises(ModelError) as caught:
        read_tensors(tmp_path / "model.safetensors", {})
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "pytorch_model.bin", "model.pkl", "last.ckpt"])
def test_a_pickle_is_never_opened(tmp_path, name):
    os.mkfifo(tmp_path / name)  # opening it in the ordinary way would never return
    with pytest.raises(ModelError, match="pickles are never opened"):
        read_tensors(tmp_path / name)


def test_a_pickle_under_another_name_is_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix")
    with pytest.raises(ModelError, match="a header of"):
        read_tensors(tmp_path / "model.safetensors")


def test_only_regular_files_are_read(path, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(path)
    for name, reason in [
        ("fifo", "not a regular file"),
        ("link", "is a symbolic link"),
        ("none", "No such file"),
    ]:
        with pytest.raises(ModelError, match=f"{name}: .*{reason}"):
            read_tensors(tmp_path / name)
    with pytest.raises(ModelError, match="/dev/zero: is not a regular file"):
        read_tensors(Path("/dev/zero"))
    with pytest.raises(ModelError, match="Is a directory"):
        read_tensors(tmp_path)


def test_a_fingerprint_is_the_sha256_that_other_tools_compute(tmp_path):
    path = tmp_path / "model.safetensors"
    written = write_tensors(path, {"x": np.zeros(3)})
    printed = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout
    assert (written.sha256, written.bytes) == (printed.split()[0], path.stat().st_size)
    assert written == fingerprint(path.read_bytes())
