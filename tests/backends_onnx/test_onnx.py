"""What onnxruntime computes from a file is what PyTorch computes, for every cell, task and part."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from msgspec import structs

from seqrnn.backends.onnx.check import check, check_writing
from seqrnn.backends.onnx.onnx_file import to_bytes
from seqrnn.backends.torch.backend import to_tensors
from seqrnn.catalog import CELLS, POOLINGS
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.data.text.tokenizer import BOS
from seqrnn.errors import NumericError
from seqrnn.search.step import log_softmax

DEEP = {"model.num_layers": 2, "model.bidirectional": True, "model.head": "mlp"}
PADDED = {"data.lengths": "blank", "data.max_tokens": 9}


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
@pytest.mark.parametrize("shape", [PADDED, {"data.multi_label": True, **DEEP}])
def test_neither_padding_nor_empty_rows_change_a_classifier(exported, cell, pooling, shape):
    model = exported("tsv", {**cell, **shape, "model.pooling": pooling})
    for batch in batches(model.session):
        found = model.answer(
            {"tokens": longer(batch, "source", 2, 3), "lengths": longer(batch, "lengths", 2, 0)}
        )
        arrays = {name: longer(batch, name, 2, 0) for name in ("source", "lengths")}
        expected = model.engine.values(structs.replace(batch, arrays=arrays))["log_probs"]
        np.testing.assert_allclose(found["log_probs"], expected, atol=1e-5, rtol=1e-5)


def test_vectors_enter_as_the_data_have_them(exported, cell):
    rows = [[[1000 + i % 3, j / 7, -i] for j in range(1 + i % 5)] for i in range(12)]
    content = "".join(json.dumps({"vectors": row, "label": "ab"[i % 2]}) + "\n" for i, row in enumerate(rows))
    model = exported(
        "jsonl", {**cell, "task": "classification", "data.source_kind": "vectors", **PADDED}, content
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
@pytest.mark.parametrize("shape", [{"model.bidirectional": True}, {**DEEP, **PADDED}])
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


def series(kind, target):
    rows = [[[i % 3, j / 7, -i] for j in range(1 + i % 5)] for i in range(12)]
    return "".join(
        json.dumps({kind: row[0] if kind == "vector" else row, **target(i)}) + "\n"
        for i, row in enumerate(rows)
    )


@pytest.mark.parametrize("kind", ["vectors", "vector"])
def test_a_regression_gives_numbers_in_the_unit_of_the_data(exported, cell, kind):
    content = series(kind, lambda i: {"label": 1000.0 + i / 2})
    settings = {**cell, "task": "regression", "data.source_kind": kind, "model.num_layers": 2}
    model = exported("jsonl", settings, content)
    source, numbers = model.session.task.fields
    for batch in model.session.task.batches(model.session.prepared.train, BatchOrder()):
        raw = batch.arrays["source"] * source.deviation + source.mean
        inputs = {"vectors": raw, "lengths": batch.arrays["lengths"]}
        found = model.answer({"vectors": raw[:, 0]} if kind == "vector" else inputs)["numbers"]
        expected = numbers.restore(model.engine.values(batch)["numbers"])
        assert found.min() > 900
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert check(model.network, model.graph.outputs, model.file) < 1e-5


def test_one_vector_is_labelled(exported):
    content = series("vector", lambda i: {"label": "ab"[i % 2]})
    settings = {"task": "classification", "data.source_kind": "vector", "model.head": "mlp"}
    model = exported("jsonl", settings, content)
    field = model.session.task.source
    for batch in model.session.task.batches(model.session.prepared.train, BatchOrder()):
        raw = batch.arrays["source"][:, 0] * field.deviation + field.mean
        expected = model.engine.values(batch)["log_probs"]
        np.testing.assert_allclose(model.answer({"vectors": raw})["log_probs"], expected, atol=1e-5)
    assert check(model.network, model.graph.outputs, model.file) < 1e-5


def test_music_goes_on(exported, cell):
    pieces = [[[(i + step) % 5, step % 2] for step in range(1 + i % 5)] for i in range(12)]
    content = "".join(json.dumps({"notes": piece}) + "\n" for piece in pieces)
    settings = {**cell, "task": "polyphony", "data.source_kind": "notes", "data.keys": 5}
    model = exported("jsonl", settings, content)
    for batch in batches(model.session):
        notes = batch.arrays["source"].astype("float32")
        found = model.answer({"notes": notes, "lengths": batch.arrays["lengths"]})["log_probs"]
        np.testing.assert_allclose(found, model.engine.values(batch)["log_probs"], atol=1e-5)
    assert check(model.network, model.graph.outputs, model.file) < 1e-5


WORDS = ["abc", "b", "cab", "bacca", "a", "ccb", "abab", "cabac"]
PAIRS = "".join(f"{word}\t{' '.join(reversed(word.upper()))}\n" for word in WORDS)
WRITERS = [
    {"model.attention": "general", "model.bidirectional": True},
    {"model.attention": "dot", "model.tie_embeddings": True},
    {"model.attention": "mlp", "model.num_layers": 2, "model.bidirectional": True},
    {"model.attention": "none", "model.entry": "first", "model.num_layers": 2},
]


@pytest.mark.parametrize("shape", WRITERS)
def test_an_encoder_and_a_decoder_write_greedily_as_the_engine_does(exported, cell, shape):
    settings = {"task": "seq2seq", "data.tokenizer": "char", "data.target_tokenizer": "word", **cell, **shape}
    model = exported("tsv", settings, PAIRS)
    encoder, decoder = model.parts
    for batch in model.session.task.batches(model.session.prepared.train, BatchOrder()):
        inputs = {"tokens": batch.arrays["source"], "lengths": batch.arrays["source_lengths"]}
        given = encoder.answer(inputs)
        memory = {name: given[name] for name in ("keys", "values", "mask") if name in given}
        logits, state = model.engine.begin(batch)
        tokens = np.full(len(logits), BOS)
        for _ in range(6):
            states = {name.replace("out", "in"): given[name] for name in given if name.endswith("_out")}
            given = decoder.answer({"tokens": tokens, **states, **memory})
            np.testing.assert_allclose(given["log_probs"], log_softmax(logits), atol=1e-5)
            tokens = given["log_probs"].argmax(axis=1)
            np.testing.assert_array_equal(tokens, logits.argmax(axis=1))
            logits, state = model.engine.step(tokens, state)
    networks, files = zip(*((part.network, part.file) for part in model.parts), strict=True)
    assert check_writing(*networks, files) < 1e-5
    for part in model.parts:
        assert check(part.network, part.graph.outputs, part.file) < 1e-5


def test_a_decoder_that_writes_something_else_is_found(exported):
    settings = {"task": "seq2seq", "data.tokenizer": "char", "data.target_tokenizer": "word"}
    encoder, decoder = exported("tsv", settings, PAIRS).parts
    name = "decoder.attention.keys.weight"
    assert name in encoder.graph.arrays
    changed = {**encoder.graph.arrays, name: encoder.graph.arrays[name] + 5}
    file = to_bytes(replace(encoder.graph, arrays=changed), "", {})
    with pytest.raises(NumericError, match="onnxruntime computes other sequences than seqrnn, by"):
        check_writing(encoder.network, decoder.network, [file, decoder.file])


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
