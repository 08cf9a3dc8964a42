"""What every task must keep with every catalogued cell: the contract that all networks share."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import torch

from seqrnn.answering.opened_run import open_run
from seqrnn.answering.row_writer import RowWriter
from seqrnn.backends.torch.backend import TorchBackend, open_backend
from seqrnn.backends.torch.parameters import model_arrays
from seqrnn.catalog import CELLS, TASKS, load
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.data.record import Record
from seqrnn.search.beam import Beam
from seqrnn.search.decoding import Decoding
from seqrnn.search.generation import Limits
from seqrnn.search.sampling import Sampling
from seqrnn.training.evaluation import evaluate, to_tensors

CPU = torch.device("cpu")
WIDTH = 24  # steps of a padded batch: more than any example has
ROWS = 8
WORDS = ("red", "blue", "old", "new", "cat", "dog")
LENGTHS = (3, 1, 5, 2, 4, 7, 1, 3)


def words(row):
    return " ".join(WORDS[row % 3 :][: LENGTHS[row]])


def vectors(row):
    return np.random.default_rng(row).normal(size=(LENGTHS[row], 2)).round(2).tolist()


def tagged(row):
    return "".join(f"w{(row + step) % 5} {'NVA'[(row + step * step) % 3]}\n" for step in range(LENGTHS[row]))


def objects(make):
    return "".join(json.dumps(make(row)) + "\n" for row in range(ROWS))


def texts(template):
    return "".join(template.format(words(row), "abc"[row % 3], row) + "\n" for row in range(ROWS))


KINDS = {
    # name: (layout, what differs from a default, the data)
    "classification": ("tsv", {"model.pooling": "attention", "model.bidirectional": True}, texts("{}\t{}")),
    "classification-vectors": (
        "jsonl",
        {"data.source_kind": "vectors"},
        objects(lambda row: {"vectors": vectors(row), "label": "abc"[row % 3]}),
    ),
    "language-model": ("lines", {}, texts("{}")),
    "polyphony": (
        "jsonl",
        {"task": "polyphony", "data.source_kind": "notes", "data.keys": 5},
        objects(lambda row: {"notes": [[(row + step) % 5, step % 2] for step in range(LENGTHS[row])]}),
    ),
    "regression": (
        "jsonl",
        {"task": "regression", "data.source_kind": "vectors", "model.pooling": "mean"},
        objects(lambda row: {"vectors": vectors(row), "label": row / 3}),
    ),
    "seq2seq": (
        "tsv",
        {"task": "seq2seq", "data.tokenizer": "char", "model.bidirectional": True},
        texts("{}\t{} {}"),
    ),
    "tagging": ("conll", {"model.bidirectional": True}, "\n".join(map(tagged, range(ROWS)))),
}
PARTS = {
    # as above, of networks whose parts matter more than their cell
    "classification-vector": (
        "jsonl",
        {"data.source_kind": "vector"},
        objects(lambda row: {"vector": vectors(row)[0], "label": "abc"[row % 3]}),
    ),
    "seq2seq-vectors": (
        "jsonl",
        {"task": "seq2seq", "data.source_kind": "vectors", "model.attention": "mlp", "model.entry": "first"},
        objects(lambda row: {"vectors": vectors(row), "target": words(row)}),
    ),
    "tagging-crf": (
        "conll",
        {"model.output_layer": "crf", "model.character_size": 4, "model.bidirectional": True},
        "\n".join(map(tagged, range(ROWS))),
    ),
}
MATRIX = [*itertools.product(KINDS, CELLS), *((kind, None) for kind in PARTS)]


@pytest.fixture(params=MATRIX, ids=lambda place: "-".join(filter(None, place)))
def chosen(request):
    """The layout, the settings and the data of one place in the matrix."""
    kind, cell = request.param
    layout, settings, content = (KINDS | PARTS)[kind]
    chosen_cell = {} if cell is None else {"model.cell": cell}
    return layout, {"data.valid_fraction": 0.0, **settings, **chosen_cell}, content


def test_every_task_is_in_the_matrix():
    assert {kind.partition("-v")[0] for kind in KINDS} == set(TASKS)


def computed(session):
    """The loss of all examples, and the gradient of each weight and the values of each row."""
    loss, count, values = 0.0, 0, {}
    for batch in session.task.batches(session.prepared.train, BatchOrder()):
        output = session.model.eval()(to_tensors(batch, CPU))
        output.loss.total.backward()
        loss, count = loss + output.loss.total.item(), count + output.loss.count
        for place, row in enumerate(batch.rows):
            values[int(row)] = {name: array[place] for name, array in output.values.items()}
    gradients = {name: parameter.grad for name, parameter in session.model.named_parameters()}
    return loss, count, gradients, values


def test_neither_neighbours_nor_padding_change_what_is_computed(make_session, chosen):
    layout, settings, content = chosen
    batches = {
        "alone": {"training.batch_size": 1},
        "together": {"training.batch_size": ROWS},
        "padded": {"training.batch_size": ROWS, "data.lengths": "blank", "data.max_tokens": WIDTH},
    }
    found = {
        name: computed(make_session(layout, settings | changes, content)) for name, changes in batches.items()
    }
    loss, count, gradients, values = found.pop("alone")
    for other_loss, other_count, other_gradients, other_values in found.values():
        assert other_loss == pytest.approx(loss, rel=1e-5)
        assert other_count == count
        for name, gradient in gradients.items():
            torch.testing.assert_close(other_gradients[name], gradient, rtol=1e-4, atol=1e-5)
        for row, own in values.items():
            for name, array in own.items():
                same = other_values[row][name][tuple(map(slice, array.shape))]
                torch.testing.assert_close(same, array, rtol=1e-4, atol=1e-5)


def test_a_gradient_reaches_every_weight(make_session, chosen):
    _, _, gradients, _ = computed(make_session(*chosen))
    untouched = [name for name, gradient in gradients.items() if gradient is None or not gradient.any()]
    assert untouched == []


def test_a_model_that_was_saved_is_the_same_when_it_is_opened(train, chosen):
    layout, settings, content = chosen
    brief = {"data.valid_fraction": 0.3, "training.epochs": None, "training.steps": 2}
    session, path = train(layout, settings | brief, content)
    run = open_run(path)
    model = open_backend(run, "cpu").model
    for name, array in model_arrays(session.model).items():
        np.testing.assert_array_equal(model_arrays(model)[name], array)
    expected = evaluate(session.model, session.task, session.prepared.valid).figures
    found = evaluate(model, run.task, session.prepared.valid).figures
    assert found["task"] == expected["task"]
    numbers = [
        {name: value for name, value in figures.items() if name != "task"} for figures in (found, expected)
    ]
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-4)


def fit(session, updates, enough=0.0):
    """Learn the one batch that there is, until the loss is a share of that before; return both."""
    optimizer = torch.optim.Adam(session.model.parameters(), lr=0.02)
    losses = []
    (batch,) = session.task.batches(session.prepared.train, BatchOrder())
    session.model.train()
    for _ in range(updates):
        optimizer.zero_grad()
        loss = session.model(to_tensors(batch, CPU)).loss
        mean = loss.total / loss.count
        mean.backward()
        torch.nn.utils.clip_grad_norm_(session.model.parameters(), 1.0)
        optimizer.step()
        losses.append(mean.item())
        if losses[-1] < enough * losses[0]:
            break
    return losses[0], losses[-1]


def test_one_batch_is_learned_by_heart(make_session, chosen):
    layout, settings, content = chosen
    cell = settings.get("model.cell")
    linear = cell is not None and load(CELLS[cell]).scan is not None  # to count, its gates need a layer below
    shape = {"model.hidden_size": 24, "model.num_layers": 1 + linear}
    session = make_session(layout, settings | {"training.batch_size": ROWS, **shape}, content)
    before, after = fit(session, 160 if linear else 120, enough=0.1)
    assert after < 0.1 * before


@pytest.mark.parametrize("cell", CELLS)
def test_greedy_search_is_a_beam_of_one_and_no_beam_is_worse(make_session, cell):
    layout, settings, content = KINDS["seq2seq"]
    whole = {"data.valid_fraction": 0.0, "training.batch_size": ROWS, "model.cell": cell}
    session = make_session(layout, settings | whole, content)
    fit(session, 40)  # a little, so that the answers are of several lengths and not sure
    backend = TorchBackend(session.model.eval())
    writer = RowWriter(session.task, backend)
    rows = [Record(words(row)) for row in range(ROWS)]
    limits = Limits(12)
    greedy = writer.answer(rows, Decoding(limits, Sampling(0.0)))
    narrow = writer.answer(rows, Decoding(limits, Beam(1)))
    wide = writer.answer(rows, Decoding(limits, Beam(5), n_best=5))
    assert [answer.prediction for answer in greedy] == [answer.prediction for answer in narrow]
    assert [a.score for a in greedy] == pytest.approx([a.score for a in narrow], abs=1e-5)
    assert all(w.score >= n.score - 1e-5 for n, w in zip(narrow, wide, strict=True) if not n.truncated)
    assert all(len(answer.nbest) == 5 for answer in wide)
