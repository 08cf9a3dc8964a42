"""Networks over numbers: their formulas and losses, computed once more by hand."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from seqrnn.backends.torch.build import build_network
from seqrnn.backends.torch.loss import PLAIN, Objective
from seqrnn.backends.torch.networks import LOSSES
from seqrnn.backends.torch.ops import TorchOps
from seqrnn.config import ModelConfig
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.data.fields.input_sizes import TokenSizes, VectorSizes
from seqrnn.errors import UsageError
from seqrnn.networks.inputs import VectorInput, build_input
from seqrnn.networks.predictions import PREDICTIONS
from seqrnn.networks.sizes import ClassifierSizes
from seqrnn.training.evaluation import evaluate, to_tensors
from seqrnn.training.events import Stepped
from seqrnn.training.session import RunTarget

SCORES = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]])


def test_vectors_enter_as_they_are_but_as_floats():
    vectors = torch.tensor([[[1, 0], [0, 1]]], dtype=torch.int64)
    read = VectorInput(TorchOps(nn.Module().eval(), True), 0.5)(vectors)
    assert read.dtype == torch.float32
    assert torch.equal(read, vectors.float())
    torch.manual_seed(1)
    assert set(VectorInput(TorchOps(nn.Module(), True), 0.5)(torch.ones(50, 4, 2)).unique().tolist()) == {
        0.0,
        2.0,
    }


def test_what_is_read_decides_the_input_and_its_size():
    config = ModelConfig(embedding_size=7)
    ops = TorchOps(nn.Module(), True).within("embedding")
    assert build_input(ops, config, VectorSizes(3))[1] == 3
    embedding, size = build_input(ops, config, TokenSizes(20))
    assert (size, embedding.table.weight.shape) == (7, (20, 7))


@torch.inference_mode()
def test_layers_without_recurrence_are_those_of_their_equation():
    config = ModelConfig(num_layers=2, hidden_size=4)
    model = build_network("feed-forward", config, ClassifierSizes(VectorSizes(3), 2, "label")).eval()
    x = torch.randn(5, 1, 3, generator=torch.Generator().manual_seed(1))
    h = x[:, 0]
    for layer in model.reader.layers.children():
        h = torch.clamp(h @ layer.weight.T + layer.bias, min=0)
    head = model.get_submodule("head.1")
    expected = (h @ head.weight.T + head.bias).log_softmax(dim=1)
    torch.testing.assert_close(model({"source": x}).values["log_probs"], expected)


def judged(predicts, scores, labels, objective=PLAIN):
    """The loss of scores, and what they say."""
    prediction = PREDICTIONS[predicts]
    return LOSSES[prediction](scores, labels, objective), prediction(TorchOps(nn.Module(), True), scores)


def test_one_label_costs_its_negative_log_probability():
    labels = torch.tensor([0, 2])
    loss, values = judged("label", SCORES, labels)
    by_hand = -sum(SCORES[row].softmax(0)[label].log() for row, label in enumerate(labels))
    assert loss.total.item() == pytest.approx(by_hand.item(), rel=1e-6)
    assert loss.count == 2
    torch.testing.assert_close(values["log_probs"], SCORES.log_softmax(dim=1))


def test_several_labels_cost_a_binary_loss_each():
    labels = torch.tensor([[1, 0, 1], [0, 0, 0]])
    loss, values = judged("labels", SCORES, labels)
    p = 1 / (1 + torch.exp(-SCORES))
    by_hand = -(labels * p.log() + (1 - labels) * (1 - p).log()).sum()
    assert loss.total.item() == pytest.approx(by_hand.item(), rel=1e-5)
    torch.testing.assert_close(values["log_probs"].exp(), p)


def test_a_number_costs_its_squared_difference_whatever_the_objective():
    scores, numbers = torch.tensor([[1.5], [-2.0]]), torch.tensor([1.0, 2.0])
    loss, values = judged("number", scores, numbers, Objective(label_smoothing=0.3))
    assert loss.total.item() == pytest.approx(0.25 + 16)
    assert loss.count == 2
    assert values["numbers"].tolist() == [1.5, -2.0]


@pytest.mark.parametrize("predicts", list(PREDICTIONS))
def test_without_targets_there_are_answers_and_no_loss(predicts):
    model = build_network("feed-forward", ModelConfig(), ClassifierSizes(VectorSizes(3), 1, predicts))
    output = model({"source": SCORES[:, None]})
    assert output.loss is None
    assert len(next(iter(output.values.values()))) == 2


@pytest.fixture
def network():
    torch.manual_seed(4)
    return build_network("polyphony", ModelConfig(cell="gru", hidden_size=6), VectorSizes(4)).eval()


NOTES = [[[0, 1], [2], [], [1, 3]], [[3]], [[1], [1, 2]]]


def roll(piece):
    return torch.tensor([[float(key in step) for key in range(4)] for step in piece])


@torch.inference_mode()
def test_the_loss_of_music_is_that_of_each_key_of_each_later_step(network):
    lengths = torch.tensor([len(piece) for piece in NOTES])
    for value in (0.0, 1.0):  # what comes after a piece means nothing
        notes = torch.full((3, 6, 4), value)
        for row, piece in enumerate(NOTES):
            notes[row, : len(piece)] = roll(piece)
        output = network({"source": notes, "lengths": lengths})
        by_hand, cell, head = 0.0, network.rnn.layers[0][0], network.get_submodule("head.1")
        for row, piece in enumerate(NOTES):
            hidden, _ = cell(roll(piece).unsqueeze(0).transpose(0, 1))
            p = torch.sigmoid(hidden[:, 0] @ head.weight.T + head.bias)  # (T, K), of the step that follows
            for t in range(len(piece) - 1):
                by_hand -= sum((p[t, k] if k in piece[t + 1] else 1 - p[t, k]).log().item() for k in range(4))
            torch.testing.assert_close(output.values["log_probs"][row].exp(), p[-1])
        assert output.loss.total.item() == pytest.approx(by_hand, rel=1e-5)
        assert output.loss.count == 3 + 0 + 1


def test_no_step_sees_a_later_one(network):
    notes = roll(NOTES[0]).unsqueeze(0)
    with torch.inference_mode():
        scores = network.network.step_scores({"source": notes, "lengths": torch.tensor([4])})
        changed = notes.clone()
        changed[0, 2] = 1 - changed[0, 2]
        others = network.network.step_scores({"source": changed, "lengths": torch.tensor([4])})
    assert torch.equal(scores[:, :2], others[:, :2])
    assert not torch.equal(scores[:, 2:], others[:, 2:])


def test_a_piece_of_one_step_has_nothing_to_predict_and_stops_no_training(make_session, tmp_path):
    content = "".join(json.dumps({"notes": piece}) + "\n" for piece in [[[1]]] * 4 + [[[1], [2]]] * 4)
    settings = {"task": "polyphony", "data.source_kind": "notes", "data.keys": 4, "training.batch_size": 1}
    session = make_session("jsonl", settings | {"data.valid_fraction": 0.0}, content)
    steps = [event for event in session.train(RunTarget(tmp_path / "run")) if isinstance(event, Stepped)]
    assert [event.skipped for event in steps] == [False] * 16
    assert sum(event.loss == 0.0 for event in steps) == 8
    figures = evaluate(session.model, session.task, session.prepared.train).figures
    assert (figures["examples"], figures["tokens"]) == (8, 4)


def test_word_vectors_do_not_go_with_numbers(make_session):
    with pytest.raises(UsageError, match=r"`model.embeddings` x\.vec: .* task reads no words"):
        make_session(
            "jsonl",
            {"data.source_kind": "vectors", "model.embeddings": "x.vec"},
            '{"vectors": [[1]], "label": "a"}\n{"vectors": [[2]], "label": "b"}\n',
        )


def test_a_class_that_is_rare_weighs_more_over_numbers_too(make_session):
    rows = [{"vector": [i, -i], "label": "a" if i else "b"} for i in range(4)]
    settings = {"data.source_kind": "vector", "training.class_weights": "balanced"}
    content = "".join(json.dumps(row) + "\n" for row in rows)
    session = make_session("jsonl", settings | {"data.valid_fraction": 0.0}, content)
    (batch,) = session.task.batches(session.prepared.train, BatchOrder())
    arrays = to_tensors(batch, torch.device("cpu"))
    weights = torch.tensor(session.task.class_weights(session.prepared.train), dtype=torch.float32)
    output = session.model(arrays, None, Objective(class_weights=weights))
    log_probs = output.values["log_probs"]
    by_hand = -sum(weights[label] * log_probs[row, label] for row, label in enumerate(arrays["labels"]))
    assert weights.tolist() == pytest.approx([4 / 6, 2.0])
    assert output.loss.total.item() == pytest.approx(by_hand.item(), rel=1e-5)
