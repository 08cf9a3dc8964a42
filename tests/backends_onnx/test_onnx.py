"""What onnxruntime computes from a file is what PyTorch computes, for every cell, task and part."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from seqrnn.backends.onnx.check import check
from seqrnn.backends.onnx.onnx_file import to_bytes
from seqrnn.backends.torch.backend import to_tensors
from seqrnn.catalog import CELLS
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.errors import NumericError
from seqrnn.search.step import log_softmax

DEEP = {"model.num_layers": 2, "model.bidirectional": True, "model.head": "mlp"}
POOLINGS = ["last", "mean", "max", "attention"]
FILLED = {"data.lengths": "blank", "data.max_tokens": 9}


@pytest.fixture(params=CELLS)
def cell(request):
    return {"model.cell": request.param}


def batches(session):
    found = list(session.task.batches(session.prepared.train, BatchOrder()))
    assert any(len(set(batch.arrays["lengths"].tolist())) > 1 for batch in found)  # some rows are padded
    return found


def longer(batch, name, rows, steps):
    """An array of a batch with empty rows and steps behind the others."""
    array = batch.arrays[name]
    return np.pad(array, [(0, rows), (0, steps)][: array.ndim] + [(0, 0)] * (array.ndim - 2))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("shape", [{}, DEEP])
def test_a_classifier(exported, cell, pooling, shape):
    model = exported("tsv", {**cell, **shape, "model.pooling": pooling})
    for batch in batches(model.session):
        found = model.answer({"tokens": batch.arrays["source"], "lengths": batch.arrays["lengths"]})
        np.testing.assert_allclose(
            found["log_probs"], model.engine.values(batch)["log_probs"], atol=1e-5, rtol=1e-5
        )


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("shape", [FILLED, {"data.multi_label": True, **DEEP}])
def test_neither_filling_nor_empty_rows_change_a_classifier(exported, cell, pooling, shape):
    model = exported("tsv", {**cell, **shape, "model.pooling": pooling})
    for batch in batches(model.session):
        found = model.answer(
            {"tokens": longer(batch, "source", 2, 3), "lengths": longer(batch, "lengths", 2, 0)}
        )
        arrays = {name: longer(batch, name, 2, 0) for name in ("source", "lengths")}
        expected = model.engine.values(replace(batch, arrays=arrays))["log_probs"]
        np.testing.assert_allclose(found["log_probs"], expected, atol=1e-5, rtol=1e-5)


def test_vectors_enter_as_the_data_have_them(exported, cell):
    rows = [[[1000 + i % 3, j / 7, -i] for j in range(1 + i % 5)] for i in range(12)]
    content = "".join(json.dumps({"vectors": row, "label": "ab"[i % 2]}) + "\n" for i, row in enumerate(rows))
    model = exported(
        "jsonl", {**cell, "task": "classification", "data.source_kind": "vectors", **FILLED}, content
    )
    field = model.session.task.source
    for batch in batches(model.session):
        raw = batch.arrays["source"] * field.deviation + field.mean
        found = model.answer({"vectors": raw, "lengths": batch.arrays["lengths"]})
        expected = model.engine.values(batch)["log_probs"]
        np.testing.assert_allclose(found["log_probs"], expected, atol=1e-4)


def tagger_inputs(arrays):
    inputs = {"tokens": arrays["source"], "lengths": arrays["lengths"]}
    if "spellings" in arrays:
        index = arrays["spelling_index"]
        inside = np.arange(index.shape[1]) < arrays["lengths"][:, None]
        inputs["characters"] = arrays["spellings"][index]
        inputs["character_lengths"] = arrays["spelling_lengths"][index] * inside
    return inputs


@pytest.mark.parametrize("layer", ["softmax", "crf"])
@pytest.mark.parametrize("characters", [0, 3])
@pytest.mark.parametrize("shape", [{"model.bidirectional": True}, {**DEEP, **FILLED}])
def test_a_tagger(exported, cell, layer, characters, shape):
    settings = {"model.output_layer": layer, "model.character_size": characters}
    model = exported("conll", {**cell, **settings, **shape}, noise={"crf": 1.0})
    for batch in batches(model.session):
        found, expected = model.answer(tagger_inputs(batch.arrays)), model.engine.values(batch)
        inside = np.arange(found["tags"].shape[1]) < batch.arrays["lengths"][:, None]
        np.testing.assert_array_equal(found["tags"][inside], expected["tags"][inside])
        with torch.inference_mode():
            scores = model.session.model.network.scores(to_tensors(batch, torch.device("cpu")))
            scores = scores.log_softmax(dim=2) if layer == "softmax" else scores
        np.testing.assert_allclose(found["scores"][inside], scores.numpy()[inside], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"model.num_layers": 2},
        {"model.tie_embeddings": True},
        {"model.tie_embeddings": True, "model.hidden_size": 5},
    ],
)
def test_a_language_model_goes_on_from_its_own_state(exported, cell, shape):
    model = exported("text", {**cell, **shape})
    sizes = (shape.get("model.num_layers", 1), 2, shape.get("model.hidden_size", 6))
    names = ["h", "c"] if cell["model.cell"] == "lstm" else ["h"]
    states = {f"{name}_in": np.zeros(sizes, "float32") for name in names}
    tokens = np.array([[2, 4, 5, 6], [2, 7, 7, 4]])
    found = model.answer({"tokens": tokens, "lengths": np.array([4, 4]), **states})
    logits, theirs = model.engine.read(tokens, None)
    np.testing.assert_allclose(found["log_probs"][:, -1], log_softmax(logits), atol=1e-5)
    for step in ([5, 6], [4, 4], [7, 5]):
        states = {f"{name}_in": found[f"{name}_out"] for name in names}
        found = model.answer({"tokens": np.array(step)[:, None], "lengths": np.array([1, 1]), **states})
        logits, theirs = model.engine.step(np.array(step), theirs)
        np.testing.assert_allclose(found["log_probs"][:, 0], log_softmax(logits), atol=1e-5)


def test_a_row_of_a_language_model_ends_at_its_length(exported, cell):
    model = exported("lines", cell)
    random, lengths = np.random.default_rng(5), np.array([3, 0, 5])
    inputs = model.network.sample(lengths, 7, random)
    together = model.answer(inputs)
    for row, length in enumerate(lengths):
        if length == 0:
            for name in ("h", "c"):
                if f"{name}_in" in inputs:
                    np.testing.assert_array_equal(
                        together[f"{name}_out"][:, row], inputs[f"{name}_in"][:, row]
                    )
            continue
        alone = model.answer(
            {
                name: array[:, row : row + 1]
                if name.endswith("_in")
                else array[row : row + 1, :length]
                if array.ndim == 2
                else array[row : row + 1]
                for name, array in inputs.items()
            }
        )
        np.testing.assert_allclose(
            together["log_probs"][row, :length], alone["log_probs"][0, :length], atol=1e-6
        )
        np.testing.assert_allclose(together["h_out"][:, row], alone["h_out"][:, 0], atol=1e-6)


KINDS = {
    "tsv": {"model.pooling": "max", **DEEP},
    "conll": {"model.output_layer": "crf"},
    "text": {"model.num_layers": 2},
}


@pytest.mark.parametrize("layout", KINDS)
def test_the_check_finds_no_difference(exported, cell, layout):
    model = exported(layout, {**cell, **KINDS[layout]})
    assert check(model.network, model.graph.outputs, model.file) < 1e-5


@pytest.mark.parametrize("layout", KINDS)
def test_the_check_finds_any_weight_that_is_another(exported, layout):
    model = exported(layout, KINDS[layout])
    for name, array in model.graph.arrays.items():
        if "constant" in name or "scalar" in name or "crf" in name:
            continue  # what a CRF adds shows only where it changes the best sequence; see test_onnx_crf.py
        noise = np.random.default_rng(2).normal(scale=30.0, size=array.shape).astype("float32")
        changed = {**model.graph.arrays, name: array + noise}
        file = to_bytes(replace(model.graph, arrays=changed), "", {})
        with pytest.raises(NumericError, match=r"onnxruntime computes other \w+ than seqrnn, by"):
            check(model.network, model.graph.outputs, file)


def test_the_axes_of_batch_and_time_may_have_any_length(exported):
    model = exported("tsv")
    opened = onnx.load_from_string(model.file)
    shapes = {
        port.name: [axis.dim_param or axis.dim_value for axis in port.type.tensor_type.shape.dim]
        for port in (*opened.graph.input, *opened.graph.output)
    }
    assert shapes == {"tokens": ["batch", "time"], "lengths": ["batch"], "log_probs": ["batch", 3]}
    assert opened.opset_import[0].version == 17
