"""What a training starts from, and what it refuses to go on from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors import safe_open

from seqrnn.answering.opened_run import open_run
from seqrnn.backends.torch import device as device_module
from seqrnn.backends.torch.backend import open_backend
from seqrnn.backends.torch.device import choose_device, choose_precision
from seqrnn.backends.torch.parameters import model_arrays
from seqrnn.errors import DataError, LockedError, ModelError, NumericError, UsageError
from seqrnn.run.directory import RunDirectory
from seqrnn.run.lock import RunLock
from seqrnn.training.events import Measured
from seqrnn.training.session import RunTarget

VECTORS = "3 5\ncat 1 2 3 4 5\nelephant 9 9 9 9 9\ndog -1 -2 -3 -4 -5\n"


@pytest.fixture
def vectors(tmp_path):
    file = tmp_path / "words.vec"
    file.write_text(VECTORS, encoding="utf-8")
    return str(file)


def vector(session, word):
    table = session.model.embedding.table.weight
    return table[session.task.source.tokenizer.vocabulary[word]].tolist()


def test_word_vectors_land_in_the_rows_of_their_words(make_session, vectors):
    plain, session = make_session("tsv"), make_session("tsv", {"model.embeddings": vectors})
    assert vector(session, "cat") == [1, 2, 3, 4, 5]
    assert vector(session, "dog") == [-1, -2, -3, -4, -5]
    assert vector(session, "red") == vector(plain, "red")


@pytest.mark.parametrize("frozen", [True, False])
def test_word_vectors_are_trained_unless_they_are_frozen(train, vectors, frozen):
    session, _ = train("tsv", {"model.embeddings": vectors, "model.freeze_embeddings": frozen})
    assert (vector(session, "cat") == [1, 2, 3, 4, 5]) is frozen


def test_word_vectors_of_another_size_are_refused(make_session, vectors):
    with pytest.raises(UsageError, match=r"has 5 dimensions, the model 4; use `model.embedding_size` 5"):
        make_session("tsv", {"model.embeddings": vectors, "model.embedding_size": 4})


def test_word_vectors_without_a_known_word_are_refused(make_session, tmp_path):
    (tmp_path / "other.vec").write_text("Hund 1 2 3 4 5\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"other\.vec: holds none of the"):
        make_session("tsv", {"model.embeddings": str(tmp_path / "other.vec")})


@pytest.mark.parametrize("hidden_size", [5, 6])
def test_tied_embeddings_are_one_matrix_in_memory_and_on_disk(train, hidden_size):
    session, path = train("text", {"model.tie_embeddings": True, "model.hidden_size": hidden_size})
    assert session.model.output.weight is session.model.embedding.table.weight
    with safe_open(RunDirectory.open(path).best().path / "model.safetensors", "numpy") as file:
        assert "embedding.table.weight" in file.keys()  # noqa: SIM118
        assert "output.weight" not in file.keys()  # noqa: SIM118
    saved = open_backend(open_run(path)).model
    assert saved.output.weight is saved.embedding.table.weight
    np.testing.assert_array_equal(
        saved.output.weight.detach().numpy(), session.model.output.weight.detach().numpy()
    )
    assert any(name.startswith("bridge") for name in model_arrays(saved)) is (hidden_size != 5)


def test_the_best_weights_are_measured_at_the_end(make_session, tmp_path):
    session = make_session("tsv")
    *_, last = session.train(RunTarget(tmp_path / "run"))
    assert isinstance(last, Measured)
    assert last.step == RunDirectory.open(tmp_path / "run").best().step
    assert last.metrics["accuracy"] == RunDirectory.open(tmp_path / "run").best().metric.value


def test_a_new_training_can_start_from_old_weights(train, make_session):
    trained, path = train("tsv")
    session = make_session("tsv", {"training.seed": 9})
    session.start_from(path)
    for name, array in model_arrays(trained.model).items():
        np.testing.assert_array_equal(model_arrays(session.model)[name], array)


def test_weights_of_another_vocabulary_or_size_are_refused(train, make_session):
    _, path = train("tsv")
    with pytest.raises(ModelError):
        make_session("tsv", {"model.hidden_size": 7}).start_from(path)
    with pytest.raises(UsageError, match=r"its tokenizer\.json is not that of these data"):
        make_session("tsv", {}, "other words\ta\nnever seen\tb\n" * 5).start_from(path)


def test_a_training_does_not_go_on_with_other_data(train, make_session, tmp_path):
    _, path = train("text")
    session = make_session("text", {"training.epochs": 3.0}, "the cat sat on the mat\nand the dog\n" * 9)
    with pytest.raises(DataError, match=r"train\.text: differs \(sha256\)"):
        list(session.train(RunTarget(path, resume=True)))


def test_a_run_in_use_is_not_touched(train, make_session):
    _, path = train("tsv")
    before = (path / "metrics.jsonl").read_bytes()
    with RunLock(path), pytest.raises(LockedError, match="run in use by PID"):
        list(make_session("tsv", {"training.epochs": 9.0}).train(RunTarget(path, resume=True)))
    assert (path / "metrics.jsonl").read_bytes() == before


def test_a_training_that_ends_before_an_evaluation_is_measured_all_the_same(train):
    _, path = train("tsv", {"training.steps": 1, "training.epochs": None})
    assert RunDirectory.open(path).best().metric is not None


def test_a_training_that_fails_before_its_first_save_leaves_nothing(make_session, tmp_path):
    session = make_session("tsv", {"training.evaluate_every": 1000})
    with torch.no_grad():
        next(session.model.parameters()).fill_(float("nan"))
    with pytest.raises(NumericError):
        list(session.train(RunTarget(tmp_path / "run")))
    assert not (tmp_path / "run").exists()


def test_without_validation_data_the_newest_weights_are_kept(train):
    session, path = train("tsv", {"data.valid_fraction": 0.0})
    best = RunDirectory.open(path).best()
    assert best.metric is None
    assert best.step == session.trainer.state.step


def test_the_model_is_described_in_one_line(make_session):
    line = make_session("tsv", {"model.bidirectional": True}).describe()
    assert line.startswith("model: 1 x bidirectional lstm 6, ")
    assert line.endswith(" parameters, float32 on cpu")


@pytest.mark.parametrize("name", ["cuda:99", "gpu", "meta", "cpu:x"])
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(UsageError, match=f"`device` {name}: .*use .*cpu"):
        choose_device(name)


def test_a_precision_is_chosen_for_the_hardware(monkeypatch):
    cpu = torch.device("cpu")
    for there, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda there=there: there)
        assert choose_precision("auto", cpu, "LSTM") == dtype
    assert choose_precision("fp32", cpu, "LSTM") == torch.float32
    assert choose_precision("bf16", cpu, "GRU") == torch.bfloat16


def test_bfloat16_is_refused_where_the_cpu_has_no_kernel_of_it(monkeypatch):
    monkeypatch.setattr(device_module, "computes_bfloat16", lambda kernel: kernel != "LSTM")
    with pytest.raises(UsageError, match=r"this CPU has no LSTM of bfloat16; use `training.precision=fp32`"):
        choose_precision("bf16", torch.device("cpu"), "LSTM")
    assert choose_precision("bf16", torch.device("cuda"), "LSTM") == torch.bfloat16
