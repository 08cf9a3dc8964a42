"""`seqrnn.train`: settings, events, errors, and what it leaves alone."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

import numpy as np
import pytest
import torch

import seqrnn
from seqrnn.config import KEYS
from seqrnn.library.given_settings import BY_NAME, from_config, from_keywords


@pytest.fixture
def data(library_folder):
    return library_folder / "train.tsv"


SMALL = {"task": "classification", "hidden_size": 6, "embedding_size": 5, "precision": "fp32", "threads": 1}


def test_the_result_is_that_of_the_run_directory(data, tmp_path):
    heard = []
    result = seqrnn.train(data, tmp_path / "run", steps=4, evaluate_every=2, callback=heard.append, **SMALL)
    kinds = [type(event).__name__ for event in heard if not isinstance(event, seqrnn.Preparing)]
    assert kinds == [
        "Started",
        *(["Stepped"] * 2 + ["Evaluated", "Saved"]) * 2,
        "Finished",
        "Measured",
    ]
    logged = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [event.step for event in result.history] == [2, 4]
    assert result.figures["loss"] == logged[-1]["loss"]
    assert (result.task, result.step, result.reason) == ("classification", 4, "the training is complete")
    assert any(note.startswith("shape: many-to-one") for note in result.notes)
    assert result.load().labels == ("food", "travel", "weather")


def test_settings_give_the_weights_that_flags_give(data, tmp_path):
    sizes = "--hidden-size 6 --embedding-size 5 --cell gru"
    flags = shlex.split(f"{sizes} --steps 3 --precision fp32 --threads 1 -q")
    command = [sys.executable, "-m", "seqrnn", "train", data, "-o", tmp_path / "a", *flags]
    subprocess.run(list(map(str, command)), check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    config = tmp_path / "c.yaml"
    config.write_text("model: {cell: gru, hidden_size: 99}\n")
    settings = {name: value for name, value in SMALL.items() if name != "task"}
    result = seqrnn.train([data], tmp_path / "b", config=config, steps=3, **settings)
    written = [next(tmp_path.glob(f"{run}/gen-*/model.safetensors")).read_bytes() for run in "ab"]
    assert written[0] == written[1]
    assert result.path == tmp_path / "b"


def test_a_callback_ends_a_training_that_can_be_resumed(data, tmp_path):
    def until_two(event):
        return isinstance(event, seqrnn.Stepped) and event.step == 2

    stopped = seqrnn.train(data, tmp_path / "run", steps=5, callback=until_two, **SMALL)
    assert (stopped.step, stopped.reason, stopped.figures) == (2, "the callback ended it", {})
    resumed = seqrnn.train(None, tmp_path / "run", resume=True)
    whole = seqrnn.train(data, tmp_path / "whole", steps=5, **SMALL)
    assert resumed.figures == whole.figures
    other = seqrnn.train(data, tmp_path / "other", init_from=tmp_path / "run", steps=1)
    assert other.load().settings["model"]["hidden_size"] == 6


def test_what_a_callback_raises_ends_the_training_and_leaves_no_empty_run(data, tmp_path):
    def fail(event):
        if isinstance(event, seqrnn.Stepped):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        seqrnn.train(data, tmp_path / "run", steps=5, callback=fail, **SMALL)
    assert not (tmp_path / "run").exists()


def test_nothing_is_printed_and_pytorch_is_as_before(data, tmp_path, capfd):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    threads, environment = torch.get_num_threads(), dict(os.environ)
    seqrnn.train(data, tmp_path / "run", steps=2, **{**SMALL, "threads": threads + 1})
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
    assert dict(os.environ) == environment
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"hiden_size": 3}, seqrnn.ConfigError, "hiden_size: unknown key; did you mean"),
        ({"hidden_size": 0}, seqrnn.ConfigError, "hidden_size=0: must be at least 1"),
        ({"config": {"model": {"hiden": 3}}}, seqrnn.ConfigError, r"config: model\.hiden: unknown key"),
        ({"config": "none.yaml"}, seqrnn.ConfigError, r"none\.yaml"),
        ({"attention": "mlp"}, seqrnn.UsageError, "attention='mlp'.* no effect on classification"),
        ({"lengths": "blank"}, seqrnn.UsageError, "`data.lengths=blank` .* `data.max_tokens`"),
        (
            {"resume": True, "overwrite": True},
            seqrnn.UsageError,
            "`resume` and `overwrite` exclude each",
        ),
    ],
)
def test_wrong_settings_are_told_by_their_names(settings, error, message, data, tmp_path):
    with pytest.raises(error, match=message) as caught:
        seqrnn.train(data, tmp_path / "run", **{"task": "classification", **settings})
    assert "--" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_data_of_two_readings_come_with_the_settings_that_choose_one(tmp_path, monkeypatch):
    def asks(*_):
        raise seqrnn.AmbiguousDataError("which?", [{"task": "regression"}, {"task": "classification"}])

    monkeypatch.setattr("seqrnn.library.training.plan_training", asks)
    with pytest.raises(
        seqrnn.AmbiguousDataError, match="`task=regression` or: `task=classification`"
    ) as caught:
        seqrnn.train("x.tsv", tmp_path / "run")
    assert [reading["task"] for reading in caught.value.readings] == ["regression", "classification"]


def test_test_data_are_measured_at_the_end(data, tmp_path):
    result = seqrnn.train(data, tmp_path / "run", steps=2, test=data, **SMALL)
    assert result.test.figures == pytest.approx(dict(result.load().evaluate(data).figures))


def test_a_run_that_is_there_is_not_replaced(data, tmp_path):
    seqrnn.train(data, tmp_path / "run", steps=1, **SMALL)
    with pytest.raises(seqrnn.UsageError, match=r"is not empty; continue it with `resume`, .* `overwrite`"):
        seqrnn.train(data, tmp_path / "run", steps=1, **SMALL)
    seqrnn.train(data, tmp_path / "run", steps=1, overwrite=True, **SMALL)


def test_no_two_sections_have_a_key_in_common():
    assert len(BY_NAME) == len(KEYS)


def test_values_may_be_paths_lists_numbers_of_numpy_or_none(tmp_path):
    layer = from_keywords(
        {"valid": tmp_path, "feature_columns": ["a"], "hidden_size": np.int64(3), "steps": None}
    )
    assert {key: setting.value for key, setting in layer.items()} == {
        "data.valid": (str(tmp_path),),
        "data.feature_columns": ("a",),
        "model.hidden_size": 3,
    }
    assert from_config({"task": "tagging", "data": {"valid": "x"}})["data.valid"].value == ("x",)


def rates(result_of):
    """The learning rate of each update, and what was noted of it."""
    heard = []
    result = result_of(lambda event: heard.append(event) if isinstance(event, seqrnn.Stepped) else None)
    return [event.learning_rate for event in heard], [
        note for note in result.notes if note.startswith("learning rate")
    ]


def test_a_short_training_takes_a_higher_rate_unless_one_is_given_or_weights_are(data, tmp_path):
    short = {"steps": 10, "schedule": "linear", "warmup": 0.0, **SMALL}
    found, told = rates(lambda heard: seqrnn.train(data, tmp_path / "run", callback=heard, **short))
    assert found[5] == pytest.approx(0.5 * 4 * 2e-3)
    assert told == ["learning rate: 0.008, 4.0 times the usual one, since 10 updates are few"]
    own = {**short, "learning_rate": 1e-3}
    found, told = rates(lambda heard: seqrnn.train(data, tmp_path / "own", callback=heard, **own))
    assert (found[5], told) == (0.5e-3, [])
    parent = {**short, "init_from": tmp_path / "run"}
    found, told = rates(lambda heard: seqrnn.train(data, tmp_path / "more", callback=heard, **parent))
    assert (found[5], told) == (1e-3, [])


def test_a_resumed_training_keeps_the_rate_of_its_new_length(data, tmp_path):
    short = {"steps": 10, "schedule": "linear", "warmup": 0.0, **SMALL}
    seqrnn.train(data, tmp_path / "run", **short)
    found, told = rates(
        lambda heard: seqrnn.train(None, tmp_path / "run", resume=True, steps=20, callback=heard)
    )
    assert len(found) == 10
    assert found[0] == pytest.approx(0.5 * 4 * 2e-3)
    assert told == ["learning rate: 0.008, 4.0 times the usual one, since 20 updates are few"]
