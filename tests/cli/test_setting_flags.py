from __future__ import annotations

from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from seqrnn.cli.setting_flags import config_flags
from seqrnn.config import KEYS

received: dict[str, Any] = {}


@config_flags
def learn(files: Annotated[list[str], typer.Argument()], quiet: bool = False, **flags: Any) -> None:
    """Stand for a command."""
    received.clear()
    received.update(files=files, quiet=quiet, flags=flags)


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(learn)
    return app


def given(app: typer.Typer, *args: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["a.txt", *args], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return received


def test_only_flags_that_the_user_gave_are_passed_on(app: typer.Typer) -> None:
    assert given(app) == {"files": ["a.txt"], "quiet": False, "flags": {}}
    assert given(app, "--quiet", "--hidden-size", "3") == {
        "files": ["a.txt"],
        "quiet": True,
        "flags": {"model.hidden_size": 3},
    }


def test_values_have_the_types_of_the_schema(app: typer.Typer) -> None:
    args = ["--learning-rate", "1e-3", "--cell", "gru", "--text-col", "2", "--valid", "a", "--valid", "b"]
    assert given(app, *args)["flags"] == {
        "training.learning_rate": 1e-3,
        "model.cell": "gru",
        "data.text_column": "2",
        "data.valid": ("a", "b"),
    }


def test_a_switch_says_yes_or_no_or_nothing(app: typer.Typer) -> None:
    assert given(app, "--bidirectional")["flags"] == {"model.bidirectional": True}
    assert given(app, "--unidirectional")["flags"] == {"model.bidirectional": False}
    assert given(app, "--multi-label")["flags"] == {"data.multi_label": True}


def test_help_shows_every_flag_with_help_choices_and_default(app: typer.Typer) -> None:
    env = {"COLUMNS": "200", "TERMINAL_WIDTH": "200"}
    shown = CliRunner().invoke(app, ["--help"], env=env).output
    for field in KEYS.values():
        for spelling in filter(None, (field.flag or "").split("/")):
            assert spelling in shown
    for words in (
        "Size of the hidden state.",
        "[default: 256]",
        "elman, elman-relu, gru, lstm, mingru, minlstm",
        "become <unk>",
    ):
        assert words in " ".join(shown.replace("│", " ").split())
    panels = [line.split()[1] for line in shown.splitlines() if line.startswith("╭─")]
    assert panels[-3:] == ["Data", "Model", "Training"]
