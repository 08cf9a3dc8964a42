"""The manifest: refused unless every word of it is understood."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from seqrnn.errors import ModelError
from seqrnn.run.calibration import Calibration, Confidence
from seqrnn.run.files import fingerprint
from seqrnn.run.manifest import Manifest, Metric

FILE = fingerprint(b"weights")
GOOD = Manifest(
    seqrnn="0.1.0",
    step=400,
    epoch=1.5,
    metric=Metric(name="loss", value=1.25, better="lower"),
    files={"model.safetensors": FILE, "config.yaml": FILE},
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "manifest.json"
    path.write_text(GOOD.to_json())
    return path


def change(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_manifest_comes_back_as_it_was_written(path):
    assert Manifest.read(path) == GOOD
    assert json.loads(path.read_text())["created"].endswith("+00:00")


def test_format_2_says_how_weights_are_stored_and_format_1_is_as_it_was(path):
    assert "weights" not in json.loads(path.read_text())
    shrunk = replace(GOOD, format=2, weights="int8")
    path.write_text(shrunk.to_json())
    assert json.loads(path.read_text())["weights"] == "int8"
    assert Manifest.read(path) == shrunk


def test_calibration_is_left_out_where_there_is_none_and_comes_back_where_there_is(path):
    assert "calibration" not in json.loads(path.read_text())
    calibration = Calibration(temperature=0.75, confidence=Confidence(slope=2.0, offset=-1.0))
    calibrated = replace(GOOD, calibration=calibration)
    path.write_text(calibrated.to_json())
    assert Manifest.read(path) == calibrated


def test_a_newer_format_is_refused_by_its_number(path):
    change(path, format=3, new_key=1)
    with pytest.raises(ModelError, match=r"manifest.json: format 3; this reads 1-2; upgrade seqrnn$"):
        Manifest.read(path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": None}, "format None"),
        ({"step": -1}, "'step'"),
        ({"step": "400"}, "'step'"),
        ({"step": True}, "'step'"),
        ({"epoch": None}, "'epoch'"),
        ({"metric": {"name": "loss"}}, "'metric.value'"),
        ({"metric": {"name": "loss", "value": 1.0, "better": "best"}}, "'metric.better'"),
        ({"files": {}}, "does not list model.safetensors"),
        ({"files": {"../../etc/passwd": msgspec.to_builtins(FILE)}}, "'files': none of the values"),
        ({"files": {"/etc/passwd": msgspec.to_builtins(FILE)}}, "'files': none of the values"),
        ({"files": {"model.safetensors": {"sha256": "abc", "bytes": 1}}}, r"'files\[...\].sha256'"),
        (
            {"files": {"model.safetensors": {"sha256": "0" * 64, "bytes": -1}}},
            r"'files\[...\].bytes'",
        ),
        ({"command": "rm -rf"}, "'command'"),
        ({"weights": "int8"}, "'weights' is a key of format 2"),
        ({"format": 2}, "'weights' is a key of format 2"),
        ({"format": 2, "weights": "int4"}, "'weights'"),
        ({"calibration": {"temperature": 0.0}}, "'calibration.temperature'"),
        ({"calibration": {"temperature": 1e9}}, "'calibration.temperature'"),
        ({"calibration": {"temperature": "1.5"}}, "'calibration.temperature'"),
        ({"calibration": {"temperature": 1.5, "bias": 0.0}}, "'calibration.bias'"),
        ({"calibration": {"confidence": {"slope": -1.0, "offset": 0.0}}}, "'calibration.confidence.slope'"),
        ({"calibration": {"confidence": {"slope": 1.0}}}, "'calibration.confidence.offset'"),
    ],
)
def test_a_malformed_manifest_is_refused(path, changes, reason):
    change(path, **changes)
    with pytest.raises(ModelError, match=f"manifest.json: {reason}"):
        Manifest.read(path)


def test_a_key_that_stands_twice_is_refused(path):
    path.write_text(path.read_text().replace('"step": 400', '"step": 400, "step": 500'))
    with pytest.raises(ModelError, match="'step' occurs twice"):
        Manifest.read(path)


def test_an_oversized_manifest_is_not_read(path):
    with path.open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(ModelError, match="1099511627776 bytes, more than the 1048576 allowed"):
        Manifest.read(path)


@settings(deadline=None)
@given(
    content=st.one_of(
        st.binary(), st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode)
    )
)
def test_any_bytes_give_a_model_error_of_one_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("manifest") / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        Manifest.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), None])
def test_a_metric_that_is_no_number_has_no_value(value):
    metric = Metric(name="loss", value=value, better="lower", loss=value)
    assert (metric.value, metric.loss) == (None, None)


def test_the_best_metric_is_the_first_of_equals_that_of_the_lowest_loss():
    metrics = [
        Metric(name="accuracy", value=value, better="higher", loss=loss)
        for value, loss in [(0.9, 1.0), (0.9, 2.0), (0.9, None), (0.8, 0.5), (None, 0.1), (None, None)]
    ]
    mixed = [metrics[place] for place in (3, 5, 0, 4, 2, 1)]
    assert sorted(mixed, key=lambda metric: metric.rank) == metrics
