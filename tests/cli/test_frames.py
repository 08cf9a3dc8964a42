"""How far it is from the command to the gradient: what a reader of the training loop goes through."""

from __future__ import annotations

import traceback
from pathlib import Path

import torch

import seqrnn
from seqrnn.cli.train import train

PACKAGE = str(Path(seqrnn.__file__).parent)


def test_five_calls_lead_from_the_command_to_backward(tmp_path, monkeypatch) -> None:
    stacks = []
    backward = torch.Tensor.backward

    def recorded(self, *rest, **options):
        stacks.append([frame for frame in traceback.extract_stack() if frame.filename.startswith(PACKAGE)])
        return backward(self, *rest, **options)

    monkeypatch.setattr(torch.Tensor, "backward", recorded)
    data = tmp_path / "data.tsv"
    data.write_text("warm soup\tfood\na cold wind\tweather\n" * 8)
    settings = {
        "training.steps": 2,
        "model.hidden_size": 4,
        "training.threads": 1,
        "data.valid_fraction": 0.2,
    }
    assignments = [f"{key}={value}" for key, value in settings.items()]
    named = {name: value.default for name, value in _options().items() if name not in {"data", "output"}}
    train(data=[str(data)], output=tmp_path / "run", **{**named, "assignments": assignments, "quiet": True})

    assert len(stacks) == 2
    for stack in stacks:
        first = next(number for number, frame in enumerate(stack) if frame.name == "train")
        places = [(Path(frame.filename).name, frame.name) for frame in stack[first:]]
        assert places == [
            ("train.py", "train"),
            ("console.py", "follow"),
            ("session.py", "events"),
            ("trainer.py", "events"),
            ("updates.py", "update"),
        ]


def _options():
    import inspect

    return inspect.signature(train).parameters
