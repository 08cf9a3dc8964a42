"""What the length of a training decides, with the speed of a machine made up."""

from __future__ import annotations

import re
import time
from itertools import product

import pytest
import torch

from seqrnn.config_file import from_flags
from seqrnn.library.cross_validation import fold_trainings
from seqrnn.library.length_choices import fitted_to_budget
from seqrnn.library.plan import plan_training
from seqrnn.library.training import Begun, begin
from seqrnn.training import probe
from seqrnn.training.events import Stepped
from seqrnn.training.threads import ThreadTuner

TEXT = "to be or not to be, that is the question\n" * 200


@pytest.fixture
def begun(tmp_path):
    """A function `(settings by dotted key) -> Begun` of a training on a text."""
    path = tmp_path / "text.txt"
    path.write_text(TEXT)

    def make(settings, name="data.train"):
        plan = plan_training([from_flags({name: (str(path),), "data.format": "text", **settings})])
        return begin(plan, None, False, lambda line: None, lambda event: None)

    return make


@pytest.fixture
def machine(monkeypatch):
    """A function that makes updates of 128 units take `seconds`, of more units as much as their matrices."""

    def make(seconds, gpu=False):
        def took(config, task, prepared):
            assert task.config is config
            asked.append(config.model.hidden_size)
            return seconds * (1.0 if gpu else (config.model.hidden_size / 128) ** 2)

        asked = []
        monkeypatch.setattr(probe, "seconds_of_update", took)
        if gpu:
            monkeypatch.setattr(
                "seqrnn.backends.torch.device.choose_device", lambda name: torch.device("cuda")
            )
        return asked

    return make


def chosen(begun: Begun) -> Begun:
    return fitted_to_budget(begun, time.monotonic(), lambda line: None)


@pytest.mark.parametrize(
    ("seconds", "hidden", "tried"),
    [
        (0.100, 128, [128, 192]),  # 600 updates, of 192 units 270
        (0.016, 192, [128, 192, 320]),
        (0.002, 320, [128, 192, 320]),
    ],
)
def test_the_more_updates_there_are_the_larger_is_the_network(begun, machine, seconds, hidden, tried):
    asked = machine(seconds)
    said = []
    found = fitted_to_budget(begun({"training.budget": "60s"}), time.monotonic(), said.append)
    assert found.plan.config.model.hidden_size == found.plan.readable.model.hidden_size == hidden
    assert found.task.config.model.hidden_size == hidden
    (told,) = said
    assert re.fullmatch(
        rf"length: about .* updates \(.* passes\), so 1 x {hidden} units, batches of 24", told
    )
    assert asked == tried


def test_a_gpu_trains_a_large_network_with_more_dropout_for_many_passes(begun, machine):
    machine(0.002, gpu=True)
    few, many = (chosen(begun({"training.budget": budget})).plan.config for budget in ("0.5s", "60s"))
    assert few.model.hidden_size == many.model.hidden_size == 1024
    assert few.training.batch_size == many.training.batch_size == 64
    assert (many.model.dropout, many.model.embedding_dropout, many.model.word_dropout) == (0.6, 0.2, 0.05)
    own = chosen(begun({"training.budget": "60s", "model.dropout": 0.3})).plan.config
    assert (own.model.dropout, own.model.embedding_dropout) == (0.3, 0.2)


@pytest.mark.parametrize(
    "settings",
    [
        {"training.steps": 100},  # no budget
        {"training.budget": "60s", "model.hidden_size": 200},
        {"training.budget": "60s", "training.batch_size": 8},
        {"training.budget": "60s", "data.format": "lines"},  # no long text
    ],
)
def test_what_is_named_or_not_measured_stays(begun, machine, settings):
    asked = machine(10.0)
    before = begun(settings)
    said = []
    assert fitted_to_budget(before, time.monotonic(), said.append) is before
    assert not said
    assert not asked


def test_a_training_that_goes_on_from_other_weights_keeps_their_size(begun, machine, tmp_path):
    asked = machine(10.0)
    before = begun({"training.budget": "60s"})
    before = Begun(before.plan, before.task, before.prepared, None, tmp_path, False)
    said = []
    assert fitted_to_budget(before, None, said.append) is before
    assert not said
    assert not asked


def test_a_limit_of_updates_counts_as_well(begun, machine):
    machine(0.002)
    found = chosen(begun({"training.budget": "60s", "training.steps": 10_000})).plan.config
    assert found.model.hidden_size == 320
    few = {"training.budget": "1000s", "training.steps": 300}
    assert chosen(begun(few)).plan.config.model.hidden_size == 320  # of equally many updates the larger one


def test_updates_that_are_tried_leave_the_threads_as_they_were(begun, monkeypatch):
    threads = torch.get_num_threads()
    monkeypatch.setattr(ThreadTuner, "update_took", lambda *_: torch.set_num_threads(threads + 1))
    found = begun({"training.budget": "60s", "model.hidden_size": 4})
    assert probe.seconds_of_update(found.plan.config, found.task, found.prepared) > 0.0
    assert torch.get_num_threads() == threads


PAIRS = "".join(f"{'abcdef'[n % 5 :]}{n}\t{n % 7} {n % 5} x\n" for n in range(400))
WORDS = ["".join(letters) for letters in product("bdgk", "aeio", "lmnr", "aeiou", ["", "st", "nd", "ck"])]
SENTENCES = "".join(
    f"we saw {first} and {last} at sea\twir sahen {first} und {last} an der See\n"
    for first, last in zip(WORDS * 2, WORDS[::-1] * 2, strict=True)
)


@pytest.mark.parametrize(
    ("content", "seconds", "settings", "hidden"),
    [
        (PAIRS, 0.3, {}, 64),  # for 128 units
        (PAIRS, 0.05, {}, 128),
        (PAIRS, 0.00001, {}, 320),
        (PAIRS, 0.3, {"model.hidden_size": 320}, 320),
        (SENTENCES, 0.3, {}, 256),  # whose defaults are others
    ],
)
def test_of_symbols_that_are_written_small_networks_learn_most_in_a_short_time(
    tmp_path, machine, content, seconds, settings, hidden
):
    machine(seconds)
    path = tmp_path / "pairs.tsv"
    path.write_text(content)
    given = {"data.train": (str(path),), "task": "seq2seq", "training.budget": "60s", **settings}
    before = begin(plan_training([from_flags(given)]), None, False, lambda line: None, lambda event: None)
    assert chosen(before).plan.config.model.hidden_size == hidden


def test_an_update_that_takes_long_once_does_not_count(begun, monkeypatch):
    class Training:
        """Updates of 0.1 seconds, of which the fourth takes a second and a half."""

        def train(self, _):
            for update in range(20):
                now[0] += 1.5 if update == 3 else 0.1
                yield Stepped(update, 0.0, 0.0, 1.0, 0.1, 10, 0.0, now[0])

    now = [0.0]
    monkeypatch.setattr(probe, "Session", lambda *_: Training())
    monkeypatch.setattr(probe.time, "monotonic", lambda: now[0])
    found = begun({"training.budget": "60s", "model.hidden_size": 4})
    assert probe.seconds_of_update(found.plan.config, found.task, found.prepared) == pytest.approx(0.1)


@pytest.fixture
def tagger(tmp_path):
    """A function `(settings by dotted key, lines said) -> Begun` of a training on 640 tagged sentences."""
    path = tmp_path / "train.conll"
    path.write_text("Ann\tN\nsaw\tV\nBo\tN\n\n" * 640)

    def make(settings, said=None):
        plan = plan_training(
            [from_flags({"data.train": (str(path),), "data.valid_fraction": 0.0, **settings})]
        )
        return begin(
            plan, None, False, (lambda line: None) if said is None else said.append, lambda event: None
        )

    return make


def dropouts(begun: Begun) -> tuple[float, float, float]:
    for config in (begun.plan.config, begun.plan.readable, begun.task.config):
        model = config.model
        found = model.dropout, model.embedding_dropout, model.word_dropout
    return found


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ({"training.steps": 40}, (0.25, 0.25, 0.1)),  # two passes
        ({"training.epochs": 4.0}, (0.25, 0.25, 0.1)),
        ({"training.epochs": 9.0}, (0.376, 0.376, 0.15)),  # half-way from 4 to 20, by the logarithm
        ({"training.epochs": 20.0}, (0.5, 0.5, 0.2)),
        ({}, (0.5, 0.5, 0.2)),
        ({"training.steps": 40, "training.accumulate": 10}, (0.5, 0.5, 0.2)),
    ],
)
def test_a_tagger_is_regularized_for_its_passes(tagger, length, expected):
    assert dropouts(tagger(length)) == expected


def test_what_the_passes_decide_is_said(tagger):
    said = []
    tagger({"training.steps": 40, "model.dropout": 0.4}, said)
    assert said[-1] == "length: about 40 updates (2.0 passes), so embedding_dropout 0.25, word_dropout 0.1"
    tagger({}, quiet := [])
    assert not [line for line in quiet if line.startswith("length")]


def test_the_passes_that_a_budget_allows_are_told_by_a_few_updates(tagger, machine):
    machine(0.125)  # with 256 units 120 updates, of 32 sentences: 6 passes
    before = tagger({"training.budget": "60s"})
    assert dropouts(before) == (0.5, 0.5, 0.2)
    found = fitted_to_budget(before, time.monotonic(), lambda line: None)
    assert dropouts(found) == pytest.approx((0.31, 0.31, 0.125), abs=0.01)


def test_folds_are_regularized_as_the_training_on_all_is(tagger, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "seqrnn.training.fold.FoldTraining", lambda config, *_: seen.append(config.model.dropout)
    )
    list(fold_trainings(tagger({"training.epochs": 2.0}).plan, 2))
    assert seen == [0.25, 0.25]
