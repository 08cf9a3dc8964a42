"""What NumPy computes is what the engine computes, for every task, cell and part of a network."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqrnn.answering.labeller import Labeller
from seqrnn.catalog import CELLS, POOLINGS
from seqrnn.data.dataset.batching import Batch
from seqrnn.data.record import Record
from seqrnn.search.beam import Beam
from seqrnn.search.decoding import Decoding, decode
from seqrnn.search.generation import Limits, generate
from seqrnn.search.sampling import Sampling
from seqrnn.tasks.task import LabelSelection

WORDS = ["abc", "b", "cab", "bacca", "a", "ccb", "abab", "cabac"]
PAIRS = "".join(f"{word}\t{' '.join(reversed(word.upper()))}\n" for word in WORDS)
SEQ2SEQ = {
    "task": "seq2seq",
    "data.tokenizer": "char",
    "data.target_tokenizer": "word",
    "data.valid_fraction": 0.0,
}
DEEP = {"model.num_layers": 2, "model.bidirectional": True, "model.head": "mlp"}
LONG = Limits(fixed_len=30)


@pytest.fixture(params=CELLS)
def cell(request):
    return {"model.cell": request.param}


def assert_same_values(session, engine, network, batches):
    for batch in batches(session):
        expected, found = engine.values(batch), network.values(batch)
        assert expected.keys() == found.keys()
        inside = np.ones(1, dtype=bool)
        if "tags" in expected:
            inside = np.arange(expected["tags"].shape[1]) < batch.arrays["lengths"][:, None]
        for name, array in expected.items():
            mask = inside if array.ndim == inside.ndim else np.ones(1, dtype=bool)
            np.testing.assert_allclose(found[name] * mask, array * mask, atol=1e-5)
            assert found[name].dtype == array.dtype


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("shape", [{}, DEEP])
def test_a_classifier(twins, batches, cell, pooling, shape):
    assert_same_values(*twins("tsv", {**cell, **shape, "model.pooling": pooling}), batches)


def test_a_classifier_keeps_what_its_whole_vocabulary_brings_for_batches_of_many_tokens(twins, cell):
    session, engine, network = twins("tsv", {**cell, "model.bidirectional": True})
    size = session.task.sizes().reads.vocabulary
    generator = np.random.default_rng(1)
    layer = network.network._rnn.layers.layers[0][1]
    assert layer._table_projected is None
    kept = []
    for _ in range(3):
        source, lengths = generator.integers(0, size, (12, 5)), generator.integers(0, 6, 12)
        batch = Batch({"source": source, "lengths": lengths}, 12, 60, 60, np.arange(12))
        expected, found = engine.values(batch), network.values(batch)
        np.testing.assert_allclose(found["log_probs"], expected["log_probs"], atol=1e-5)
        kept.append(layer._table_projected)
    assert len(kept[0]) == size
    assert kept[2] is kept[0]


@pytest.mark.parametrize("lengths", ["blank", "dynamic"])
@pytest.mark.parametrize("several", [False, True])
def test_a_classifier_of_padded_or_cut_rows_with_one_or_several_labels(twins, batches, lengths, several):
    settings = {"data.max_tokens": 3, "data.lengths": lengths, "data.multi_label": several}
    assert_same_values(*twins("tsv", settings), batches)


def series(kind, target):
    """Rows of numbers of several lengths, each with a target."""
    rows = [[[i % 3, j / 7, -i] for j in range(1 + i % 5)] for i in range(12)]
    values = [row[0] if kind == "vector" else row for row in rows]
    return "".join(json.dumps({kind: value, **target(i)}) + "\n" for i, value in enumerate(values))


NUMBERS = {
    "vectors to labels": ("vectors", "classification", lambda i: {"label": "ab"[i % 2]}),
    "one vector to labels": ("vector", "classification", lambda i: {"label": "ab"[i % 2]}),
    "vectors to a number": ("vectors", "regression", lambda i: {"label": f"{i / 2}"}),
}


@pytest.mark.parametrize("what", NUMBERS)
@pytest.mark.parametrize("shape", [{}, DEEP])
def test_numbers(twins, batches, what, shape):
    kind, task, target = NUMBERS[what]
    settings = {**shape, "task": task, "data.source_kind": kind}
    session, engine, network = twins("jsonl", settings, series(kind, target))
    assert session.task.model == ("feed-forward" if kind == "vector" else "classifier")
    assert_same_values(session, engine, network, batches)


def test_music(twins, batches, cell):
    pieces = [[[60 + j % 5, 64 + i] for j in range(2 + i)] for i in range(6)]
    content = "".join(json.dumps({"notes": piece}) + "\n" for piece in pieces)
    settings = {**cell, "task": "polyphony", "data.source_kind": "notes", "model.num_layers": 2}
    assert_same_values(*twins("jsonl", settings, content), batches)


@pytest.mark.parametrize("layer", ["softmax", "crf"])
@pytest.mark.parametrize("characters", [0, 3])
def test_a_tagger(twins, batches, cell, layer, characters):
    settings = {
        **cell,
        "model.output_layer": layer,
        "model.character_size": characters,
        "model.bidirectional": characters > 0,
        "model.num_layers": 2 if characters else 1,
    }
    assert_same_values(*twins("conll", settings), batches)


def test_a_text_is_written_step_by_step_as_it_is_read_at_once(twins, cell):
    _, _, network = twins("text", {**cell, "task": "language-model", "data.tokenizer": "char"})
    assert network._single_stream() is not None
    start = network.read(np.array([[2]]), None)
    for tokens in [[4, 5, 4, 6], [5, 5]]:  # the second text goes on from the same state
        states = start[1]
        for token in tokens:
            logits, states = network.step(np.array([token]), states)
        expected, last = network.read(np.array([[2, *tokens]]), None)
        np.testing.assert_allclose(logits, expected, atol=1e-5)
        np.testing.assert_allclose(states[0][0], last[0][0], atol=1e-6)


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"model.num_layers": 2},
        {"model.tie_embeddings": True},
        {"model.tie_embeddings": True, "model.hidden_size": 5},
    ],
)
def test_a_language_model(twins, cell, shape):
    _, engine, network = twins("text", {**cell, **shape})
    prompts = np.array([[2, 4, 5, 6], [2, 7, 7, 4]])
    expected, theirs = engine.read(prompts, None)
    found, ours = network.read(prompts, None)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    for tokens in ([5, 6], [4, 4], [7, 5]):
        expected, theirs = engine.step(np.array(tokens), theirs)
        found, ours = network.step(np.array(tokens), ours)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert found.dtype == np.float32


ENCODER_DECODERS = [
    {"model.attention": "general"},
    {"model.attention": "dot"},
    {"model.attention": "dot", "model.bidirectional": True},
    {"model.attention": "mlp", "model.bidirectional": True, "model.num_layers": 2},
    {"model.attention": "none"},
    {"model.entry": "first", "model.bidirectional": True, "model.num_layers": 2},
    {"model.attention": "none", "model.tie_embeddings": True},
    {"model.attention": "general", "model.tie_embeddings": True},
]


def assert_same_writing(session, engine, network, batches):
    for batch in batches(session):
        (expected, theirs), (found, ours) = engine.begin(batch), network.begin(batch)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        for rows in (np.arange(len(found))[:, None].repeat(2, axis=1), np.array([[1, 0]])):
            tokens = np.full(rows.size, 5)
            expected, theirs = engine.step(tokens, engine.select(theirs, rows))
            found, ours = network.step(tokens, network.select(ours, rows))
            np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("shape", ENCODER_DECODERS)
def test_an_encoder_decoder(twins, batches, cell, shape):
    assert_same_writing(*twins("tsv", {**SEQ2SEQ, **cell, **shape}, PAIRS), batches)


@pytest.mark.parametrize("kind", ["vector", "vectors"])
@pytest.mark.parametrize("entry", ["state", "first"])
def test_an_encoder_decoder_that_reads_numbers(twins, batches, kind, entry):
    settings = {**SEQ2SEQ, "data.source_kind": kind, "model.entry": entry, "model.num_layers": 2}
    content = series(kind, lambda i: {"target": WORDS[i % 8]})
    assert_same_writing(*twins("jsonl", settings, content), batches)


SEARCHED = [
    {},
    {"model.attention": "none", "model.entry": "first"},
    {"model.attention": "mlp", "model.bidirectional": True, "model.num_layers": 2},
]


@pytest.mark.parametrize("shape", SEARCHED)
def test_search_finds_the_same_strings(twins, batches, cell, shape):
    session, engine, network = twins("tsv", {**SEQ2SEQ, **cell, **shape}, PAIRS)
    for strategy in (Beam(3), Sampling(0.0), Sampling(1.0)):
        decoding = Decoding(Limits(8), strategy)
        for batch in batches(session):
            expected = decode(engine, engine.begin(batch), decoding)
            found = decode(network, network.begin(batch), decoding)
            for theirs, ours in zip(expected, found, strict=True):
                assert [h.tokens.tolist() for h in ours] == [h.tokens.tolist() for h in theirs]
                assert [h.score for h in ours] == pytest.approx([h.score for h in theirs], abs=1e-4)


@pytest.mark.parametrize("sampling", [Sampling(0.0), Sampling(1.0, seed=7)])
def test_a_language_model_writes_the_same_text(twins, cell, sampling):
    prompt = np.array([[2, 4, 5, 6]])
    written = [
        [
            int(chosen.tokens[0])
            for chosen in generate(backend.step, backend.read(prompt, None), LONG, sampling)
        ]
        for backend in twins("text", {**cell, "model.num_layers": 2})[1:]
    ]
    assert written[0] == written[1]
    assert len(written[0]) == LONG.length


@pytest.mark.parametrize("layer", ["softmax", "crf"])
@pytest.mark.parametrize("texts", [["Ann saw Bo", "", "old"], ["", ""]])
def test_a_tagger_of_empty_sentences(twins, layer, texts):
    session, *backends = twins("conll", {"model.output_layer": layer})
    expected, found = (
        Labeller(session.task, backend).answer([*map(Record, texts)], LabelSelection())
        for backend in backends
    )
    for text, theirs, ours in zip(texts, expected, found, strict=True):
        assert ours.prediction == theirs.prediction
        assert ours.score == pytest.approx(theirs.score, abs=1e-5)
        assert text or ours.score == 0.0
