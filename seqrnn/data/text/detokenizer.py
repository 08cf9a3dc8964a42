"""Token ids back to text, one at a time, as they are generated."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence

from seqrnn.data.text.vocabulary import SPECIALS, Kind, byte_alphabet
from seqrnn.data.text.words import JoinedText, joined_length


class TextDecoder:
    """Is fed ids and returns the text that has become certain. Specials give no text.

    Words are joined by a space, but not around a newline, nor where a joiner says otherwise. The
    bytes of a character that is not complete are held back; bytes that are not UTF-8 become U+FFFD.
    """

    def __init__(self, kind: Kind, tokens: Sequence[str], after: str = "") -> None:
        """Continue the text `after`, from which a space sets the first word apart."""
        self._tokens = tokens
        self._separator = "" if not after or after[-1].isspace() else " "
        spellings: dict[Kind, Callable[[str], str]] = {
            "word": self._spell_word,
            "split-word": self._spell_word,
            "joined-word": JoinedText(self._separator).feed,
            "label": self._spell_word,
            "char": str,
        }
        self._spell = spellings.get(kind, self._spell_bytes)
        self._bytes = byte_alphabet()
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, token_id: int) -> str:
        """Return the new text, which may be empty."""
        return "" if token_id < len(SPECIALS) else self._spell(self._tokens[token_id])

    def finish(self) -> str:
        """Return what is held back: U+FFFD for a character whose last bytes never came."""
        return self._utf8.decode(b"", final=True)

    def _spell_word(self, word: str) -> str:
        if word == "\n":
            self._separator = ""
            return word
        separator, self._separator = self._separator, " "
        return separator + word

    def _spell_bytes(self, token: str) -> str:
        return self._utf8.decode(bytes(self._bytes[character] for character in token))


def character_count(kind: Kind, token: str) -> int:
    """Count the Unicode characters that begin in a token, and the space or newline that ends a word."""
    if kind in {"char", "label"}:
        return len(token)
    if kind == "joined-word":
        return joined_length(token)
    if kind in {"word", "split-word"}:
        return 0 if token == "\n" else len(token) + 1
    return sum((byte_alphabet()[character] & 0xC0) != 0x80 for character in token)
