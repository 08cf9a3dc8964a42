"""Turns what the schema refuses into help: what is wrong, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from seqrnn.config import KEYS, SECTIONS
from seqrnn.yaml_text import Ambiguous

WANTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "finite_number": "a finite number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "one of {choices}",
    "string_pattern_mismatch": "a time such as 90s, 10m, 1.5h or 1h30m",  # only a budget has one
}
"""What a key wants, by pydantic's name for the error."""

LIMITS = ("gt", "ge", "lt", "le")
MAX_SHOWN = 60
MAX_IN_FULL = 10**20


def explain(error: Mapping[str, Any], choices: tuple[str, ...] = ()) -> str:
    """One pydantic error as `must be ..., not ...; what to do`; `choices` are the words allowed."""
    kind, given = error["type"], error["input"]
    if kind not in WANTED:
        return str(error["msg"])
    context = error.get("ctx", {})
    limits = {name: _number(context[name]) for name in LIMITS if name in context}
    wanted = WANTED[kind].format(**limits, choices=", ".join(choices))
    if isinstance(given, Ambiguous):
        return _disambiguate(kind, wanted, given.text)
    return f"must be {wanted}, not {_shown(given)}{_remedy(kind, given, choices)}"


def unknown_key(key: str) -> str:
    """What to say of a key that the schema does not have; names the nearest that it has."""
    section, _, name = key.rpartition(".")
    siblings = [known.rpartition(".")[2] for known in KEYS if known.rpartition(".")[0] == section]
    siblings += SECTIONS if not section else ()
    elsewhere = [known for known in KEYS if known.endswith(f".{name}")]
    near = elsewhere or get_close_matches(name, siblings, n=1) or get_close_matches(key, KEYS, n=1)
    known = ", ".join(siblings or SECTIONS)
    return f"unknown key; did you mean {near[0]}?" if near else f"unknown key; known are {known}"


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """`; did you mean lstm?` for `lstn`, or nothing where no known word is near."""
    near = get_close_matches(text, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _disambiguate(kind: str, wanted: str, text: str) -> str:
    disagree = f"readers of YAML disagree what an unquoted {text} is"
    if kind in ("string_type", "literal_error"):
        return f'{disagree}; quote it: "{text}"'
    return f"must be {wanted}, and {disagree}; write it plainly, or quote it if it is text"


def _remedy(kind: str, given: Any, choices: tuple[str, ...]) -> str:
    if kind == "string_type" and isinstance(given, int | float):
        return "; quote it"
    return did_you_mean(given, choices) if isinstance(given, str) else ""


def _number(limit: float) -> str:
    """A limit, in full where it is whole: 1,000,000,000, 0.5, 1e+30."""
    return f"{int(limit):,}" if limit == int(limit) and abs(limit) < MAX_IN_FULL else f"{limit:,g}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | tuple | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
