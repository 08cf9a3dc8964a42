"""A checkpoint that was tampered with is told before anything of it is used, and stays as it is."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from damage import CASES, SAMPLES, content_of, edit_tensors, newest, take_case, write_state

from seqrnn.errors import ModelError
from seqrnn.run.directory import RunDirectory
from seqrnn.training.session import RunTarget
from seqrnn.training.state import SavedState

WEIGHT = "rnn.layers.0.0.weight_hh_l0"
SETTINGS = {
    "text": {"training.average": 0.9},
    "tsv": {"training.optimizer": "sgd", "training.learning_rate": 0.1, "data.valid_fraction": 0.2},
}


@pytest.fixture
def trained(make_session, tmp_path):
    """A function `layout -> path` of a run that was stopped in the middle of an epoch."""

    def train(layout):
        session = make_session(layout, SETTINGS[layout])
        for event in session.train(RunTarget(tmp_path / "run")):
            if getattr(event, "step", 0) == 4:
                session.trainer.stop("the test wants it")
        return tmp_path / "run"

    return train


@pytest.fixture
def resume(make_session):
    """A function `(path, layout)` that goes on with a run for two updates, which must not be too much."""

    def go_on(path, layout, **more):
        settings = {**SETTINGS[layout], "training.steps": 6, "training.epochs": None, **more}
        return list(make_session(layout, settings).train(RunTarget(path, resume=True)))

    return go_on


def another_shape(name):
    return lambda tensors: tensors.update({name: np.zeros(3, np.float32)})


def another_dtype(name, dtype):
    return lambda tensors: tensors.update({name: tensors[name].astype(dtype)})


def without(*names):
    return lambda tensors: [tensors.pop(name) for name in names] and tensors


def renamed(old, new):
    return lambda tensors: tensors.update({new: tensors.pop(old)})


def filled(name, value):
    return lambda tensors: tensors.update({name: np.full_like(tensors[name], value)})


def random_state(left, following):
    """The state of a generator that counts so many numbers left, and this as the next of 624."""

    def change(tensors):
        tensors["rng"][8:12] = np.array([left], np.int32).view(np.uint8)
        tensors["rng"][16:24] = np.array([following], np.uint64).view(np.uint8)

    return change


MOMENT = f"optimizer.{WEIGHT}.exp_avg"
DAMAGE = {
    "moment-shape": ("text", another_shape(MOMENT), "is float32 (3,), expected float32 (24, 6)"),
    "moment-square-shape": ("text", another_shape(f"{MOMENT}_sq"), "expected float32 (24, 6)"),
    "moment-dtype": ("text", another_dtype(MOMENT, np.float16), "is float16 (24, 6), expected float32"),
    "moment-missing": ("text", without(MOMENT), f"lacks '{MOMENT}'"),
    "moment-negative": ("text", filled(f"{MOMENT}_sq", -1), "is a mean of squares, and negative"),
    "step-shape": ("text", another_shape(f"optimizer.{WEIGHT}.step"), "expected float32 ()"),
    "step-dtype": ("text", another_dtype(f"optimizer.{WEIGHT}.step", np.int64), "is int64 ()"),
    "step-zero": ("text", filled(f"optimizer.{WEIGHT}.step", 0), "is 0.0, of 4 updates"),
    "step-beyond": ("text", filled(f"optimizer.{WEIGHT}.step", 5), "is 5.0, of 4 updates"),
    "nan": ("text", filled(MOMENT, np.nan), "holds nan or infinity"),
    "of-no-parameter": ("text", renamed(MOMENT, "optimizer.other.exp_avg"), "lacks"),
    "another-key": ("text", renamed(MOMENT, f"optimizer.{WEIGHT}.exp"), "lacks"),
    "momentum-shape": (
        "tsv",
        another_shape(f"optimizer.{WEIGHT}.momentum_buffer"),
        "expected float32 (24, 6)",
    ),
    "random-missing": ("text", without("rng"), "lacks 'rng'"),
    "random-shape": ("text", another_shape("rng"), "'rng' is float32 (3,), expected uint8 (5056,)"),
    "random-short": ("text", lambda t: t.update(rng=t["rng"][:100].copy()), "is uint8 (100,)"),
    "random-zeros": ("text", filled("rng", 0), "'rng' is no state of the random generator"),
    "random-ones": ("text", filled("rng", 255), "'rng' is no state of the random generator"),
    "random-beyond": ("text", random_state(624, 624), "624 numbers left after 624 of 624"),
    "random-of-a-gpu": (
        "text",
        lambda t: t.update({"rng.cuda": np.zeros(8, np.uint8)}),
        "expected uint8 (16,)",
    ),
    "carry-shape": (
        "text",
        another_shape("carry.0.1"),
        "'carry.0.1' is float32 (3,), expected float32 (4, 6)",
    ),
    "carry-width": ("text", lambda t: t.update({"carry.0.0": np.zeros((4, 7), np.float32)}), "(4, 6)"),
    "carry-rank": ("text", lambda t: t.update({"carry.0.0": np.zeros((), np.float32)}), "'carry.0.0'"),
    "carry-missing": ("text", without("carry.0.0"), "lacks 'carry.0.0'"),
    "carry-layer": ("text", renamed("carry.0.0", "carry.7.0"), "lacks 'carry.0.0'"),
    "carry-name": ("text", renamed("carry.0.0", "carry.x"), "lacks 'carry.0.0'"),
    "carry-of-none": ("tsv", lambda t: t.update({"carry.0.0": np.zeros((4, 6), np.float32)}), "'carry.0.0'"),
    "average-shape": ("text", another_shape(f"weights.{WEIGHT}"), "expected float32 (24, 6)"),
    "average-missing": ("text", without(f"weights.{WEIGHT}"), f"lacks 'weights.{WEIGHT}'"),
    "extra": ("text", lambda t: t.update(extra=np.zeros(2, np.float32)), "does not have: 'extra'"),
}


@pytest.mark.parametrize(("layout", "change", "words"), DAMAGE.values(), ids=DAMAGE)
def test_no_tensor_of_a_checkpoint_is_used_before_it_is_what_it_must_be(
    trained, resume, layout, change, words
):
    run = trained(layout)
    edit_tensors(run, change)
    before = content_of(run)
    with pytest.raises(ModelError) as error:
        resume(run, layout)
    assert "training.safetensors: " in str(error.value)
    assert words in str(error.value)
    assert content_of(run) == before


def test_the_random_state_of_a_gpu_does_not_hinder_a_cpu(trained, resume):
    run = trained("text")
    edit_tensors(run, lambda tensors: tensors.update({"rng.cuda": np.arange(16, dtype=np.uint8)}))
    resume(run, "text")


def put(**values):
    return lambda state: {**state, **values}


def leave_out(name):
    return lambda state: {key: value for key, value in state.items() if key != name}


HUGE = 10**30
STATES = {
    "not-json": "{",
    "empty": "",
    "list": "[]",
    "null": "null",
    "number": "3",
    "deep": '{"step": ' + "[" * 5000 + "]" * 5000 + "}",
    "twice": '{"step": 4, "step": 4}',
    "nan": '{"step": NaN}',
    "long-integer": '{"step": ' + "9" * 5000 + "}",
    "unknown-key": put(more=1),
    "another-step": put(step=3),
    **{
        f"without-{name}": leave_out(name)
        for name in ("step", "epoch", "batch", "seconds", "best", "evaluated", "stale", "scale", "data")
    },
    **{f"without-{name}": leave_out(name) for name in ("failures", "loss", "losses")},
    **{
        f"{name}-{kind}": put(**{name: value})
        for name in ("step", "epoch", "batch", "evaluated", "stale", "failures", "losses")
        for kind, value in {
            "text": "4",
            "none": None,
            "true": True,
            "fraction": 1.5,
            "negative": -1,
            "huge": HUGE,
            "many": 2**62,
            "list": [1],
        }.items()
    },
    **{
        f"{name}-{kind}": put(**{name: value})
        for name in ("seconds", "scale", "loss")
        for kind, value in {"text": "1", "none": None, "true": True, "table": {}, "digits": 10**400}.items()
    },
    **{
        f"best-{kind}": put(best=value)
        for kind, value in {"text": "1", "list": [], "digits": HUGE**20}.items()
    },
    "best-loss": put(best_loss="low"),
    "seconds-negative": put(seconds=-1.0),
    "seconds-infinite": '{"step": 4, "seconds": 1e400}',
    "scale-negative": put(scale=-0.5),
    "scale-large": put(scale=1.5),
    "data-list": put(data=[]),
    "data-text": put(data="x"),
    "data-number": put(data={"train.text": 1}),
    "data-no-hash": put(data={"train.text": "abc"}),
}


def test_no_number_of_a_checkpoint_is_taken_before_it_is_what_it_must_be(trained):
    run = trained("text")
    whole = (newest(run) / "training.json").read_text()
    assert SavedState.read(RunDirectory.open(run).newest()).step == 4
    for name, change in STATES.items():
        write_state(run, change if isinstance(change, str) else json.dumps(change(json.loads(whole))))
        with pytest.raises(ModelError) as error:
            SavedState.read(RunDirectory.open(run).newest())
        assert "training.json: " in str(error.value), name
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (leave_out("scale"), "lacks 'scale'; copy it again"),
        (put(epoch=[]), "'epoch': Expected `int`, got `array`; copy it again"),
        (put(batch=1_000_000), "says batch 1000000, which the data do not have; copy it again"),
    ],
)
def test_numbers_that_cannot_be_resumed_from_change_nothing(trained, resume, change, words):
    run = trained("text")
    write_state(run, json.dumps(change(json.loads((newest(run) / "training.json").read_text()))))
    before = content_of(run)
    with pytest.raises(ModelError) as error:
        resume(run, "text")
    assert str(error.value) == f"{newest(run) / 'training.json'}: {words}"
    assert content_of(run) == before


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "null", '{"loss": 1}', '{"step": true}', '{"step": "4"}', '{"step": -1}', '{"step": 1.0}'],
)
def test_a_line_of_the_history_that_is_none_is_named_and_nothing_is_cut(trained, resume, line):
    run = trained("text")
    log = run / "metrics.jsonl"
    log.write_text(f'{line}\n{{"step": 99}}\n')
    before = content_of(run)
    with pytest.raises(ModelError, match=r"metrics.jsonl:1: "):
        resume(run, "text")
    assert content_of(run) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"training.optimizer": "sgd"},
        {"training.average": 0.0},
        {"training.batch_size": 3},
        {"training.learning_rate": 0.5},
    ],
    ids=str,
)
def test_what_may_change_in_a_resumed_training_may_change(trained, resume, changes):
    run = trained("text")
    *_, finished, _ = resume(run, "text", **changes)
    assert finished.step == 6
    again = resume(run, "text", **{"training.steps": 8})  # and back
    assert again[-2].step == 8
    assert not RunDirectory.open(run).warnings


def test_an_average_and_other_moments_may_begin_in_a_resumed_training(trained, resume):
    run = trained("tsv")
    changes = {"training.optimizer": "adamw", "training.average": 0.9}
    assert resume(run, "tsv", **changes)[-2].step == 6
    assert resume(run, "tsv", **changes, **{"training.steps": 8})[-2].step == 8


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases that others found are not here")
def test_a_moment_of_another_shape_corrupts_no_memory(tmp_path):
    """In a process of its own: what this did was to abort, or to spin for minutes."""
    run = take_case("S4b_momentshape", tmp_path)
    shutil.copy(SAMPLES / "mails.train.tsv", tmp_path)
    before = content_of(run)
    command = [sys.executable, "-m", "seqrnn", "train", "-o", "run", "--resume", "--steps", "33", "-q"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1), done.stderr
    assert "is float32 (3,), expected float32 (1327, 8)" in done.stderr
    assert content_of(run) == before
