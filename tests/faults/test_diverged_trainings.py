"""Weights that have diverged, though each is still a finite number, never take the place of good ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from damage import content_of

import seqrnn
from seqrnn.errors import NumericError
from seqrnn.run.directory import RunDirectory
from seqrnn.training.events import Saved, Stepped
from seqrnn.training.session import RunTarget

SHORT = {"training.steps": 6, "training.epochs": None, "training.evaluate_every": 3}
UNSEEN = {**SHORT, "data.valid_fraction": 0.0}


@torch.no_grad()
def blow_up(model):
    for parameter in model.parameters():
        parameter.mul_(1e38)
        assert torch.isfinite(parameter).all()


def follow(session, run, step, act):
    """Train, and act once after an update: what was on the disk after the last save, and the error."""
    saved = {}

    def train():
        for event in session.train(RunTarget(run)):
            if isinstance(event, Saved):
                saved.clear()
                saved.update(content_of(run))
            if isinstance(event, Stepped) and event.step == step:
                act()

    with pytest.raises(NumericError) as error:
        train()
    return saved, str(error.value)


@pytest.mark.parametrize("step", [4, 6], ids=["all-later-updates-skipped", "in-the-last-update"])
@pytest.mark.parametrize("more", [{}, {"training.average": 0.9}], ids=str)
def test_without_validation_data_diverged_weights_are_not_saved_as_the_last(
    make_session, tmp_path, step, more
):
    session, run = make_session("text", {**UNSEEN, **more}), tmp_path / "run"
    saved, error = follow(session, run, step, lambda: blow_up(session.model))
    assert re.match(
        r"step 6: the weights have diverged, .* not saved, .* try a lower `training.learning_rate`", error
    )
    assert content_of(run) == saved
    assert RunDirectory.open(run).newest().step == 3


def test_a_training_that_is_stopped_does_not_save_them_either(make_session, tmp_path):
    session, run = make_session("text", SHORT), tmp_path / "run"

    def act():
        blow_up(session.model)
        session.trainer.stop("the test wants it")

    saved, error = follow(session, run, 5, act)
    assert error.startswith("step 5: the weights have diverged")
    assert content_of(run) == saved


def test_an_evaluation_that_finds_them_says_after_which_update(make_session, tmp_path):
    session, run = make_session("text", SHORT), tmp_path / "run"
    saved, error = follow(session, run, 6, lambda: blow_up(session.model))
    assert re.match(r"step 6: the loss is (nan|inf): the weights are damaged or diverged; ", error)
    assert content_of(run) == saved


def test_a_training_that_never_had_a_finite_loss_leaves_no_run(make_session, tmp_path):
    session = make_session("text", {**UNSEEN, "training.evaluate_every": None})
    blow_up(session.model)
    saved, error = follow(session, tmp_path / "run", 0, None)
    assert (saved, error[:30]) == ({}, "step 6: no update has left the")
    assert not (tmp_path / "run").exists()


def test_one_bad_batch_before_a_save_loses_nothing(make_session, tmp_path, monkeypatch):
    session = make_session("text", UNSEEN)
    monkeypatch.setattr(session.trainer.updater, "_apply", lambda: session.trainer.state.step != 5)
    assert [
        event.step for event in session.train(RunTarget(tmp_path / "run")) if isinstance(event, Saved)
    ] == [
        3,
        6,
    ]
    assert session.trainer.state.skipped_updates == 1


COMMAND = r"(train|evaluate|classify|generate|inspect|export)"


def test_advice_names_options_that_there_are():
    """Every `--option` in a message is one of some command, and one to be used with a command is its own."""
    documented = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    own = {part.split()[0]: part for part in documented.split("$ seqrnn ")[1:]}
    for path in Path(seqrnn.__file__).parent.rglob("*.py"):
        text = path.read_text()
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text):
            assert re.search(rf"{option}\b", documented), f"{path}: {option}"
        for command, option in re.findall(rf"\b{COMMAND}(?: it)?(?: again)? with (--[a-z-]+)", text):
            assert re.search(rf"{option}\b", own[command]), f"{path}: {command} with {option}"
