"""Sentences about images and vectors: however these enter the decoder, and wherever it looks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from seqrnn.answering.row_writer import RowWriter
from seqrnn.backends.torch.backend import TorchBackend, to_tensors
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.data.record import Record
from seqrnn.search.beam import Beam
from seqrnn.search.decoding import Decoding, decode
from seqrnn.search.generation import Limits
from seqrnn.search.sampling import Sampling
from seqrnn.training.evaluation import EvaluationOptions, evaluate
from seqrnn.training.session import RunTarget

CPU = torch.device("cpu")
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220)}
BASE = {
    "task": "seq2seq",
    "data.target_tokenizer": "word",
    "data.valid_fraction": 0.0,
    "data.image_size": 16,
    "model.channels": 8,
    "model.embedding_size": 12,
}
WAYS = [(entry, attention) for entry in ("state", "first") for attention in ("general", "mlp", "none")]


@pytest.fixture(params=WAYS, ids=" ".join)
def way(request):
    return dict(zip(("model.entry", "model.attention"), request.param, strict=True))


@pytest.fixture
def make(tmp_path, make_session):
    """A function: settings -> a session over flags of two colours and sentences of several lengths."""

    def make_flags(settings=None):
        rows = []
        for upper, upper_colour in COLOURS.items():
            for lower, lower_colour in COLOURS.items():
                flag = Image.new("RGB", (16, 16), upper_colour)
                flag.paste(lower_colour, (0, 8, 16, 16))
                path = tmp_path / f"{upper}-{lower}.png"
                flag.save(path)
                text = f"all {upper}" if upper == lower else f"some {upper} above {lower}"
                rows.append(f"{path}\t{text}\n")
        return make_session("tsv", {**BASE, "data.source_kind": "image", **(settings or {})}, "".join(rows))

    return make_flags


@pytest.fixture
def of_vectors(tmp_path, make_session):
    """A function: settings -> a session over vectors, each in a file of its own."""

    def make_vectors(settings):
        rows = []
        for number, vector in enumerate(np.random.default_rng(1).normal(size=(6, 5))):
            np.save(tmp_path / f"{number}.npy", vector)
            rows.append(f"{tmp_path / f'{number}.npy'}\tnumber {number}\n")
        return make_session("tsv", {**BASE, "data.source_kind": "vector", **settings}, "".join(rows))

    return make_vectors


def tensors(session):
    return [to_tensors(batch, CPU) for batch in session.task.batches(session.prepared.train, BatchOrder())]


@torch.inference_mode()
def test_a_sentence_read_at_once_is_scored_as_it_is_written_step_by_step(make, way):
    session = make({**way, "model.num_layers": 2})
    model = session.model.eval()
    for arrays in tensors(session):
        start = model.network.encode(arrays)
        at_once = model.network.decoder(arrays["inputs"], arrays["target_lengths"], start)
        logits, writing = model.begin(arrays)
        for step in range(arrays["inputs"].shape[1]):
            running = arrays["target_lengths"] > step
            torch.testing.assert_close(logits[running], at_once[running, step], atol=1e-5, rtol=0)
            logits, writing = model.step(arrays["targets"][:, step], writing)


@torch.inference_mode()
def test_an_image_is_told_alone_as_in_any_batch(make, way):
    model = make(way).model.eval()
    source = torch.randn(7, 3, 16, 16)
    together, _ = model.begin({"source": source, "source_lengths": torch.ones(7, dtype=torch.long)})
    for row in range(7):
        arrays = {"source": source[row : row + 1], "source_lengths": torch.ones(1, dtype=torch.long)}
        torch.testing.assert_close(model.begin(arrays)[0][0], together[row], atol=1e-5, rtol=0)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_every_weight_has_a_gradient(make, way, cell):
    session = make({**way, "model.cell": cell})
    for arrays in tensors(session):
        session.model(arrays).loss.total.backward()
    without = [name for name, p in session.model.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


@torch.inference_mode()
def test_the_first_input_is_read_before_the_first_token(make):
    """Reading it is the same as a sequence that begins with its vector, whose first answer is dropped."""
    model = make({"model.entry": "first", "model.attention": "none"}).model.eval()
    source = torch.randn(3, 3, 16, 16)
    places = model.embedding(source)
    last = model.network._encoder(places)
    tokens = torch.tensor([[2, 5, 6]] * 3)
    steps = torch.cat([model.bridge.map(last[-1][0]).unsqueeze(1), model.decoder.embedding(tokens)], dim=1)
    hidden, _ = model.decoder.rnn(steps, torch.full((3,), 4))
    start, decoder = model.network.encode({"source": source}), model.network.decoder
    logits = decoder(tokens, torch.full((3,), 3), start)
    torch.testing.assert_close(logits, decoder.score(hidden[:, 1:], start.memory), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_attention_sees_every_position_of_an_image(make):
    session = make({"model.attention": "general"})
    model = session.model.eval()
    memory = model.network.encode({"source": torch.randn(2, 3, 16, 16)}).memory
    assert memory.mask.shape == (2, 64)
    assert memory.mask.all()


@pytest.mark.parametrize(("entry", "attention"), [("state", "general"), ("first", "mlp"), ("state", "none")])
def test_captions_are_learned_and_written_and_saved(make, entry, attention, tmp_path, opened):
    settings = {
        "model.entry": entry,
        "model.attention": attention,
        "model.hidden_size": 32,
        "training.epochs": 100.0,
        "training.batch_size": 16,
        "training.accumulate": 2,  # both lengths of sentences
        "training.learning_rate": 1e-2,
        "training.schedule": "linear",
    }
    session = make(settings)
    for _ in session.train(RunTarget(tmp_path / "run")):
        pass
    figures = evaluate(session.model, session.task, session.prepared.train, EvaluationOptions(beam=Beam(1)))
    assert figures["exact_match"] == 1.0
    records = [Record(str(tmp_path / f"{name}.png")) for name in ("red-blue", "green-green", "blue-red")]
    answers = RowWriter(*opened(tmp_path / "run")).answer(records, Decoding(Limits(20), Beam(3)))
    assert [a.prediction for a in answers] == ["some red above blue", "all green", "some blue above red"]


def tokens(found):
    return list(found[0].tokens)


@torch.inference_mode()
def test_greedy_is_a_beam_of_one_and_a_wider_beam_finds_nothing_worse(make, way):
    session = make(way)
    backend = TorchBackend(session.model.eval())
    for batch in session.task.batches(session.prepared.train, BatchOrder()):
        greedy, one, four = (
            decode(backend, backend.begin(batch), Decoding(Limits(12), strategy))
            for strategy in (Sampling(temperature=0.0), Beam(1), Beam(4))
        )
        assert [tokens(row) for row in greedy] == [tokens(row) for row in one]
        assert all(wide[0].score >= narrow[0].score - 1e-5 for wide, narrow in zip(four, one, strict=True))


@torch.inference_mode()
def test_a_vector_is_a_memory_of_one_place(of_vectors, way):
    session = of_vectors(way)
    model = session.model.eval()
    for arrays in tensors(session):
        memory = model.network.encode(arrays).memory
        assert memory.values.shape == (len(arrays["source"]), 1, 5)
        assert memory.mask.all()
        assert model(arrays).loss.total.isfinite()


def test_what_is_read_without_time_is_told_as_one_to_many(make, of_vectors):
    shape = make().task.shape()
    assert shape.startswith("one-to-many: image -> CNN -> s_0 -> y_1 ... y_T")
    assert make({"model.entry": "first"}).task.shape().startswith("one-to-many: image -> CNN -> x_0 ->")
    assert of_vectors({}).task.shape().startswith("one-to-many: vector -> s_0")


def test_all_captions_of_an_image_are_right(make, tmp_path, make_session):
    make()
    image = tmp_path / "red-blue.png"
    rows = f"{image}\tone way\n{tmp_path / 'red-red.png'}\tanother image\n{image}\tother way\n"
    session = make_session("tsv", {**BASE, "data.source_kind": "image"}, rows)
    (batch,) = session.task.batches(session.prepared.train, BatchOrder())
    scorer = session.task.scorer()
    answers = ["other way", "one way", "one way"]
    ids = [session.task.target.tokenizer.encode(answers[row]).ids for row in batch.rows]
    scorer.add(batch, {"generated": np.stack(ids), "generated_scores": np.zeros(len(ids))})
    assert scorer.result(0.0).figures["exact_match"] == pytest.approx(2 / 3)


def test_weights_of_text_models_keep_their_names(make_session):
    session = make_session("tsv", {"task": "seq2seq", "data.valid_fraction": 0.0}, "a b\tb a\nb\ta\n")
    assert {name.split(".")[0] for name in session.model.state_dict()} == {
        "embedding",
        "encoder",
        "bridge",
        "decoder",
    }
    assert "bridge.layers.0.0.weight" in session.model.state_dict()
