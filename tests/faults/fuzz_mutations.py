"""Draws edits: what a bad disk, a careless hand or an attacker might make of a run directory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from fuzz_edits import Edit, Text, path_of

from seqrnn.config import KEYS

DEEP, BOTTOMLESS = 980, 100_000
VALUES: tuple[Text, ...] = (
    *("0", "1", "2", "-1", "3.5", "-0.0", "1e308", "-1e308", "1e999", "1e-320", "NaN", "-Infinity"),
    *("1000000000", "1000000000000", "2147483648", "9223372036854775808", "18446744073709551616"),
    *("true", "false", "null", '""', '"x"', '"\\u0000"', '"\\ud800"', '"<unk>"', '"../x"', '"/etc/passwd"'),
    *('"nan"', '"7"', "[]", "{}", "[[]]", "[null]", "[0]", '["x", "x"]', '[["a", "b"]]', '{"x": 1}'),
    *('"\\u001b[31m"', '"a\\nb"'),
    [["9", 400]],
    [["9", 5000]],
    [['"', 1], ["x", 100_000], ['"', 1]],
    [["[", DEEP], ["]", DEEP]],
    [["[", BOTTOMLESS], ["]", BOTTOMLESS]],
    [['{"a":', DEEP], ["1", 1], ["}", DEEP]],
)
SETTINGS: tuple[Text, ...] = (
    *("0", "1", "-1", "2", "7", "64", "5000", "65536", "1000000", "1000000000", "1.5", "1e308", "1e-300"),
    *("2147483647", "9223372036854775807", "9223372036854775808", ".nan", "null", "true", "no", "x", "''"),
    *("[]", "{}", "[a, b]", "&a b", "*a", "!!python/object:x"),
    [["9", 30]],
    [["9", 399]],
    [["[", 70]],
    [["a", 100_000]],
)
DTYPES = ("float64", "float16", "int64", "int8", "uint8", "bool", "int32")
KINDS = ("absent", "empty", "link", "loop", "fifo", "directory", "sparse")


ONLY_TRAINING = frozenset({"metrics.jsonl", "gen/training.json", "gen/training.safetensors"})
"""Files that nothing but a training that is resumed reads."""


def draw(random: Random, run: Path, resumed: bool) -> tuple[list[Edit], bool]:
    """Some edits of a run, and whether its manifests shall be made right again."""
    count = random.choices((1, 2, 4), (7, 2, 1))[0]
    files = {path.name for path in run.iterdir() if path.is_file() and path.name != "lock"}
    files |= {f"gen/{path.name}" for path in max(run.glob("gen-*")).iterdir()}
    # What is checked by its bytes alone, or not read at all, is seldom worth a question.
    seldom = {"gen/manifest.json"} | (set() if resumed else ONLY_TRAINING)
    chosen = sorted(files if random.random() < 0.1 else files - seldom)
    return [_edit(random, run, random.choice(chosen)) for _ in range(count)], random.random() < 0.95


def _edit(random: Random, run: Path, file: str) -> Edit:
    path = path_of(run, file)
    kind = random.random()
    if kind < 0.02:
        return {"op": "become", "file": file, "kind": random.choice(KINDS)}
    if kind < 0.08 or path.suffix == ".md":
        return _bytes(random, path, file)
    if path.suffix == ".safetensors":
        return _of_tensors(random, path, file)
    if path.suffix == ".yaml":
        key = random.choice(sorted(KEYS))
        choices: list[Text] = [*SETTINGS, *KEYS[key].choices * 3]
        return {"op": "yaml", "file": file, "key": key, "text": random.choice(choices)}
    return _of_json(random, _document(path), file)


def _bytes(random: Random, path: Path, file: str) -> Edit:
    size = path.stat().st_size
    at = random.randrange(size + 1)
    cut = random.choice((0, 1, 1, 4, 8, size))
    new = random.randbytes(random.choice((0, 1, 1, 4, 8)))
    return {"op": "bytes", "file": file, "at": at, "cut": cut, "hex": new.hex()}


def _of_tensors(random: Random, path: Path, file: str) -> Edit:
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    header.pop("__metadata__", None)
    if random.random() < 0.4:
        return {**_of_json(random, header, file), "op": "header"}
    name = random.choice(sorted(header))
    shape = list(header[name]["shape"])
    changes: tuple[dict[str, Any], ...] = (
        {"fill": random.choice(("nan", "inf", "0", "1e38", "-1e38", "1e-40"))},
        {"dtype": random.choice(DTYPES)},
        {"shape": _other_shape(random, shape)},
        {
            "rename": random.choice(
                ("", "x", "../x", f"{name}.scale", name + "x", random.choice(sorted(header)))
            )
        },
        {"shape": _other_shape(random, shape), "dtype": random.choice(DTYPES)},
    )
    return {"op": "tensor", "file": file, "name": name, **random.choice(changes)}


def _other_shape(random: Random, shape: list[int]) -> list[int]:
    changed = [max(0, size + random.choice((-1, 0, 1, 3))) for size in shape]
    return random.choice(([], [0], [7], [1, 1], changed, shape[::-1], [1, *shape], shape[:-1]))


def _document(path: Path) -> Any:
    text = path.read_text()
    return [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)


def _of_json(random: Random, document: Any, file: str) -> Edit:
    places = list(_places(document, ()))
    at, value = random.choice(places)
    how = random.random()
    if how < 0.12:
        return {"op": "json", "file": file, "at": at, "text": None}
    if how < 0.18 and at and isinstance(at[-1], str):
        return {"op": "twin", "file": file, "at": at, "twin": True}
    if how < 0.35:
        return {"op": "json", "file": file, "at": at, "text": json.dumps(random.choice(places)[1])}
    if how < 0.5:
        return {"op": "json", "file": file, "at": at, "text": json.dumps(_near(random, value))}
    return {"op": "json", "file": file, "at": at, "text": random.choice(VALUES)}


def _near(random: Random, value: Any) -> Any:
    """Something like the value: one more, one less, another order, an entry twice."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return random.choice((value + 1, value - 1, -value, value * 1000, float(value), str(value)))
    if isinstance(value, str):
        return random.choice((value + "x", value[:-1], value.upper(), [value], value * 2, " " + value))
    if isinstance(value, dict):
        keys = sorted(value)
        return random.choice((dict.fromkeys(keys, 0), list(value.values()), {**value, "x": 1}))
    grown = [*value, *value[:1]]
    return random.choice(
        (value[::-1], grown, value[1:], [value], random.sample(value, len(value)), value * 2)
    )


def _places(value: Any, at: tuple[Any, ...]) -> Iterator[tuple[list[Any], Any]]:
    """Each value of a document by its path; of long lists and objects only the first entries and the last."""
    yield list(at), value
    entries = (
        list(value.items() if isinstance(value, dict) else enumerate(value)) if _has_parts(value) else []
    )
    for key, entry in [*entries[:8], *entries[8:][-4:]]:
        yield from _places(entry, (*at, key))


def _has_parts(value: Any) -> bool:
    return isinstance(value, dict | list)
