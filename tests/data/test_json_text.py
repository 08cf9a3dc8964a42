"""JSON from outside: read strictly, and as deep in one thread as in another."""

from __future__ import annotations

import json
import threading

import pytest

from seqrnn.data.formats.json_text import DEEPEST, parse_json


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def in_a_thread(run):
    found = []

    def work():
        try:
            found.append(run())
        except ValueError as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(found[0], ValueError):
        raise found[0]
    return found[0]


@pytest.mark.parametrize("call", [lambda run: run(), in_a_thread])
def test_how_deep_it_may_be_does_not_depend_on_the_thread(call) -> None:
    assert call(lambda: json.dumps(parse_json(nested(DEEPEST)))) == nested(DEEPEST)
    for text in (nested(DEEPEST + 1), nested(980), "[" * 5_000_000, '{"a":' * 101 + "1" + "}" * 101):
        with pytest.raises(ValueError, match="nested more than 100 deep"):
            call(lambda text=text: parse_json(text))


def test_brackets_in_strings_are_no_depth() -> None:
    texts = ["[" * 500, '"' * 300 + "{" * 300, "\\" * 99 + '["' * 200, "\n\t[" * 200]
    value = {text: [text, [text]] for text in texts}
    assert parse_json(json.dumps(value)) == value


def test_many_short_lists_are_no_depth() -> None:
    value = [[1.5, -2], {"a": []}] * 1000
    assert parse_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9" * 5000, "an integer has thousands of digits"),
        ("1e400", "1e400 is no finite number"),
        ("NaN", "NaN is no JSON number"),
        ('{"a": 1, "a": 2}', 'the key "a" occurs twice'),
        ('{"' + "[" * 200, "Unterminated string"),
    ],
)
def test_what_cannot_be_read_is_told(text, reason) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_json(text)
