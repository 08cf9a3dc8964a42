"""The words of raw text: punctuation becomes tokens of its own, and can be put back where it was.

| text | tokens of a text that is read | tokens of a text that is written |
|---|---|---|
| `Hi, "Jo"!` | `Hi` `,` `"` `Jo` `"` `!` | `Hi` `￭,` `"￭` `Jo` `￭"` `￭!` |
| `it's l'eau` | `it` `'s` `l'` `eau` | `it` `￭'s` `l'￭` `eau` |
| `3.14 km, e.g. a@b.org :-)` | `3.14` `km` `,` `e.g.` `a@b.org` `:-)` | the same, and `￭,` |

Where nothing is written, spaces are forgotten, so that `mail,` and `mail ,` are the same two tokens.
Where tokens are written, the joiner `￭` (as in OpenNMT) says that there is no space on its side. It
is borne by punctuation, so a word is the same token wherever it occurs; between two tokens that are
no punctuation, `￭￭` is a token. White space comes back as single spaces; newlines are tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

import tokenizers
from tokenizers import normalizers, pre_tokenizers

JOINER = "￭"
GLUE = JOINER * 2

LONGEST_SLICE = 2000  # characters that are looked at together, so that no text takes quadratic time

FIRST_UNSURE = "\u1c80"  # below, Python and the `tokenizers` library agree on what letters are, none unspaced
PLAIN_ENDS = frozenset(".,;:!?")  # which are tokens of their own after a word

_ALNUM = r"\p{L}\p{M}\p{N}"
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー"  # scripts in which a letter is a word, or nearly
_IN_WORD = rf"[{_ALNUM}\x{{00AD}}\x{{200C}}\x{{200D}}&&[^{_UNSPACED}]]"
_END = rf"(?![{_ALNUM}])"
CLITIC = rf"['\x{{2019}}](?i:s|t|m|d|re|ve|ll){_END}"  # English contractions: 's, 't ...
ELIDED = rf"(?<![{_ALNUM}])[\p{{L}}\p{{M}}]{{1,5}}(?!{CLITIC})['\x{{2019}}](?=\p{{L}})"  # l', qu', dell' ...
_URL = rf"(?i:(?:https?|ftp)://|www\.)[^\s{JOINER}]*[{_ALNUM}/]"
_EMAIL = r"[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}[\p{L}\p{N}]{2,63}"
_HOST = (
    r"(?:[\p{L}\p{N}-]{1,63}\.){1,8}(?:com|org|net|edu|gov|io|uk|de|fr|eu)"
    rf"(?:/[^\s{JOINER}]*[{_ALNUM}/])?{_END}"
)
_PICTURE = rf"[\p{{So}}&&[^{JOINER}]]"
_EMOTICON = rf"(?<![{_ALNUM}])(?:[:;=][-~o'^]?[)(\]\[DpPoO/\\|*]+|<3+|\^_*\^){_END}|[:;]-?[)(D]+(?!\S)"

PATTERN = "|".join(
    [
        r"\n",
        _URL,
        _EMAIL,
        _HOST,
        rf"(?<![{_ALNUM}])(?:\p{{L}}\.){{2,9}}{_END}",  # U.S., e.g.
        r"\p{N}+(?:[.,:/]\p{N}+)+",  # 3.14, 1,000, 10:30
        rf"[@#]\p{{L}}[{_ALNUM}_]*",
        _EMOTICON,
        CLITIC,
        ELIDED,
        rf"{_IN_WORD}+(?:(?:_+|[-\x{{2010}}\x{{2011}}]){_IN_WORD}+)*",  # x-ray, 2020-01-05, snake_case
        r"[\p{Katakana}ー]+",
        r"[\x{1F1E6}-\x{1F1FF}]{2}",  # flags
        rf"{_PICTURE}(?:[\p{{M}}\x{{1F3FB}}-\x{{1F3FF}}]|\x{{200D}}{_PICTURE})*",  # with all that changes it
        r"\.{2,}|-{2,}|''|``",
        r"\S",  # any other character, Han and Hiragana among them
    ]
)
"""A token of raw text, for the regular expressions of the `tokenizers` library."""

# What `\s` is there, written out: Python's has four control characters more.
_chunk = re.compile("\n|[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


class WordSplitter:
    """Cuts chunks, which are what white space separates, into tokens; `joined` if these are written."""

    def __init__(self, steps: list[normalizers.Normalizer], joined: bool) -> None:
        self._normalize = normalizers.Sequence(steps).normalize_str if steps else str
        self._joined = joined
        self._splitter = pre_tokenizers.Split(tokenizers.Regex(PATTERN), "removed", invert=True)

    def split(self, chunk: str) -> tuple[str, ...]:
        """Return the tokens of one chunk."""
        chunk = self._normalize(chunk)
        if chunk.isalpha() and (chunk.isascii() or _is_one_word(chunk)):
            return (chunk,)
        if not self._joined:
            return tuple(token for token, _ in self._pieces(chunk))
        return tuple(chain.from_iterable(_joined(self._pieces(chunk))))

    def _pieces(self, chunk: str) -> Iterator[tuple[str, int]]:
        """Yield each token and where it begins; normalised, a chunk may have got spaces."""
        word = chunk[:-1]
        if word.isalpha() and chunk[-1] in PLAIN_ENDS and _is_one_word(word):
            # As most chunks are that are no word alone: a tenth of the time.
            yield from ((word, 0), (chunk[-1], len(word)))
            return
        for begin in range(0, len(chunk), LONGEST_SLICE):
            for token, (start, _) in self._splitter.pre_tokenize_str(chunk[begin : begin + LONGEST_SLICE]):
                yield token, begin + start


def _is_one_word(letters: str) -> bool:
    """Whether letters are surely a word, whatever follows: not of an unspaced script, nor too long."""
    return len(letters) < LONGEST_SLICE and max(letters) < FIRST_UNSURE


def chunks_of(text: str) -> list[str]:
    """Cut a text at its white space; each newline is a chunk."""
    if text.isprintable():  # the only white space is the space, and this is three times as fast
        return text.split()
    return _chunk.findall(text)


def _joined(pieces: Iterable[tuple[str, int]]) -> Iterator[tuple[str, ...]]:
    """Yield each token with the joiners that it bears, after a glue token where neither could bear one."""
    held, end = "", -1  # a token that may still get a joiner on its right
    for token, start in pieces:
        bears_left = False
        if start == end:
            bears_left = _is_open(token, 0)
            if not bears_left:
                yield (f"{held}{JOINER}",) if _is_open(held, -1) else (held, GLUE)
        elif held:
            yield (held,)
        if bears_left:
            yield (held,)
        held, end = (f"{JOINER}{token}" if bears_left else token), start + len(token)
    if held:
        yield (held,)


def _is_open(token: str, edge: int) -> bool:
    """Whether a token has punctuation at an edge, which bears a joiner; the joiner itself as text has not."""
    return token != JOINER and not token[edge].isalnum()


class JoinedText:
    """Is fed tokens with their joiners, and returns the text that each adds.

    `separator` is what comes before the first, unless a joiner takes it away.
    """

    def __init__(self, separator: str) -> None:
        self._separator = separator

    def feed(self, token: str) -> str:
        """Return a token as it is written after those before it."""
        if token == "\n":
            self._separator = ""
            return token
        if token == GLUE:
            self._separator = ""
            return ""
        left, right = (token[edge] == JOINER and token != JOINER for edge in (0, -1))
        separator = "" if left else self._separator
        self._separator = "" if right else " "
        return separator + token[left : len(token) - right]


def joined_length(token: str) -> int:
    """Count the characters of a token and of the space after it, less those that its joiners take away."""
    if token == "\n":
        return 0
    if token == GLUE:
        return -1
    return len(token) + 1 - (0 if token == JOINER else 2 * token.count(JOINER))
