"""Checks values against the schema, and says what is wrong and what to write instead."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from seqrnn.config import KEYS, SECTIONS, Key
from seqrnn.yaml_text import Ambiguous

WANTED = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    tuple[str, ...]: "a list",
}
"""What a key wants, by its type."""

TIME = "a time such as 90s, 10m, 1.5h or 1h30m"  # which a budget is, the only key with a pattern

MAX_SHOWN = 60
MAX_IN_FULL = 10**20


def checked(key: Key, value: Any) -> Any:
    """Return a value as the schema has it: a whole number becomes a float where numbers are wanted.

    Raises ValueError, `must be ..., not ...; what to do`, for anything that the key may not be.
    """
    if value is None and key.optional:
        return None
    if key.choices:
        if not isinstance(value, str) or value not in key.choices:
            raise _refusal(f"one of {', '.join(key.choices)}", value, key)
        return value
    if key.type == tuple[str, ...]:
        return _checked_list(key, value)
    numbers = (int, float) if key.type is float else key.type
    if not isinstance(value, numbers) or (isinstance(value, bool) and key.type is not bool):
        raise _refusal(TIME if key.pattern else WANTED[key.type], value, key)
    return _checked_text(key, value) if isinstance(value, str) else _checked_number(key, value)


def _checked_list(key: Key, value: Any) -> Any:
    if not isinstance(value, tuple):
        raise _refusal(WANTED[key.type], value, key)
    for item in value:
        if not isinstance(item, str):
            raise _refusal(WANTED[str], item, key)
    return value


def _checked_text(key: Key, value: str) -> str:
    if key.pattern and not re.fullmatch(key.pattern, value):
        raise _refusal(TIME, value, key)
    if key.wrong and (problem := key.wrong(value)):
        raise ValueError(problem)
    return value


def _checked_number(key: Key, value: float) -> float:
    if isinstance(value, float) and not math.isfinite(value):
        raise _refusal("a finite number", value, key)
    if key.gt is not None and not value > key.gt:
        raise _refusal(f"more than {limit(key.gt)}", value, key)
    if key.ge is not None and not value >= key.ge:
        raise _refusal(f"at least {limit(key.ge)}", value, key)
    if key.lt is not None and not value < key.lt:
        raise _refusal(f"less than {limit(key.lt)}", value, key)
    if key.le is not None and not value <= key.le:
        raise _refusal(f"at most {limit(key.le)}", value, key)
    return float(value) if key.type is float else value


def _refusal(wanted: str, given: Any, key: Key) -> ValueError:
    if isinstance(given, Ambiguous):
        return ValueError(_disambiguate(wanted, given.text, key))
    return ValueError(refusal(wanted, given, key.choices))


def refusal(wanted: str, given: Any, choices: tuple[str, ...] = ()) -> str:
    """`must be ..., not ...; what to do`; `choices` are the words allowed."""
    if wanted == WANTED[str] and isinstance(given, int | float):
        remedy = "; quote it"
    else:
        remedy = did_you_mean(given, choices) if isinstance(given, str) else ""
    return f"must be {wanted}, not {_shown(given)}{remedy}"


def limit(number: float) -> str:
    """A limit, in full where it is whole: 1,000,000,000, 0.5, 1e+30."""
    whole = number == int(number) and abs(number) < MAX_IN_FULL
    return f"{int(number):,}" if whole else f"{number:,g}"


def unknown_key(key: str) -> str:
    """What to say of a key that the schema does not have; names the nearest that it has."""
    section, _, name = key.rpartition(".")
    siblings = [known.rpartition(".")[2] for known in KEYS if known.rpartition(".")[0] == section]
    siblings += SECTIONS if not section else ()
    elsewhere = [known for known in KEYS if known.endswith(f".{name}")]
    near = elsewhere or nearest(name, siblings) or nearest(key, KEYS)
    known = ", ".join(siblings or SECTIONS)
    return f"unknown key; did you mean {near[0]}?" if near else f"unknown key; known are {known}"


def nearest(text: str, known: Iterable[str]) -> list[str]:
    """The known word that is nearest to `text`, in a list; an empty one where none is near."""
    from difflib import get_close_matches

    return get_close_matches(text, list(known), n=1)


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """`; did you mean lstm?` for `lstn`, or nothing where no known word is near."""
    near = nearest(text, known)
    return f"; did you mean {near[0]}?" if near else ""


def _disambiguate(wanted: str, text: str, key: Key) -> str:
    disagree = f"readers of YAML disagree what an unquoted {text} is"
    if wanted == WANTED[str] or key.choices:
        return f'{disagree}; quote it: "{text}"'
    return f"must be {wanted}, and {disagree}; write it plainly, or quote it if it is text"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | tuple | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
