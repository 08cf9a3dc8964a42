"""Successive halving: who goes on, for how long, and what is left."""

from __future__ import annotations

import re
import time

import pytest

from seqrnn.config_file import from_flags
from seqrnn.errors import NumericError, UsageError
from seqrnn.library.plan import plan_training
from seqrnn.library.training import begin
from seqrnn.library.tuning import TrialEnded, Tuning, rung_sizes, rung_units, trials_for
from seqrnn.run.directory import RunDirectory

EXAMPLES = "".join(f"{'warm soup' if i % 2 else 'a slow boat'} {i % 7}\t{'ab'[i % 2]}\n" for i in range(60))


@pytest.fixture
def tuning(tmp_path):
    """A function `(combinations, seconds, more settings) -> Tuning`."""

    def make(combinations, seconds=600.0, **settings):
        (tmp_path / "train.tsv").write_text(EXAMPLES)
        flags = {
            "data.train": (str(tmp_path / "train.tsv"),),
            "model.hidden_size": 4,
            "model.embedding_size": 4,
            "training.precision": "fp32",
            "training.threads": 1,
            "training.epochs": 1.0,  # so that a trial is short, however much time it has
            **settings,
        }
        plan = plan_training([from_flags(flags)])
        data = begin(plan, None, False, lambda _: None, lambda _: None)
        (tmp_path / "runs").mkdir()
        return Tuning(plan, data, combinations, tmp_path / "runs", time.monotonic() + seconds)

    return make


def test_a_third_goes_on_for_three_times_as_long_in_all():
    assert rung_sizes(27) == [27, 9, 3, 1]
    assert rung_sizes(5) == [5, 2, 1]
    assert rung_units(0, 4) == [1, 2, 6, 18]
    assert rung_units(2, 2) == [6, 18]
    assert (trials_for(1), trials_for(15 * 60), trials_for(60 * 60)) == (3, 9, 27)


def test_the_best_go_on_in_their_own_runs_and_the_others_go(tuning, tmp_path):
    rates = [{"training.learning_rate": rate} for rate in (1e-6, 0.03, 1e-5, 1e-4)]
    search = tuning(rates)
    ended = [event for event in search.events() if isinstance(event, TrialEnded)]
    assert [event.trials for event in ended] == [4, 4, 4, 4, 2, 2, 1]
    assert [(event.rung, event.rungs) for event in ended[::4]] == [(1, 3), (2, 3)]
    assert [trial.rung for trial in search.ranked] == [3, 2, 1, 1]
    best = search.best
    assert best is search.ranked[0]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [f"trial-{best.number}"]
    assert RunDirectory.open(best.path).best().metric == best.metric
    lasting = search.lasting_config_of(best).training
    assert lasting.learning_rate == best.settings["training.learning_rate"]
    assert (lasting.steps, lasting.budget) == (best.step, None)


def test_a_trial_that_diverges_does_not_end_the_search(tuning):
    search = tuning([{"training.learning_rate": rate} for rate in (1e29, 0.03)], **{"training.epochs": 12.0})
    assert [event.trial.failure is None for event in search.events() if isinstance(event, TrialEnded)].count(
        False
    ) == 1
    assert re.search("not finite|the loss is nan", search.trials[0].failure)
    assert search.best is search.trials[1]
    assert search.ranked[-1] is search.trials[0]


def test_where_all_diverge_the_first_reason_is_told(tuning):
    length = {"training.epochs": 12.0, "training.evaluate_every": 99}
    search = tuning([{"training.learning_rate": 1e29}], **length)
    with pytest.raises(NumericError, match=r"none of 1 trials could be trained; the first: step \d+"):
        list(search.events())


def test_a_search_that_is_stopped_keeps_what_it_has(tuning):
    search = tuning([{"training.learning_rate": rate} for rate in (0.03, 0.01, 0.02)])
    for event in search.events():
        if isinstance(event, TrialEnded):
            search.stop("enough")
    assert search.best is search.trials[0]
    assert [trial.rung for trial in search.trials] == [1, 0, 0]


def test_after_the_deadline_no_trial_begins(tuning):
    search = tuning([{"training.learning_rate": 0.03}], seconds=-1.0)
    assert (list(search.events()), search.best) == ([], None)


def test_without_validation_data_there_is_nothing_to_compare(tuning):
    with pytest.raises(UsageError, match=r"give `data\.valid`"):
        tuning([{}], **{"data.valid_fraction": 0.0})
