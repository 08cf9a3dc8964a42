"""The whole language model: segments, batches and single steps give one and the same answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqrnn.backends.torch.backend import to_tensors
from seqrnn.backends.torch.loss import Objective
from seqrnn.catalog import CELLS
from seqrnn.data.dataset.batching import BatchOrder, StreamBatches
from seqrnn.data.text.tokenizer import BLANK, BOS, EOS
from seqrnn.training.evaluation import evaluate

CPU = torch.device("cpu")


@pytest.fixture(params=CELLS)
def cell(request):
    return request.param


@pytest.mark.parametrize("layers", [1, 2])
def test_the_state_is_carried_over_the_segments_of_a_text(make_session, cell, layers):
    losses = []
    for segment in (7, 1000):
        settings = {"model.cell": cell, "model.num_layers": layers, "training.segment_length": segment}
        session = make_session("text", settings)
        figures = evaluate(session.model, session.task, session.prepared.train).figures
        losses.append(figures["loss"])
        assert figures["tokens"] == len(session.prepared.train["text"].values)
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


def test_the_loss_of_a_text_is_that_of_reading_it_token_by_token(make_session, cell):
    session = make_session("text", {"model.cell": cell})
    model, text = session.model.eval(), session.prepared.valid["text"].values
    figures = evaluate(model, session.task, session.prepared.valid).figures
    nats, states = 0.0, model.rnn.initial(1)
    with torch.inference_mode():
        for before, token in zip([BOS, *text[:-1]], text, strict=True):
            logits, states = model.step(torch.tensor([int(before)]), states)
            nats -= logits.log_softmax(dim=1)[0, int(token)].item()
    assert figures["loss"] == pytest.approx(nats / len(text), abs=1e-6)


@torch.inference_mode()
def test_reading_a_prompt_at_once_is_reading_it_step_by_step(make_session, cell):
    model = make_session("text", {"model.cell": cell, "model.num_layers": 2}).model.eval()
    prompt = torch.tensor([[2, 4, 5, 6], [2, 7, 7, 4]])
    at_once, states = model.read(prompt)
    walked = model.rnn.initial(2)
    for t in range(4):
        logits, walked = model.step(prompt[:, t], walked)
    torch.testing.assert_close(at_once, logits, rtol=0, atol=1e-6)
    for state, other in zip(states, walked, strict=True):
        for array, single in zip(state, other, strict=True):
            torch.testing.assert_close(array, single, rtol=0, atol=1e-6)


def test_back_propagation_ends_where_a_segment_begins(make_session, cell):
    session = make_session("text", {"model.cell": cell})
    model = session.model
    first, second = (
        {"inputs": torch.tensor([ids]), "targets": torch.tensor([[4, 4]]), "lengths": torch.tensor([2])}
        for ids in ([5, 6], [7, 8])
    )
    carry = model(first).carry
    model(second, carry).loss.total.backward()
    touched = model.embedding.table.weight.grad.abs().sum(dim=1).nonzero().flatten()
    assert touched.tolist() == [7, 8]
    assert not any(array.requires_grad for state in carry for array in state)


def test_the_loss_is_the_mean_over_targets_without_the_padding(make_session):
    model = make_session("lines").model.eval()
    arrays = {
        "inputs": torch.tensor([[BOS, 4, 5], [BOS, BLANK, BLANK]]),
        "targets": torch.tensor([[4, 5, EOS], [EOS, BLANK, BLANK]]),
        "lengths": torch.tensor([3, 1]),
    }
    loss = model(arrays).loss
    hidden, _ = model.rnn(model.embedding(arrays["inputs"]), arrays["lengths"])
    log_probs = model.network.score(hidden).log_softmax(dim=2)
    by_hand = -(log_probs[0, 0, 4] + log_probs[0, 1, 5] + log_probs[0, 2, EOS] + log_probs[1, 0, EOS])
    assert loss.count == 4
    assert loss.total.item() == pytest.approx(by_hand.item(), abs=1e-5)
    smoothed = model(arrays, None, Objective(label_smoothing=0.1)).loss
    spread = sum(log_probs[row, t].mean() for row, t in ((0, 0), (0, 1), (0, 2), (1, 0)))
    assert smoothed.total.item() == pytest.approx((0.9 * by_hand - 0.1 * spread).item(), abs=1e-5)


def test_streams_are_read_side_by_side_with_a_state_each(make_session):
    session = make_session("text")
    values = session.prepared.train["text"].values[:60]
    losses = []
    for streams, parts in ((3, [values]), (1, [values[:20], values[20:40], values[40:]])):
        total = 0.0
        for part in parts:
            carry = None
            for batch in StreamBatches(np.asarray(part), 7, BatchOrder(streams=streams)):
                output = session.model(to_tensors(batch, CPU), carry)
                total, carry = total + output.loss.total.item(), output.carry
        losses.append(total)
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
