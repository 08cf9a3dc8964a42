from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seqrnn import errors
from seqrnn.cli.app import COMMANDS, app
from seqrnn.cli.exits import describe

HEAVY = ("torch", "numpy", "tokenizers", "sklearn", "safetensors")

Result = subprocess.CompletedProcess[str]


def python(code: str, *args: str, **environment: str) -> Result:
    command = [sys.executable, "-c", code, *args]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=60
    )


RAISING = """
import sys, types
from seqrnn import errors
from seqrnn.__main__ import main
module = types.ModuleType("seqrnn.cli.train")
def train(layers: int = 1, word: str = "") -> None:
    raise {}
module.train = train
sys.modules["seqrnn.cli.train"] = module
main()
"""


@pytest.fixture
def raising() -> Callable[..., Result]:
    """Runs `seqrnn` with a train command that raises something."""
    return lambda what, *args, **env: python(RAISING.format(what), *args, **env)


def modules_after(*args: str) -> set[str]:
    code = "import sys, atexit\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
    result = python(code + "from seqrnn.__main__ import main; main()", *args)
    assert result.returncode == 0
    return set(result.stderr.split())


def test_help_imports_nothing_heavy_and_no_command() -> None:
    imported = modules_after("--help")
    assert not imported & {*HEAVY, *(f"seqrnn.cli.{name}" for name in COMMANDS)}
    assert "typer" in imported


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_imports_no_torch(command: str) -> None:
    assert not modules_after(command, "-h") & {"torch", "tokenizers", "sklearn"}


def test_the_module_and_the_console_script_are_the_same_program() -> None:
    script = Path(sys.executable).with_name("seqrnn")
    for command in ([sys.executable, "-m", "seqrnn"], [str(script)]):
        for flag in ("-h", "--help"):
            result = subprocess.run([*command, flag], capture_output=True, text=True, check=True)
            assert "Usage: seqrnn [OPTIONS] COMMAND" in result.stdout
            assert all(name in result.stdout for name in COMMANDS)
        assert subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("what", "code", "line"),
    [
        ("errors.UsageError('a')", 2, "a"),
        ("errors.ConfigError('a.yaml:1: b')", 2, "a.yaml:1: b"),
        ("errors.DataError('a')", 3, "a"),
        ("errors.ModelError('a')", 4, "a"),
        ("errors.OutputError('a')", 5, "a"),
        ("errors.NumericError('a')", 6, "a"),
        ("errors.LockedError('a')", 7, "a"),
        ("errors.MemoryLimit('a')", 8, "a"),
        ("MemoryError()", 8, "out of memory; try a smaller batch, model or input"),
        ("OSError(28, 'No space left on device', 'x')", 5, "x: No space left on device"),
        ("errors.DataError('a\\n\\x1b[31m b')", 3, "a \\x1b[31m b"),
    ],
)
def test_each_error_ends_with_its_code_and_one_line(raising, what: str, code: int, line: str) -> None:
    result = raising(what, "train")
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr == f"seqrnn: error: {line}\n"


def test_every_error_class_has_its_code() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert all(describe(kind("x")) == (kind.exit_code, "x") for kind in kinds)


def test_an_interruption_ends_with_130_and_no_word(raising) -> None:
    result = raising("KeyboardInterrupt", "train")
    assert (result.returncode, result.stderr) == (130, "")


def test_a_bug_ends_with_1_and_asks_for_debug(raising) -> None:
    result = raising("KeyError('x')", "train")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "KeyError: 'x'" in result.stderr
    assert "--debug" in result.stderr


def test_debug_shows_the_traceback_before_or_behind_the_command(raising) -> None:
    for result in (
        raising("errors.DataError('a')", "--debug", "train"),
        raising("errors.DataError('a')", "train", "--debug"),
        raising("errors.DataError('a')", "train", SEQRNN_DEBUG="1"),
    ):
        assert result.returncode == 3
        assert result.stderr.startswith("Traceback")
        assert result.stderr.endswith("seqrnn: error: a\n")


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["trian"], "trian: no such command; did you mean train?"),
        (["predict"], "predict: no such command; did you mean classify?"),
        (["train", "--lr", "0.1"], "--lr: no such option; did you mean --learning-rate?"),
        (["zzz"], "zzz: no such command; the commands are init, prepare, train,"),
        (["--verzion"], "--verzion: no such option; did you mean --version?"),
        (["train", "--layer"], "--layer: no such option; did you mean --layers?"),
        (["train", "--zzz"], "--zzz: no such option; see seqrnn train --help"),
        (["train", "--layers", "x"], "--layers: must be a whole number, not 'x'"),
        (["train", "--layers"], "Option '--layers' requires an argument"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_one_line(raising, args: list[str], line: str) -> None:
    result = raising("AssertionError", *args)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"seqrnn: error: {line}")
    assert result.stderr.count("\n") == 1


def test_an_unknown_choice_names_the_nearest() -> None:
    code = RAISING.replace("layers: int = 1", "cell: __import__('typing').Literal['lstm', 'gru'] = 'gru'")
    result = python(code.format("AssertionError"), "train", "--cell", "lsmt")
    assert (
        result.stderr == "seqrnn: error: --cell: must be one of lstm, gru, not 'lsmt'; did you mean lstm?\n"
    )


def test_without_arguments_the_program_shows_its_help(raising) -> None:
    result = raising("AssertionError")
    assert (result.returncode, result.stderr) == (2, "")
    assert "Usage: seqrnn" in result.stdout


def test_help_in_a_pipe_has_no_colour() -> None:
    result = python("from seqrnn.__main__ import main; main()", "--help", NO_COLOR="1")
    assert "\x1b" not in result.stdout


def test_help_on_a_full_device_is_an_error_of_output() -> None:
    for command in ("--help", "--version"):
        shell = f"{sys.executable} -m seqrnn {command} > /dev/full"
        result = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
        assert result.returncode == 5
        assert result.stderr == "seqrnn: error: writing stdout: No space left on device\n"


def test_the_entries_of_the_help_are_the_commands() -> None:
    assert [command.name for command in app.registered_commands] == list(COMMANDS)
