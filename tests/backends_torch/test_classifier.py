"""The whole classifier: neighbours and padding never change an answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from seqrnn.backends.torch.backend import to_tensors
from seqrnn.backends.torch.ops import TorchOps
from seqrnn.catalog import POOLINGS
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.networks.pooling import build_pooling

LENGTHS = (3, 0, 5, 1)


@pytest.fixture(params=POOLINGS)
def pooling(request):
    return request.param


@pytest.fixture(params=["elman", "lstm"])
def model(make_session, pooling, request):
    settings = {"model.cell": request.param, "model.bidirectional": True, "model.num_layers": 2}
    return make_session("tsv", {**settings, "model.pooling": pooling, "model.head": "mlp"}).model.eval()


def tokens(model, width):
    generator = torch.Generator().manual_seed(2)
    return torch.randint(1, len(model.embedding.table.weight), (len(LENGTHS), width), generator=generator)


def scored(model, source, lengths):
    return model.network.scores({"source": source, "lengths": lengths})


@torch.inference_mode()
def test_neighbours_and_padding_do_not_change_the_scores(model):
    source = tokens(model, 9)
    together = scored(model, source, torch.tensor(LENGTHS))
    assert together.isfinite().all()
    for row, length in enumerate(LENGTHS):
        alone = scored(model, source[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(together[row], alone[0], rtol=0, atol=1e-6)


@torch.inference_mode()
def test_every_token_of_a_sequence_matters_and_none_behind_it(model, pooling):
    source, lengths = tokens(model, 5), torch.tensor(LENGTHS)
    scores = scored(model, source, lengths)
    for step in range(5):
        changed = source.clone()
        changed[:, step] = 1 + changed[:, step] % 4
        moved = (scored(model, changed, lengths) - scores).abs().amax(dim=1) > 1e-9
        assert moved.tolist() == [length > step for length in LENGTHS]


def gradients(model):
    return {name: p.grad.clone() for name, p in model.named_parameters()}


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_padded_and_dynamic_batches_have_the_same_losses_and_gradients(
    make_session, pooling, bidirectional, layers
):
    found = []
    for lengths in ("blank", "dynamic"):
        settings = {"model.bidirectional": bidirectional, "model.num_layers": layers, "data.max_tokens": 3}
        session = make_session("tsv", {**settings, "model.pooling": pooling, "data.lengths": lengths})
        losses, width = [], set()
        for batch in session.task.batches(session.prepared.train, BatchOrder()):
            loss = session.model(to_tensors(batch, torch.device("cpu"))).loss
            loss.total.backward()
            losses.append(loss.total.item() / int(loss.count))
            width.add(batch.arrays["source"].shape[1])
        found.append((losses, gradients(session.model), width))
    (losses, grads, width), (other_losses, other_grads, other_width) = found
    assert width == {3}
    assert other_width == {1, 2, 3}
    assert losses == pytest.approx(other_losses, abs=1e-6)
    for name, gradient in grads.items():
        torch.testing.assert_close(gradient, other_grads[name], rtol=0, atol=1e-5)


@torch.inference_mode()
def test_the_loss_is_the_sum_over_the_examples(make_session):
    session = make_session("tsv")
    model = session.model.eval()
    by_size = []
    for size in (1, 5, 24):
        total, count = 0.0, 0
        source = session.prepared.train["source"]
        labels = session.prepared.train["labels"].values
        for start in range(0, len(source), size):
            rows = np.arange(start, min(start + size, len(source)))
            arrays = {
                "source": torch.from_numpy(source.gather(rows)),
                "lengths": torch.from_numpy(source.lengths[rows]),
                "labels": torch.from_numpy(labels[rows].astype(np.int64)),
            }
            output = model(arrays)
            chosen = output.values["log_probs"].gather(1, arrays["labels"].unsqueeze(1))
            assert output.loss.total.item() == pytest.approx(-chosen.sum().item(), abs=1e-5)
            total, count = total + output.loss.total.item(), count + int(output.loss.count)
        by_size.append(total / count)
    assert count == len(source)
    assert by_size == pytest.approx([by_size[0]] * 3, abs=1e-6)


@torch.inference_mode()
def test_a_multi_label_classifier_gives_each_label_its_own_probability(make_session):
    content = "red cat\tx,y\nblue dog\ty\nold cat\t\nred dog\tx\n"
    settings = {"data.multi_label": True, "data.valid_fraction": 0.0, "training.batch_size": 4}
    session = make_session("tsv", settings, content)
    (batch,) = session.task.batches(session.prepared.train, BatchOrder())
    arrays = to_tensors(batch, torch.device("cpu"))
    output = session.model.eval()(arrays)
    probs = scored(session.model, arrays["source"], arrays["lengths"]).sigmoid()
    torch.testing.assert_close(output.values["log_probs"].exp(), probs)
    right = torch.where(arrays["labels"] == 1, probs, 1 - probs)
    assert output.loss.total.item() == pytest.approx(-right.log().sum().item(), abs=1e-5)
    assert output.loss.count == 4


OUTPUTS = torch.tensor([[[1.0, -2.0], [3.0, -4.0], [0.0, 0.0]], [[-5.0, 6.0], [0.0, 0.0], [0.0, 0.0]]])
LAST = torch.tensor([[3.0, -4.0], [-5.0, 6.0]])
STEPS = torch.tensor([2, 1])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("last", [[3.0, -4.0], [-5.0, 6.0]]),
        ("mean", [[2.0, -3.0], [-5.0, 6.0]]),
        ("max", [[3.0, -2.0], [-5.0, 6.0]]),
    ],
)
def test_a_pooling_is_what_a_hand_computes(name, expected):
    pooling = build_pooling(TorchOps(nn.Module(), True), name, 2)
    assert pooling(OUTPUTS, LAST, STEPS).tolist() == expected


def test_attention_is_a_weighed_mean_of_the_steps():
    root = nn.Module()
    pooling = build_pooling(TorchOps(root, True), "attention", 2)
    with torch.no_grad():
        root.key.weight.copy_(torch.eye(2))
        root.key.bias.zero_()
        root.query.weight.copy_(torch.tensor([[1.0, 0.0]]))
        found = pooling(OUTPUTS, LAST, STEPS)
    first, second = math.exp(math.tanh(1.0)), math.exp(math.tanh(3.0))
    share = first / (first + second)
    assert found[0].tolist() == pytest.approx([share + 3 * (1 - share), -2 * share - 4 * (1 - share)])
    assert found[1].tolist() == pytest.approx([-5.0, 6.0])
