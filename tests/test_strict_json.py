"""JSON from a file that anybody may have written."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import field

from seqrnn.errors import ModelError
from seqrnn.strict_json import MAX_DEPTH, Strict, parse_object, read_as

FILE = Path("x.json")


class Scale(Strict, frozen=True):
    mean: float
    names: list[str] = field(default_factory=list)


def nested(levels: int) -> str:
    return '{"a": ' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "not an object"),
        ("1", "not an object"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' occurs twice"),
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": -Infinity}', "-Infinity is not a number"),
        ('{"a": 1e999}', "1e999 is too large a number"),
        ('{"a": %s}' % ("9" * 400), "an integer of 400 digits"),
        ('{"a": %s}' % ("9" * 5000), "an integer of 5,000 digits"),
        ('{"a": 18446744073709551616}', "which 64 bits do not hold"),
        ('{"a": -9223372036854775809}', "which 64 bits do not hold"),
        ('{"a": ["\\ud800"]}', "half a surrogate pair"),
        (nested(MAX_DEPTH + 1), f"nested deeper than {MAX_DEPTH} levels"),
        (nested(980), "nested deeper"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", ""),
    ],
)
def test_what_json_would_let_through_or_choke_on_is_refused(text, reason):
    with pytest.raises(ModelError, match=f"^x.json: malformed JSON: .*{reason}.*; copy it again$"):
        parse_object(text, FILE)


def test_what_is_allowed_is_read():
    text = '{"a": 18446744073709551615, "b": -9223372036854775808, "c": "\\ud83d\\ude00", "d": 1e308}'
    assert parse_object(text.encode(), FILE) == {"a": 2**64 - 1, "b": -(2**63), "c": "😀", "d": 1e308}
    assert parse_object(nested(MAX_DEPTH), FILE)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"mean": "1"}', "mean"),
        ('{"mean": true}', "mean"),
        ("{}", "mean"),
        ('{"mean": 1, "deviation": 1}', "deviation"),
        ('{"mean": 1, "names": 2}', "names[^']*"),
    ],
)
def test_what_is_of_another_type_is_named(text, where):
    with pytest.raises(ModelError, match=f"^x.json: '{where}': .*; copy it again$"):
        read_as(Scale, text, "x.json")
