"""The command line: its commands, and what they share.

A command is the function of its name in the module of its name beside this one. The module is
imported when the command runs, so `seqrnn --help` costs no more than Typer itself.
"""

from __future__ import annotations

import warnings
from difflib import get_close_matches
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from seqrnn import __version__
from seqrnn.cli.exits import exit_codes
from seqrnn.errors import UsageError

COMMANDS = {
    "init": "Write the settings of a training, to be changed by hand.",
    "prepare": "Read and tokenize data once, into a directory to train on.",
    "train": "Learn a model from data.",
    "tune": "Search for the settings of a training within a time budget.",
    "evaluate": "Measure a model on data that has the answers.",
    "classify": "Label each line of the input.",
    "generate": "Write text, from a prompt or for each line of the input.",
    "serve": "Answer over HTTP.",
    "explain": "Show why a model answers each line of the input as it does.",
    "inspect": "Show what data hold before a training, or what a run directory holds.",
    "report": "Write a page that shows what a run has learnt.",
    "compare": "Show runs side by side: figures, sizes, and the settings that differ.",
    "export": "Write a model for ONNX runtimes, or in a quarter of the bytes.",
}
"""The commands, with the line that `seqrnn --help` shows of each."""
ELSEWHERE = {"predict": "classify", "test": "evaluate", "fit": "train", "translate": "generate"}
"""Commands of other programs, and those that do here what they do."""


class PlainCommand(TyperCommand):
    """A command whose help does not show that a switch is a `<bool>`."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, `--help` among them."""
        return _without_types_of_switches(super().get_params(ctx))


class LazyGroup(TyperGroup):
    """Loads a command when it is called, and ends the process with the right exit code."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Any:
        """Parse the options before the command; `--debug` may come after it as well."""
        with exit_codes(debug=False):
            return super().make_context(info_name, _with_debug_first(args), *rest, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        if ctx.params["debug"]:
            warnings.simplefilter("default")
        with exit_codes(debug=ctx.params["debug"]):
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Replace the command's entry in the help by the real command."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            raise UsageError(f"{args[0]}: no such command; {_nearest_command(args[0])}")
        name, entry, rest = super().resolve_command(ctx, args)
        return name, entry and load_command(args[0]), rest

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters before the command."""
        return _without_types_of_switches(super().get_params(ctx))


def load_command(name: str) -> Any:
    """Import a command and build its options."""
    alone = typer.Typer(add_completion=False)
    alone.command(name, cls=PlainCommand)(getattr(import_module(f"seqrnn.cli.{name}"), name))
    return get_command(alone)


def _without_types_of_switches(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "is_flag", False) and param.metavar is None:
            param.metavar = ""
    return params


def _with_debug_first(args: list[str]) -> list[str]:
    end = args.index("--") if "--" in args else len(args)
    options = [arg for arg in args[:end] if arg != "--debug"]
    return (["--debug"] if len(options) < end else []) + options + args[end:]


def _nearest_command(name: str) -> str:
    near = [ELSEWHERE[name]] if name in ELSEWHERE else get_close_matches(name, COMMANDS, n=1)
    return f"did you mean {near[0]}?" if near else f"the commands are {', '.join(COMMANDS)}"


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seqrnn {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def seqrnn(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="SEQRNN_DEBUG", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Recurrent networks for sequences, made for shell pipelines.

    Answers go to standard output, everything else to standard error.
    """


def _add_entry(name: str, summary: str) -> None:
    @app.command(name, help=summary)
    def entry() -> None:
        """Hold the place in the help; `LazyGroup.resolve_command` gives the real command."""


for _name, _summary in COMMANDS.items():
    _add_entry(_name, _summary)
