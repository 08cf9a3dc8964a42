"""Texts as they are before they are cut into tokens: in one Unicode form, and lower-cased, if so asked."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from tokenizers import normalizers

Form = Literal["none", "nfc", "nfd", "nfkc", "nfkd"]

FORMS: dict[Form, Callable[[], normalizers.Normalizer]] = {
    "nfc": normalizers.NFC,
    "nfd": normalizers.NFD,
    "nfkc": normalizers.NFKC,
    "nfkd": normalizers.NFKD,
}

AGREED = 0x1C80  # of the characters below, Python and the `tokenizers` library think alike
SIGMA = "Σ"  # but for this one, whose lower case at the end of a word is another in Python
BETWEEN = "\0"  # joins with nothing, and has no case


def normalizing(form: Form, lowercase: bool) -> list[normalizers.Normalizer]:
    """Return what is done to a text before it is cut, as steps of the `tokenizers` library."""
    steps = [FORMS[form]()] if form != "none" else []
    return [*steps, normalizers.Lowercase()] if lowercase else steps


class TextNormalizer:
    """Does to many texts what the library's steps do to each, in about a tenth of the time."""

    def __init__(self, form: Form, lowercase: bool) -> None:
        self._form = form
        self._lowercase = lowercase
        self._exact = normalizers.Sequence(normalizing(form, lowercase)).normalize_str

    def __call__(self, texts: Sequence[str]) -> Sequence[str]:
        """Return each text, normalised."""
        if not texts or (self._form == "none" and not self._lowercase):
            return texts
        joined = BETWEEN.join(texts)
        if joined.isascii():
            done = joined.lower().split(BETWEEN) if self._lowercase else texts
        elif _is_agreed(joined):
            done = self._at_once(joined).split(BETWEEN)
        else:
            return [self._exact(text) for text in texts]
        return done if len(done) == len(texts) else [self._exact(text) for text in texts]

    def _at_once(self, joined: str) -> str:
        if self._form != "none":
            joined = unicodedata.normalize(self._form.upper(), joined)  # type: ignore[arg-type]
        return joined.lower() if self._lowercase else joined


def code_points(text: str) -> np.ndarray:
    """Return the number of each character, (T,) uint32."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _is_agreed(text: str) -> bool:
    return bool(code_points(text).max() < AGREED) and SIGMA not in text
