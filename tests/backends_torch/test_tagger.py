"""The tagger: neighbours and padding change nothing, every weight learns, a saved one is the same."""

from __future__ import annotations

import pytest
import torch

from seqrnn.answering.labeller import Labeller
from seqrnn.answering.opened_run import open_run
from seqrnn.backends.torch.backend import open_backend, to_tensors
from seqrnn.backends.torch.device import computes_bfloat16
from seqrnn.data.dataset.batching import Batch, BatchOrder
from seqrnn.data.record import Record
from seqrnn.run.calibration import UNCALIBRATED
from seqrnn.tasks.task import LabelSelection
from seqrnn.training.evaluation import evaluate

CPU = torch.device("cpu")
LAYERS = ("softmax", "crf")


def batches(session) -> list[Batch]:
    return list(session.task.batches(session.prepared.train, BatchOrder()))


@pytest.fixture(params=LAYERS)
def layer(request):
    return request.param


@torch.inference_mode()
@pytest.mark.parametrize("characters", [0, 3])
def test_the_loss_and_the_tags_do_not_depend_on_the_batch(make_session, layer, characters):
    settings = {"model.output_layer": layer, "model.character_size": characters}
    settings |= {"model.bidirectional": True, "data.valid_fraction": 0.0}
    session = make_session("conll", settings)
    task, model, dataset = session.task, session.model.eval(), session.prepared.train
    together = {}
    for batch in batches(session):
        values = {name: v.numpy() for name, v in model(to_tensors(batch, CPU)).values.items()}
        together |= dict(zip(batch.rows.tolist(), task.answers(values, batch, LabelSelection()), strict=True))
    total = 0.0
    for row in range(len(dataset)):
        batch = task._collate(dataset, torch.tensor([row]).numpy())
        output = model(to_tensors(batch, CPU))
        total += output.loss.total.item()
        (alone,) = task.answers(
            {name: v.numpy() for name, v in output.values.items()}, batch, LabelSelection()
        )
        assert alone.prediction == together[row].prediction
        assert alone.score == pytest.approx(together[row].score, abs=1e-5)
        assert alone.parts == pytest.approx(together[row].parts, abs=1e-5)
    figures = evaluate(model, task, dataset).figures
    assert total / figures["tokens"] == pytest.approx(figures["loss"], abs=1e-5)


def gradients(session):
    for batch in batches(session):
        session.model(to_tensors(batch, CPU)).loss.total.backward()
    return {name: p.grad for name, p in session.model.named_parameters()}


@pytest.mark.parametrize("layers", [1, 2])
def test_padded_and_dynamic_batches_have_the_same_gradients_and_every_weight_has_one(
    make_session, layer, layers
):
    settings = {"data.max_tokens": 3, "model.output_layer": layer, "model.num_layers": layers}
    padded, dynamic = (
        gradients(make_session("conll", {**settings, "model.bidirectional": True, "data.lengths": lengths}))
        for lengths in ("blank", "dynamic")
    )
    for name, gradient in padded.items():
        assert gradient.abs().sum() > 0, name
        torch.testing.assert_close(gradient, dynamic[name], rtol=0, atol=1e-4)


def test_a_few_sentences_are_learned_by_heart(make_session, layer):
    settings = {"model.output_layer": layer, "model.hidden_size": 16, "data.valid_fraction": 0.0}
    session = make_session("conll", {**settings, "model.bidirectional": True, "training.batch_size": 64})
    optimizer = torch.optim.Adam(session.model.parameters(), lr=0.05)
    for _ in range(40):
        for batch in batches(session):
            session.model(to_tensors(batch, CPU)).loss.total.backward()
            optimizer.step()
            optimizer.zero_grad()
    figures = evaluate(session.model, session.task, session.prepared.train).figures
    assert figures["accuracy"] == 1.0
    assert figures["loss"] < 0.05


@pytest.mark.parametrize("characters", [0, 3])
def test_a_saved_tagger_answers_as_it_did(train, layer, characters):
    settings = {"model.output_layer": layer, "model.character_size": characters}
    session, path = train("conll", settings)
    run = open_run(path)
    expected = evaluate(session.model, session.task, session.prepared.valid).figures
    found = evaluate(open_backend(run).model, run.task, session.prepared.valid).figures
    assert found == {**expected, "loss": pytest.approx(expected["loss"], rel=1e-5)}
    assert (path / "characters.json").exists() is bool(characters)
    assert (path / "tags.json").exists()


def test_an_empty_row_and_an_unknown_word_are_answered(train, layer, opened):
    _, path = train("conll", {"model.output_layer": layer})
    task, backend = opened(path)
    task.calibration = UNCALIBRATED  # which is of sentences for their scores, and of tags for the parts
    labeller = Labeller(task, backend)
    records = [Record("Ann zebra"), Record(""), Record(" old\t")]
    known, empty, single = labeller.answer(records, LabelSelection())
    assert (len(known.prediction), known.unknown) == (2, 1)
    assert (empty.prediction, empty.score, list(empty.parts)) == ([], 0.0, [])
    assert len(single.prediction) == 1
    assert single.score == pytest.approx(single.parts[0], abs=1e-5)
    (nothing,) = labeller.answer([Record("")], LabelSelection())
    assert nothing.prediction == []


def test_unknown_words_are_told_apart_by_their_characters(make_session):
    session = make_session("conll", {})
    encoded = {f.name: f.encode([Record("nnA"), Record("odl")]) for f in session.task.inputs}
    assert [side.unknown for side in encoded["source"]] == [1, 1]
    assert encoded["characters"][0].ids.tolist() != encoded["characters"][1].ids.tolist()


@pytest.mark.skipif(not computes_bfloat16("LSTM"), reason="this CPU has no LSTM of bfloat16")
def test_computing_in_bfloat16_keeps_the_output_layer_in_full_precision(make_session, layer):
    session = make_session("conll", {"model.output_layer": layer})
    batch = batches(session)[0]
    with torch.autocast("cpu", torch.bfloat16):
        output = session.model.eval()(to_tensors(batch, CPU))
    assert output.loss.total.dtype == torch.float32
    exact = session.model(to_tensors(batch, CPU))
    assert output.loss.total.item() == pytest.approx(exact.loss.total.item(), rel=0.02)
    assert output.values["tag_log_probs"].dtype == torch.float32
