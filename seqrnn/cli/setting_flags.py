"""Turns the keys of the schema that have a flag into options of a command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer
from rich.markup import escape

from seqrnn.cli.spelling import in_flags
from seqrnn.config import KEYS

OPTIONS = {key.replace(".", "_"): key for key, field in KEYS.items() if field.flag}
"""Dotted keys by the name of the parameter that takes the flag."""

INFERRED = frozenset({"task"})
"""Keys whose default hardly ever holds, because the data decide."""


def config_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command one option for every key of the schema that has a flag.

    The command takes them as `**flags`: values by dotted key, only those that the user gave.

        @config_flags
        def train(data: list[str], **flags: Any) -> None: ...
    """
    own = [
        parameter
        for parameter in inspect.signature(command, eval_str=True).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]

    @wraps(command)
    def with_flags(**given: Any) -> None:
        flags = {key: given.pop(name) for name, key in OPTIONS.items()}
        command(**given, **{key: _value(value) for key, value in flags.items() if value is not None})

    parameters = [*own, *(_option(name, key) for name, key in OPTIONS.items())]
    with_flags.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_flags.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_flags


def _option(name: str, key: str) -> inspect.Parameter:
    field = KEYS[key]
    kind: Any = list[str] if isinstance(field.default, tuple) else field.type
    section, dot, _ = key.partition(".")
    option = typer.Option(
        field.flag,
        help=_help(key),
        metavar="<word>" if field.choices else "<file>" if kind == list[str] else None,
        rich_help_panel=section.capitalize() if dot else None,
    )
    annotation = Annotated[kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _help(key: str) -> str:
    """The key's help, its choices and its default, which is not the default of the parameter."""
    field = KEYS[key]
    choices = f" One of {', '.join(field.choices)}." if field.choices else ""
    text = escape(in_flags(f"{field.help}{choices}"))
    if field.default is None or field.default is False or field.default == () or key in INFERRED:
        return text
    return f"{text} [dim]{escape(f'[default: {_spelled(field.default)}]')}[/dim]"


def _spelled(default: Any) -> str:
    return repr(default) if default == "," else str(default)


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
