"""A sentence whose tokens are given: in one line they are separated by one space."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

SPACE_IN_TOKEN = "_"  # as files of word vectors write it

_token = re.compile(r"[^ \t]+")
_white_space = re.compile(r"\s+")


def split_tokens(text: str) -> list[str]:
    """Cut a line at its blanks and TABs; several in a row, or at the line's ends, make no token."""
    return _token.findall(text)


def join_tokens(tokens: Iterable[str]) -> str:
    """Write tokens in one line, from which `split_tokens` gets as many.

    Other white space, such as the no-break space that a number may hold, becomes `_` inside a
    token, so that no tokenizer cuts it in two; so does an empty token.
    """
    return " ".join(_white_space.sub(SPACE_IN_TOKEN, token) or SPACE_IN_TOKEN for token in tokens)


def split_tags(targets: Sequence[str]) -> Sequence[str]:
    """Return the tags of a sentence, whose targets are one a token, or a line that holds them all."""
    return split_tokens(targets[0]) if len(targets) == 1 else targets
