"""Batches that are padded to few shapes: nothing that is computed changes."""

from __future__ import annotations

import pytest
import torch

from seqrnn.backends.torch.backend import to_tensors
from seqrnn.backends.torch.shapes import Paddable, pad_to_multiples
from seqrnn.data.dataset.batching import BatchOrder

SEQ2SEQ = {"task": "seq2seq", "data.tokenizer": "char"}
KINDS = {
    "tags": ("conll", {"model.output_layer": "softmax"}),
    "crf": ("conll", {"model.output_layer": "crf", "model.bidirectional": True}),
    "words-only": ("conll", {"model.character_size": 0}),
    "sequences": ("tsv", SEQ2SEQ),
    "no-attention": ("tsv", {**SEQ2SEQ, "model.attention": "none", "model.entry": "first"}),
}


def computed(model, batch):
    model.zero_grad()
    loss = model(to_tensors(batch, torch.device("cpu"))).loss
    loss.total.backward()
    return loss.total.item(), int(loss.count), [parameter.grad.clone() for parameter in model.parameters()]


@pytest.mark.parametrize(("layout", "settings"), KINDS.values(), ids=KINDS)
def test_what_is_computed_is_the_same(make_session, layout, settings):
    session = make_session(layout, settings)
    assert isinstance(session.model, Paddable)
    changed = 0
    for batch in session.task.batches(session.prepared.train, BatchOrder()):
        padded = pad_to_multiples(batch, session.model.multiples)
        changed += padded.arrays["source"].shape != batch.arrays["source"].shape
        loss, count, gradients = computed(session.model, batch)
        other_loss, other_count, others = computed(session.model, padded)
        assert (other_loss, other_count) == (pytest.approx(loss, rel=1e-5), count)
        for one, other in zip(gradients, others, strict=True):
            torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)
    assert changed
