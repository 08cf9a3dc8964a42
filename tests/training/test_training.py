"""The training loop: reproducible, resumable, and safe against losses that are not finite."""

from __future__ import annotations

import json
import math
from itertools import zip_longest
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from spoiled import spoil

from seqrnn.backends.torch.device import computes_bfloat16
from seqrnn.backends.torch.parameters import model_arrays
from seqrnn.catalog import CELLS
from seqrnn.errors import NumericError
from seqrnn.metrics.evaluation import Evaluation
from seqrnn.run.directory import RunDirectory
from seqrnn.training import trainer as loop
from seqrnn.training.duration import Duration
from seqrnn.training.events import Evaluated, Finished, Measured, RolledBack, Saved, Started, Stepped
from seqrnn.training.session import RunTarget
from seqrnn.training.state import SavedState

RANDOM = {"model.dropout": 0.3, "model.word_dropout": 0.2, "training.epochs": 3.0}
PLAIN_SGD = {
    "training.optimizer": "sgd",
    "training.momentum": 0.0,
    "training.weight_decay": 0.0,
    "training.schedule": "constant",
    "training.warmup": 0.0,
    "training.learning_rate": 1.0,
    "training.clip": 0.0,
}


def traces(path):
    """All that training on depends on, and the record of it, without the wall clock."""
    newest = RunDirectory.open(path).newest()
    state = json.loads((newest.path / "training.json").read_text())
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return {
        "weights": newest.manifest.files["model.safetensors"].sha256,
        "optimizer, random state, carried state": newest.manifest.files["training.safetensors"].sha256,
        "position": {key: value for key, value in state.items() if key != "seconds"},
        "metric": newest.metric,
        "best": RunDirectory.open(path).best().step,
        "metrics": [{key: value for key, value in line.items() if key != "seconds"} for line in lines],
    }


def steps(session, place):
    return [event for event in session.train(place) if isinstance(event, Stepped)]


def changes(session, place):
    """Train, and return how far each parameter has moved."""
    before = {name: array.copy() for name, array in model_arrays(session.model).items()}
    taken = steps(session, place)
    return {name: array - before[name] for name, array in model_arrays(session.model).items()}, taken


def norm(arrays):
    return math.sqrt(sum(float((array.astype(np.float64) ** 2).sum()) for array in arrays.values()))


@pytest.mark.parametrize("layout", ["tsv", "text", "lines"])
def test_the_same_seed_gives_the_same_bytes(train, layout):
    (_, first), (_, second), (_, other) = (
        train(layout, {**RANDOM, "training.seed": seed}) for seed in (1, 1, 2)
    )
    assert traces(first) == traces(second)
    assert traces(first)["weights"] != traces(other)["weights"]


def stop_and_go(make_session, settings, path, stops):
    """Train in sessions that end after the steps `stops`, each but the first resumed; then to the end."""
    layout, chosen = settings
    for stop in [*stops, None]:
        session = make_session(layout, chosen)
        for event in session.train(RunTarget(path, resume=stop != stops[0])):
            if isinstance(event, Stepped) and event.step == stop:
                session.trainer.stop("the test wants it")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"training.accumulate": 3},
        {"training.evaluate_every": 2},
        {"training.average": 0.8, "training.evaluate_every": 3},
        {"training.schedule": "plateau", "training.evaluate_every": 1, "training.learning_rate": 0.5},
        {"training.optimizer": "sgd", "training.learning_rate": 0.1},
        {"model.num_layers": 2, "model.cell": "gru", "training.precision": "bf16"},
        {"training.early_stopping": 2, "training.evaluate_every": 1, "training.learning_rate": 1e-9},
    ],
    ids=str,
)
@pytest.mark.parametrize("layout", ["tsv", "text"])
def test_a_training_stopped_after_any_step_goes_on_as_if_it_never_was(
    make_session, train, tmp_path, layout, settings
):
    chosen = {**RANDOM, **settings}
    session, unbroken = train(layout, chosen)
    per_epoch = math.ceil(session.trainer.batches_per_epoch / session.trainer.config.accumulate)
    last = session.trainer.state.step
    candidates = {1, 2, per_epoch - 1, per_epoch, per_epoch + 1, 2 * per_epoch}
    stops = sorted(step for step in candidates if 0 < step < last)
    stop_and_go(make_session, (layout, chosen), tmp_path / "broken", stops)
    assert traces(tmp_path / "broken") == traces(unbroken)


@pytest.mark.parametrize("cell", sorted(set(CELLS) - {"elman", "elman-relu", "gru", "lstm"}))
def test_a_training_of_a_new_cell_goes_on_as_if_it_never_was_stopped(make_session, train, tmp_path, cell):
    chosen = {**RANDOM, "model.cell": cell, "model.num_layers": 2}
    session, unbroken = train("text", chosen)
    stop_and_go(make_session, ("text", chosen), tmp_path / "broken", [1, session.trainer.state.step - 1])
    assert traces(tmp_path / "broken") == traces(unbroken)


def test_a_training_stopped_while_it_evaluates_keeps_the_metric(make_session, train, tmp_path):
    _, unbroken = train("tsv", RANDOM)
    session = make_session("tsv", RANDOM)
    for event in session.train(RunTarget(tmp_path / "run")):
        if isinstance(event, Evaluated):
            session.trainer.stop("the test wants it")
    assert RunDirectory.open(tmp_path / "run").best().metric is not None
    for _ in make_session("tsv", RANDOM).train(RunTarget(tmp_path / "run", resume=True)):
        pass
    assert traces(tmp_path / "run") == traces(unbroken)


def test_a_stopped_training_is_saved_once_and_not_measured(make_session, tmp_path):
    session = make_session("text")
    session.trainer.stop("the test wants it")
    events = list(session.train(RunTarget(tmp_path / "run")))
    assert [type(event) for event in events[1:]] == [Saved, Finished]
    assert events[-1].reason == "the test wants it"
    assert RunDirectory.open(tmp_path / "run").newest().step == 0


def test_a_finished_training_can_be_extended(make_session, train, tmp_path):
    settings = {**RANDOM, "training.schedule": "constant"}
    _, long = train("tsv", {**settings, "training.epochs": 2.0})
    _, short = train("tsv", {**settings, "training.epochs": 1.0})
    for _ in make_session("tsv", {**settings, "training.epochs": 2.0}).train(RunTarget(short, resume=True)):
        pass
    assert traces(short)["weights"] == traces(long)["weights"]


@pytest.mark.parametrize("layout", ["tsv", "lines"])
def test_batches_that_share_an_update_are_one_large_batch(make_session, tmp_path, layout):
    once = {**PLAIN_SGD, "training.steps": 1, "data.valid_fraction": 0.0}
    large = make_session(layout, {**once, "training.batch_size": 100})
    small = make_session(layout, {**once, "training.batch_size": 7, "training.accumulate": 9})
    assert large.trainer.batches_per_epoch == 1
    assert 1 < small.trainer.batches_per_epoch <= 9
    one, (step,) = changes(large, RunTarget(tmp_path / "large"))
    many, (shared,) = changes(small, RunTarget(tmp_path / "small"))
    assert norm(one) > 0.01
    for name, change in one.items():
        np.testing.assert_allclose(many[name], change, atol=1e-6)
    assert shared.loss == pytest.approx(step.loss, abs=1e-6)
    assert shared.tokens == step.tokens


def test_a_gradient_is_clipped_to_its_largest_norm(make_session, tmp_path):
    once = {**PLAIN_SGD, "training.steps": 1}
    free, _ = changes(make_session("tsv", once), RunTarget(tmp_path / "free"))
    clipped, _ = changes(
        make_session("tsv", {**once, "training.clip": 0.01}), RunTarget(tmp_path / "clipped")
    )
    assert norm(free) > 0.02
    assert norm(clipped) == pytest.approx(0.01, rel=1e-3)
    for name, change in free.items():
        np.testing.assert_allclose(clipped[name], change * 0.01 / norm(free), atol=1e-6)


@pytest.mark.parametrize("kind", ["loss", "gradient"])
def test_an_update_that_is_not_finite_is_left_out(make_session, tmp_path, kind):
    session = make_session("text")
    if kind == "loss":
        spoil(session, {3})
    else:
        calls = []
        bias = session.model.output.bias
        bias.register_hook(lambda g: g * (math.inf if calls.append(0) or len(calls) == 3 else 1.0))
    weights, events = [], []
    for event in session.train(RunTarget(tmp_path / "run")):
        if isinstance(event, Stepped):
            weights.append({name: array.copy() for name, array in model_arrays(session.model).items()})
            events.append(event)
    assert [event.step for event in events if event.skipped] == [3]
    assert all(np.array_equal(weights[1][name], weights[2][name]) for name in weights[0])
    assert any(not np.array_equal(weights[2][name], weights[3][name]) for name in weights[0])
    assert session.trainer.state.skipped_updates == 0
    line = json.loads((tmp_path / "run/metrics.jsonl").read_text().splitlines()[0])
    assert math.isfinite(line["train_loss"])


def test_failures_that_do_not_end_end_the_training_and_leave_the_best(make_session, tmp_path):
    session = make_session("text", {"training.epochs": 100.0})
    first = session.trainer.batches_per_epoch
    spoil(session, range(first + 1, 10_000))
    run = tmp_path / "run"
    saved = []

    def follow():
        for event in session.train(RunTarget(run)):
            if isinstance(event, Saved):
                saved[:] = contents(run)

    with pytest.raises(NumericError, match=rf"step {first + 40}: .*10 updates in a row"):
        follow()
    assert saved
    assert contents(run) == saved
    assert RunDirectory.open(run).best().step == first


def test_a_training_of_which_no_update_is_finite_is_an_error(make_session, tmp_path):
    session = make_session("text", {"training.epochs": None, "training.steps": 4})
    spoil(session, range(5))
    with pytest.raises(NumericError, match="step 4: no update has left the loss finite; try a lower"):
        list(session.train(RunTarget(tmp_path / "run")))
    assert not (tmp_path / "run").exists()


def rates(events):
    return [event.learning_rate for event in events if isinstance(event, Stepped)]


@pytest.mark.parametrize("average", [0.0, 0.9])
@pytest.mark.parametrize("saved", [True, False])
def test_ten_failures_in_a_row_lead_back_to_sound_weights_and_half_the_rate(
    make_session, tmp_path, saved, average
):
    every = 3 if saved else 1000
    session = make_session(
        "text",
        {
            "training.evaluate_every": every,
            "training.schedule": "constant",
            "training.warmup": 0.0,
            "training.average": average,
        },
    )
    spoil(session, range(4, 14))
    events, before, after = [], {}, {}
    for event in session.train(RunTarget(tmp_path / "run")):
        events.append(event)
        if isinstance(event, Saved if saved else Started) and not before:
            before = {name: array.clone() for name, array in session.model.state_dict().items()}
        if isinstance(event, RolledBack):
            after = {name: array.clone() for name, array in session.model.state_dict().items()}
    (back,) = (event for event in events if isinstance(event, RolledBack))
    assert (back.step, back.to_step) == (13, 12 if saved else 0)
    assert back.reason == "the loss was not finite in 10 updates in a row"
    assert before
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert max(rates(events)[13:]) <= back.learning_rate
    assert back.learning_rate == pytest.approx(session.config.training.learning_rate / 2)
    assert isinstance(events[-1], Measured)
    state = SavedState.read(RunDirectory.open(tmp_path / "run").newest())
    assert (state.rollbacks, state.lr_scale) == (1, 0.5)


def test_weights_that_have_diverged_are_taken_back_by_an_evaluation(make_session, tmp_path):
    session = make_session("text", {"training.evaluate_every": 3})
    events = []
    for event in session.train(RunTarget(tmp_path / "run")):
        events.append(event)
        if isinstance(event, Stepped) and event.step == 6:
            with torch.no_grad():
                next(session.model.parameters()).fill_(float("nan"))
    (back,) = (event for event in events if isinstance(event, RolledBack))
    assert (back.step, back.to_step) == (6, 3)
    assert back.reason.startswith("the loss is nan")
    assert isinstance(events[-1], Measured)


def contents(run):
    return sorted((path.name, path.read_bytes()) for path in run.rglob("gen-*/*"))


@pytest.fixture
def scripted(monkeypatch):
    """Let evaluations return given accuracies, one after the other, and losses or always the same one."""

    def script(*accuracies, losses=()):
        found = ({"accuracy": a, "loss": b} for a, b in zip_longest(accuracies, losses, fillvalue=0.5))
        monkeypatch.setattr(loop, "evaluate", lambda *_, **__: Evaluation(next(found)))

    return script


def test_training_ends_when_evaluations_bring_nothing_better(make_session, tmp_path, scripted):
    scripted(0.5, 0.6, 0.6, 0.55, 0.9)
    session = make_session("tsv", {"training.early_stopping": 2, "training.evaluate_every": 1})
    events = list(session.train(RunTarget(tmp_path / "run")))
    (finished,) = (event for event in events if isinstance(event, Finished))
    assert (finished.step, finished.reason) == (4, "2 evaluations brought nothing better")
    assert [event.best for event in events if isinstance(event, Evaluated)] == [True, True, False, False]
    kept = sorted(path.name for path in (tmp_path / "run").glob("gen-*"))
    assert kept == ["gen-00000002", "gen-00000004"]


def test_of_equal_evaluations_that_of_the_lowest_loss_is_best(make_session, tmp_path, scripted):
    scripted(0.5, 0.5, 0.5, 0.5, losses=[0.4, 0.3, 0.35, 0.25])
    session = make_session("tsv", {"training.evaluate_every": 1, "training.steps": 4})
    events = list(session.train(RunTarget(tmp_path / "run")))
    assert [event.best for event in events if isinstance(event, Evaluated)] == [True, True, False, True]
    assert [path.name for path in (tmp_path / "run").glob("gen-*")] == ["gen-00000004"]


def test_a_plateau_halves_the_learning_rate(make_session, tmp_path, scripted):
    scripted(0.5, 0.5, 0.5, 0.6, 0.5, 0.5, 0.5, 0.5)
    settings = {"training.schedule": "plateau", "training.warmup": 0.0, "training.learning_rate": 0.08}
    session = make_session("tsv", {**settings, "training.evaluate_every": 1, "training.steps": 8})
    rates = [event.learning_rate for event in steps(session, RunTarget(tmp_path / "run"))]
    assert rates == [0.08, 0.08, 0.08, 0.04, 0.04, 0.04, 0.02, 0.02]


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless it is moved."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_the_learning_rate_lands_when_the_budget_ends(make_session, tmp_path, clock, schedule):
    settings = {"training.budget": "100s", "training.schedule": schedule, "training.learning_rate": 0.01}
    session = make_session("text", {**settings, "training.epochs": None, "training.warmup": 0.1})
    rates = []
    for event in session.train(RunTarget(tmp_path / "run")):
        if isinstance(event, Stepped):
            clock.now += 1.0
            rates.append(event.learning_rate)
    assert len(rates) == 100
    assert max(rates) == rates[10] == 0.01
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.02 * max(rates)


def test_a_budget_counts_what_came_before_the_training_and_what_comes_after_it(
    make_session, tmp_path, clock, monkeypatch
):
    def slow(*_, **__):
        clock.now += 3.0
        return Evaluation({"loss": 1.0, "accuracy": 0.5})

    monkeypatch.setattr(loop, "evaluate", slow)
    settings = {"training.budget": "200s", "training.epochs": None}
    session = make_session("text", settings, began=clock.now - 40.0)
    began = clock.now
    for event in session.train(RunTarget(tmp_path / "run")):
        if isinstance(event, Stepped):
            clock.now += 1.0
        elif isinstance(event, Finished):
            ended = clock.now
    assert 160.0 - 6.0 <= ended - began <= 160.0 - 2.0  # the last figures, 3 seconds, come after it


def test_a_budget_without_time_for_the_last_figures_has_those_of_the_training(
    make_session, tmp_path, clock, monkeypatch
):
    def slow(*_, **__):
        clock.now += 6.0
        return Evaluation({"loss": 1.0})

    monkeypatch.setattr(loop, "evaluate", slow)
    session = make_session("text", {"training.budget": "20s", "training.epochs": None})
    began = clock.now
    for event in session.train(RunTarget(tmp_path / "run")):
        if isinstance(event, Stepped):
            clock.now += 0.1
        elif isinstance(event, Measured):
            assert event.metrics == {"loss": 1.0}
            assert clock.now - began <= 20.0 + 0.2


@pytest.mark.parametrize(("spent", "left"), [(0.0, 100.0), (30.0, 70.0), (95.0, 25.0)])
def test_of_a_budget_a_quarter_at_least_is_for_the_training(spent, left):
    assert Duration(100.0, None, None).shortened(spent).seconds == left
    assert Duration(None, 1.0, None).shortened(spent) == Duration(None, 1.0, None)


def test_evaluations_take_a_small_share_of_a_budget(make_session, tmp_path, clock, monkeypatch):
    def slow(*_, **__):
        clock.now += 10.0
        return Evaluation({"loss": 1.0})

    monkeypatch.setattr(loop, "evaluate", slow)
    session = make_session("text", {"training.budget": "500s", "training.epochs": None})
    count = 0
    for event in session.train(RunTarget(tmp_path / "run")):
        clock.now += isinstance(event, Stepped)
        count += isinstance(event, Evaluated)
    assert 5 <= count <= 6  # one in 100 s, and one at the end


def test_a_resumed_training_has_what_is_left_of_the_budget(make_session, tmp_path, clock):
    settings = {"training.budget": "30s", "training.epochs": None}
    counts = []
    for resume in (False, True):
        clock.now += 500.0
        session = make_session("text", settings)
        counts.append(0)
        for event in session.train(RunTarget(tmp_path / "run", resume=resume)):
            if isinstance(event, Stepped):
                clock.now += 1.0
                counts[-1] += 1
                if counts == [12]:
                    session.trainer.stop("the test wants it")
    assert counts == [12, 18]


def test_an_epoch_is_a_pass_over_all_examples(make_session, tmp_path):
    session = make_session("tsv", {"training.epochs": 1.5})
    taken = steps(session, RunTarget(tmp_path / "run"))
    assert len(taken) == math.ceil(1.5 * session.trainer.batches_per_epoch)
    assert taken[session.trainer.batches_per_epoch - 1].epoch == 1.0
    one = sum(event.tokens for event in taken[: session.trainer.batches_per_epoch])
    assert one == len(session.prepared.train["source"].values)
    assert taken[-1].fraction == 1.0


@pytest.mark.skipif(not computes_bfloat16("LSTM"), reason="this CPU has no LSTM of bfloat16")
def test_half_precision_trains_and_full_precision_evaluates(make_session, tmp_path):
    session = make_session("tsv", {"training.precision": "bf16"})
    dtypes = {True: set(), False: set()}
    session.model.get_submodule("head.1").register_forward_hook(
        lambda module, _, output: dtypes[module.training].add(output.dtype)
    )
    taken = steps(session, RunTarget(tmp_path / "run"))
    assert dtypes == {True: {torch.bfloat16}, False: {torch.float32}}
    assert all(math.isfinite(event.loss) for event in taken)
    assert {parameter.dtype for parameter in session.model.parameters()} == {torch.float32}


def test_padding_is_the_share_of_positions_that_carry_nothing(make_session, tmp_path):
    settings = {"data.lengths": "blank", "data.max_tokens": 10, "training.epochs": 1.0}
    session = make_session("tsv", settings)
    taken = steps(session, RunTarget(tmp_path / "run"))
    tokens = len(session.prepared.train["source"].values)
    rows = len(session.prepared.train)
    computed = sum(event.tokens / (1 - event.padding) for event in taken)
    assert computed == pytest.approx(10 * rows)
    assert sum(event.tokens for event in taken) == tokens
