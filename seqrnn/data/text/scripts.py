"""What the scripts in a text tell of it: how many words it has, and which of its marks are no letters."""

from __future__ import annotations

import re
import unicodedata

UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""A character of a script that is written without spaces between words: Thai, Japanese, Chinese ..."""
UNSPACED_WORD = 2  # characters of a word there, about


def word_count(text: str) -> int:
    """Return how many words a text has; where nothing separates them, about how many."""
    chunks = text.split()
    if text.isascii():
        return len(chunks)
    return sum(max(len(UNSPACED.findall(chunk)) // UNSPACED_WORD, 1) for chunk in chunks)


def without_marks(text: str) -> str:
    """Return a text without what only joins or changes the letter before it, which `\\w` does not match.

    Such are the vowel signs of Hindi and Thai, accents that are characters of their own, and joiners.
    """
    if text.isascii():
        return text
    return "".join(
        character for character in text if unicodedata.category(character) not in {"Mn", "Mc", "Me", "Cf"}
    )
