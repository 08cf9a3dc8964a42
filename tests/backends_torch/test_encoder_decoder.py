"""The encoder-decoder: its equations, and what no batch, padding, way of decoding or saving may change."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch

from seqrnn.answering.row_writer import RowWriter
from seqrnn.backends.torch.backend import TorchBackend, to_tensors
from seqrnn.backends.torch.parameters import load_model
from seqrnn.backends.torch.scheduled_sampling import mix
from seqrnn.catalog import CELLS
from seqrnn.data.dataset.batching import BatchOrder
from seqrnn.data.record import Record
from seqrnn.data.text.tokenizer import BLANK, BOS, EOS, SPECIALS
from seqrnn.networks.decoder import DecoderState
from seqrnn.run.directory import RunDirectory
from seqrnn.search.beam import Beam
from seqrnn.search.decoding import Decoding, decode
from seqrnn.search.generation import Limits
from seqrnn.search.sampling import Sampling
from seqrnn.training.evaluation import EvaluationOptions, evaluate

CPU = torch.device("cpu")
WORDS = ["abc", "ca", "b", "bacca", "ab", "cc", "abcab", "acb", "bb", "caba", "a", "cab"]
PAIRS = "".join(f"{word}\t{' '.join(reversed(word.upper()))}\n" for word in WORDS)
BASE = {
    "task": "seq2seq",
    "data.tokenizer": "char",
    "data.target_tokenizer": "word",
    "data.valid_fraction": 0.0,
    "model.bidirectional": True,
}
ATTENTIONS = ("dot", "general", "mlp", "none")


@pytest.fixture
def make(make_session):
    def make_pairs(settings=None, content=PAIRS):
        return make_session("tsv", {**BASE, **(settings or {})}, content)

    return make_pairs


@pytest.fixture(params=ATTENTIONS)
def attention(request):
    return {"model.attention": request.param}


def batches(session):
    return list(session.task.batches(session.prepared.train, BatchOrder()))


def total(session, batch):
    return session.model(to_tensors(batch, CPU)).loss.total


@torch.inference_mode()
def test_the_loss_does_not_depend_on_the_batch(make, attention):
    session = make({**attention, "model.num_layers": 2})
    session.model.eval()
    together = sum(total(session, batch).item() for batch in batches(session))
    session.task.set_training("batch_size", 1)
    alone = batches(session)
    assert len(alone) == len(WORDS)
    assert sum(total(session, batch).item() for batch in alone) == pytest.approx(together, abs=1e-3)


def test_padded_and_dynamic_batches_have_the_same_gradients_and_every_weight_has_one(make, attention):
    shared = {**attention, "data.max_tokens": 8, "model.num_layers": 2}
    found = []
    for lengths in ("blank", "dynamic"):
        session = make({**shared, "data.lengths": lengths})
        sum(total(session, batch) for batch in batches(session)).backward()
        found.append({name: p.grad for name, p in session.model.named_parameters()})
    assert found[0].keys() == found[1].keys()
    for name, gradient in found[0].items():
        torch.testing.assert_close(gradient, found[1][name], rtol=1e-4, atol=1e-5)
        assert gradient.abs().sum() > 0, name


@torch.inference_mode()
@pytest.mark.parametrize("cell", CELLS)
def test_writing_step_by_step_scores_a_target_as_the_whole_target_at_once(make, attention, cell):
    session = make({**attention, "model.cell": cell, "model.num_layers": 2})
    model = session.model.eval()
    for batch in batches(session):
        arrays = to_tensors(batch, CPU)
        logits, writing = model.begin(arrays)
        rows = torch.arange(len(batch.rows)).unsqueeze(1)
        score = torch.zeros(len(batch.rows))
        for step, targets in enumerate(arrays["targets"].T):
            if step:
                logits, writing = model.step(arrays["inputs"][:, step], model.select(writing, rows))
            gained = logits.log_softmax(dim=1).gather(1, targets.unsqueeze(1)).squeeze(1)
            score += torch.where(targets == BLANK, 0.0, gained)
        assert -score.sum().item() == pytest.approx(model(arrays).loss.total.item(), rel=1e-5)


@torch.inference_mode()
def test_the_first_state_and_the_attention_are_those_of_their_equations(make):
    session = make({"model.attention": "general"})
    model, (batch, *_) = session.model.eval(), batches(session)
    arrays = to_tensors(batch, CPU)
    _, last = model.encoder(model.embedding(arrays["source"]), arrays["source_lengths"])
    start, decoder = model.network.encode(arrays), model.network.decoder
    for place, array in enumerate(start.layers[0]):
        bridge = model.get_submodule(f"bridge.layers.0.{place}")
        both = torch.cat([last[0][place], last[1][place]], dim=1)
        torch.testing.assert_close(array, torch.tanh(both @ bridge.weight.T + bridge.bias))
    hidden, _ = model.decoder.rnn(
        model.decoder.embedding(arrays["inputs"]), arrays["target_lengths"], start.layers
    )
    first, output = (model.get_submodule(f"decoder.output.{place}") for place in (0, 3))
    contexts = decoder.attention(hidden, start.memory)
    attentional = torch.tanh(torch.cat([contexts, hidden], dim=2) @ first.weight.T + first.bias)
    logits = decoder(arrays["inputs"], arrays["target_lengths"], start)
    torch.testing.assert_close(logits, attentional @ output.weight.T + output.bias)


@torch.inference_mode()
def test_without_attention_only_the_summary_is_passed_on(make):
    session = make({"model.attention": "none"})
    model, (batch, *_) = session.model.eval(), batches(session)
    arrays = to_tensors(batch, CPU)
    start, decoder = model.network.encode(arrays), model.network.decoder
    logits = decoder(arrays["inputs"], arrays["target_lengths"], start)
    memory = decoder.build_memory(start.memory.values + 1.0, start.memory.mask)
    blind = DecoderState(start.layers, memory)
    assert torch.equal(decoder(arrays["inputs"], arrays["target_lengths"], blind), logits)


def test_encoder_and_decoder_share_nothing_and_a_tied_decoder_one_matrix(make):
    plain, tied = make(), make({"model.tie_embeddings": True, "model.attention": "none"})
    assert len({p.data_ptr() for p in plain.model.parameters()}) == len(list(plain.model.parameters()))
    assert tied.model.get_submodule("decoder.output.2").weight is tied.model.decoder.embedding.table.weight
    assert np.isfinite(total(tied, batches(tied)[0]).item())


def fit(session, updates, rate=0.02):
    optimizer = torch.optim.Adam(session.model.parameters(), lr=rate)
    (batch,) = batches(session)
    for _ in range(updates):
        optimizer.zero_grad()
        loss = session.model.train()(to_tensors(batch, CPU)).loss
        (loss.total / loss.count).backward()
        optimizer.step()
    return batch


def test_one_batch_is_learned_by_heart_and_written(make, attention):
    session = make({**attention, "training.batch_size": 50, "model.hidden_size": 24})
    batch = fit(session, 170)
    backend = TorchBackend(session.model.eval())
    found = decode(backend, backend.begin(batch), Decoding(Limits(10), Beam(3)))
    words = [WORDS[row] for row in batch.rows]
    assert [session.task.output.tokenizer.decode(row[0].tokens) for row in found] == [
        " ".join(reversed(word.upper())) for word in words
    ]
    assert all(row[0].score > -0.5 for row in found)
    evaluation = evaluate(session.model, session.task, session.prepared.train)
    figures = evaluation.figures
    assert figures["exact_match"] == 1.0
    assert (figures["wer"], figures["token_error_rate"]) == (0.0, 0.0)
    assert set(evaluation.signatures) == {"bleu", "chrf"}


@pytest.fixture
def trained(make, tmp_path):
    """A model that has learned a little, so that its answers are of several lengths and not sure."""
    session = make({"training.batch_size": 50, "model.num_layers": 2})
    fit(session, 60)
    return session


def writer_of(session):
    backend = TorchBackend(session.model.eval())
    return RowWriter(session.task, backend)


def rows(texts):
    return [Record(text, line=line) for line, text in enumerate(texts, start=1)]


TEXTS = ["abc", "", "zzz", "b", "bacca", "  ", "abc", "cacacacaca"]


@pytest.mark.parametrize("strategy", [Beam(1), Beam(4), Sampling(0.0)])
def test_an_answer_does_not_depend_on_the_other_rows(trained, strategy):
    decoding = Decoding(Limits(12), strategy)
    writer = writer_of(trained)
    together = writer.answer(rows(TEXTS), decoding)
    for text, answer in zip(TEXTS, together, strict=True):
        (alone,) = writer.answer(rows([text]), decoding)
        assert alone.prediction == answer.prediction
        assert alone.score == (None if answer.score is None else pytest.approx(answer.score, abs=1e-5))
    assert together[0] == together[6]
    assert [answer.unknown for answer in together] == [0, 0, 3, 0, 0, 0, 0, 0]
    assert (together[1].prediction, together[1].score, together[1].nbest) == ("", None, ())
    assert together[1] == together[5]
    assert writer.answer([], decoding) == []


@torch.inference_mode()
def test_the_score_of_a_beam_is_the_loss_of_what_it_wrote(trained):
    task, model = trained.task, trained.model.eval()
    found = writer_of(trained).answer(rows(WORDS), Decoding(Limits(12), Beam(4)))
    assert any(answer.prediction for answer in found)
    for word, answer in zip(WORDS, found, strict=True):
        record = Record(word, (answer.prediction,))
        targets = np.append(task.target.encode([record])[0].ids, [] if answer.truncated else [EOS])
        arrays = {
            "source": task.source.encode([record])[0].ids,
            "source_lengths": [len(word)],
            "inputs": np.insert(targets[:-1], 0, BOS),
            "targets": targets,
            "target_lengths": [len(targets)],
        }
        tensors = {name: torch.tensor(np.array(values, dtype=np.int64)) for name, values in arrays.items()}
        tensors = {name: v if name.endswith("lengths") else v.unsqueeze(0) for name, v in tensors.items()}
        assert answer.score == pytest.approx(-model(tensors).loss.total.item(), abs=1e-4)


def test_draws_differ_by_their_seed_and_between_rows(trained):
    decoding = Decoding(Limits(12), Sampling(seed=3), n_best=4)
    first, again = (writer_of(trained).answer(rows(["abc"] * 6), decoding) for _ in range(2))
    assert first == again
    assert len({answer.prediction for answer in first}) > 1
    for answer in first:
        scores = [score for _, score in answer.nbest]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) == 4
    other = writer_of(trained).answer(rows(["abc"] * 6), Decoding(Limits(12), Sampling(seed=4), n_best=4))
    assert first != other


def test_the_draws_of_a_row_depend_on_its_line_and_on_nothing_else(trained):
    decoding = Decoding(Limits(12), Sampling(2.0, seed=3))
    whole = [Record(text, line=line) for line, text in enumerate(["abc", "ab", "", "abc", "abc", "c"], 1)]
    writer = writer_of(trained)
    answers = [answer.prediction for answer in writer.answer(whole, decoding)]
    for parts in ([1, 1, 1, 1, 1, 1], [2, 4], [5, 1]):
        rest = iter(whole)
        found = [writer.answer(list(islice(rest, count)), decoding) for count in parts]
        assert [answer.prediction for part in found for answer in part] == answers
    assert len({answers[0], answers[3], answers[4]}) > 1


def test_a_limit_cuts_and_says_so_but_a_fixed_length_is_no_cut(trained):
    writer = writer_of(trained)
    cut = writer.answer(rows(["bacca"]), Decoding(Limits(1), Beam(1)))[0]
    assert cut.truncated == (cut.prediction != "")
    fixed = writer.answer(rows(["b", "bacca"]), Decoding(Limits(fixed_len=3)))
    assert [len(answer.prediction.split()) for answer in fixed] == [3, 3]
    assert [answer.truncated for answer in fixed] == [False, False]


@pytest.mark.parametrize(
    "settings", [{}, {"model.attention": "mlp", "model.cell": "gru", "data.max_tokens": 4}]
)
def test_a_saved_model_answers_as_the_trained_one(train, settings, opened):
    session, path = train("tsv", {**BASE, **settings, "data.valid_fraction": 0.2}, PAIRS * 3)
    load_model(session.model, dict(RunDirectory.open(path).best().tensors(None)))
    (path.parent / "train.tsv").unlink()
    decoding = Decoding(Limits(8), Beam(3), 3)
    expected = writer_of(session).answer(rows(TEXTS), decoding)
    found = RowWriter(*opened(path)).answer(rows(TEXTS), decoding)
    for answer, other in zip(found, expected, strict=True):
        assert [text for text, _ in answer.nbest] == [text for text, _ in other.nbest]
        assert [nats for _, nats in answer.nbest] == pytest.approx(
            [nats for _, nats in other.nbest], abs=1e-5
        )
        assert (answer.truncated, answer.unknown) == (other.truncated, other.unknown)
    assert sorted(p.name for p in path.iterdir() if p.suffix == ".json") == [
        "target_tokenizer.json",
        "tokenizer.json",
    ]


def test_an_evaluation_may_write_only_a_part(make):
    session = make({"training.batch_size": 3})
    asked = []
    begin = session.model.begin
    session.model.begin = lambda arrays: asked.append(len(arrays["source"])) or begin(arrays)
    figures = evaluate(
        session.model, session.task, session.prepared.train, EvaluationOptions(max_generated=4)
    ).figures
    assert sum(asked) == 4
    assert figures["examples"] == len(WORDS)
    evaluate(session.model, session.task, session.prepared.train)
    assert sum(asked) == 4 + len(WORDS)


def test_scheduled_sampling_replaces_a_share_of_the_true_inputs_by_draws_of_the_step_before():
    torch.manual_seed(1)
    inputs = torch.full((400, 11), 6)
    inputs[:, 0] = BOS
    inputs[:200, 8:] = BLANK
    guesses = torch.zeros(400, 11, 12)
    guesses[:, :, EOS] = 50.0
    guesses[:, 2, 9] = 20.0
    mixed = mix(inputs, guesses, 0.25)
    assert (mixed[:, 0] == BOS).all()
    assert (mixed[:200, 8:] == BLANK).all()
    replaced = mixed[:, 1:8] != 6
    assert not np.isin(mixed[:, 1:8][replaced], range(len(SPECIALS))).any()
    assert 0.25 * 7 / 8 - 0.05 < replaced.float().mean().item() < 0.25 + 0.05
    third = mixed[:, 3]
    assert set(third.tolist()) == {6, 9}
    assert torch.equal(mix(inputs, guesses, 0.0), inputs)


def test_a_model_with_scheduled_sampling_learns_and_is_measured_without(make):
    session = make({"model.scheduled_sampling": 0.5, "training.batch_size": 50})
    (batch,) = batches(session)
    arrays = to_tensors(batch, CPU)
    torch.manual_seed(2)
    session.model.train()
    losses = {session.model(arrays).loss.total.item() for _ in range(4)}
    assert len(losses) == 4
    session.model.eval()
    assert len({session.model(arrays).loss.total.item() for _ in range(2)}) == 1
    total(session, batch).backward()
    assert all(p.grad is not None for p in session.model.parameters())


def test_a_label_as_source_is_one_step_of_the_encoder(make):
    session = make(
        {"data.source_kind": "label"}, "".join(f"the kind {i % 3}\tx y{i % 4}\n" for i in range(20))
    )
    for batch in batches(session):
        assert (batch.arrays["source_lengths"] == 1).all()
    assert session.task.metric == "loss"
    assert "one-to-many" in session.task.shape()


def test_the_same_seed_gives_the_same_bytes(train):
    settings = {**BASE, "model.scheduled_sampling": 0.3, "model.dropout": 0.3, "model.embedding_dropout": 0.2}
    settings["data.valid_fraction"] = 0.2
    hashes = []
    for seed in (1, 1, 2):
        _, path = train("tsv", {**settings, "training.seed": seed}, PAIRS * 2)
        files = RunDirectory.open(path).newest().manifest.files
        hashes.append([files[name].sha256 for name in ("model.safetensors", "training.safetensors")])
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]
