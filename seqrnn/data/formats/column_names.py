"""The names that columns and fields usually have, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

from seqrnn.data.fields.source_kind import number_kinds

TEXT_NAMES = (
    "text", "sentence", "source", "input", "utterance", "image", "src", "review", "question", "comment",
    "tweet",
    "message", "content", "body", "document", "description", "query", "headline", "title", "post", "email",
    "sms", "word", "words", "token", "tokens", "form", "name", "path", "file", "filename", "graphemes",
    "premise", "article", "abstract", "prompt",
)  # fmt: skip
"""Names of a column or field that holds what a model reads."""

TITLE_NAMES = ("headline", "title", "name", "summary", "subject")
"""Names of a column whose texts stand for longer ones."""

LABEL_NAMES = (
    "label", "labels", "class", "category", "cats", "intent", "caption", "target", "output", "trg", "tgt",
    "tags", "tag", "ner_tags", "pos_tags", "ner", "pos", "upos", "gold", "sentiment", "polarity", "emotion",
    "topic", "genre", "classes", "categories", "y", "species", "kind", "type", "stars", "rating", "score",
    "answer", "translation", "pronunciation", "phonemes", "summary", "response", "completion", "language",
    "lang", "nationality", "author", "toxic", "spam", "quality", "variety", "outcome", "diagnosis", "price",
    "survived", "churn", "churned", "fraud",
)  # fmt: skip
"""Names of a column or field that holds what a model answers."""

ANSWER_NAMES = LABEL_NAMES[: LABEL_NAMES.index("tags")]
"""The likeliest of them, which name what is answered even where it is the same in all rows."""

SERIES_NAMES = (
    "series", "series_id", "id", "sensor", "patient", "device", "machine", "station", "engine", "recording",
    "trial", "session",
)  # fmt: skip
"""Names of a column that says which series a row belongs to, or which row it is: never a feature."""

TIME_NAMES = ("time", "timestamp", "t", "step", "date", "datetime", "ds", "time_step", "timestep")
"""Names of a column that says when: the order of the rows of a series."""

CLASS_NAMES = frozenset({
    "label", "labels", "class", "category", "cats", "intent", "tag", "sentiment", "polarity", "emotion",
    "topic", "genre", "species", "kind", "type", "stars", "rating", "language", "lang", "nationality",
    "author", "toxic", "spam", "quality", "outcome", "diagnosis",
})  # fmt: skip
"""Those of them that are the names of classes, and of no texts or quantities."""

WRITTEN_NAMES = frozenset({
    "target", "output", "trg", "tgt", "caption", "translation", "pronunciation", "phonemes", "summary",
    "response", "completion",
})  # fmt: skip
"""Those of them that are the names of texts to write."""

LANGUAGES = frozenset({
    "english", "french", "german", "spanish", "italian", "portuguese", "dutch", "russian", "chinese",
    "japanese", "korean", "arabic", "turkish", "polish", "czech", "swedish", "norwegian", "danish",
    "finnish", "greek", "hebrew", "hindi", "irish", "welsh", "latin", "hungarian",
})  # fmt: skip
"""Names of a column of texts in one language."""

LANGUAGE_CODES = frozenset({
    "ar", "bg", "bn", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr",
    "ga", "gl", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "ko", "lt", "lv", "mk",
    "mr", "ms", "mt", "nb", "nl", "nn", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv",
    "sw", "ta", "te", "th", "tr", "uk", "ur", "vi", "zh",
})  # fmt: skip
"""The same by the codes of ISO 639-1; many are short words, too."""

PAIRED_NAMES = frozenset({
    "wrong", "right", "misspelled", "misspelling", "correct", "corrected", "correction", "ipa", "lemma",
    "inflected", "grapheme", "phoneme", "old", "new", "from", "to", "before", "after", "singular", "plural",
    "original", "simplified", "paraphrase",
})  # fmt: skip
"""Names of columns one of which is written from the other."""

INDEX_NAMES = frozenset({"", "id", "index", "idx", "no", "nr", "number", "row", "uid", "guid", "uuid", "key"})
"""Names of a column that numbers or names the rows."""

LABEL_PREFIXES = ("is_", "has_", "label_", "target_")

PAIRS = (
    ("premise", "hypothesis"), ("question", "passage"), ("question", "sentence"), ("question", "context"),
    ("query", "passage"), ("query", "document"),
)  # fmt: skip
"""Names of two columns whose texts are compared with each other: what is answered depends on both."""

PAIR_NAME = re.compile(r"(text|sentence|sent|s|question|q|query|phrase|string|utterance)_?([12ab])")

STEP_NAME = re.compile(
    r"(t|ts|time|step|timestep|time_step|day|week|month|hour|minute|second|year|)_?(\d{1,6})"
)
MIN_STEPS = 4
FIRST_YEAR = 1500  # names that are numbers below are not those of years

MAX_DIGITS = 18  # of a column's number: more than any file needs

_boundary = re.compile(r"(?<=[a-z])(?=[A-Z])|[\s\-.]+")


def normal_name(name: str) -> str:
    """Return a column's name as the lists above have it: lower case, words apart by `_`."""
    return _boundary.sub("_", name.strip()).lower()


def is_usual_name(name: str) -> bool:
    """Whether columns often have that name."""
    plain = normal_name(name)
    known = plain in TEXT_NAMES or plain in LABEL_NAMES or plain in number_kinds() or plain in TIME_NAMES
    known = known or plain in PAIRED_NAMES or plain in LANGUAGES
    return known or (plain in INDEX_NAMES and plain != "") or plain in SERIES_NAMES


def are_steps(names: Sequence[str]) -> bool:
    """Whether columns are the time steps of a series, one after the other: t0, t1 ... or 1990, 1991 ..."""
    matches = [STEP_NAME.fullmatch(normal_name(name)) for name in names]
    numbers = [int(match[2]) for match in matches if match]
    if len(numbers) < max(MIN_STEPS, len(names)) or len({match[1] for match in matches if match}) != 1:
        return False
    counts_up = all(later - earlier == 1 for earlier, later in pairwise(numbers))
    return counts_up and (names[0][:1].isalpha() or numbers[0] >= FIRST_YEAR)


def names_classes(name: str) -> bool:
    """Whether a column of that name holds classes."""
    plain = normal_name(name)
    return plain in CLASS_NAMES or plain.startswith(LABEL_PREFIXES)


def are_a_pair(first: str, second: str) -> bool:
    """Whether two columns hold texts that are compared with each other: sentence1 and sentence2, and such."""
    names = normal_name(first), normal_name(second)
    found = [match for match in map(PAIR_NAME.fullmatch, names) if match]
    numbered = len(found) == 2 and found[0][1] == found[1][1]
    return names in PAIRS or (numbered and found[0][2] + found[1][2] in {"12", "ab"})


def names_texts(name: str) -> bool:
    """Whether a column of that name holds texts to write."""
    return normal_name(name) in WRITTEN_NAMES


def rank(name: str, usual: tuple[str, ...]) -> int:
    """Return how far down the `usual` names that of a column comes; their number where it does not."""
    plain = normal_name(name)
    if plain in usual:
        return usual.index(plain)
    if usual is LABEL_NAMES and (plain.startswith(LABEL_PREFIXES) or plain.endswith("_price")):
        return len(usual) - 1
    parts = plain.split("_")
    return len(usual) - 1 if len(parts) > 1 and (parts[-1] in usual[:24]) else len(usual)


def columns_in(choice: str | None, names: Collection[str] = ()) -> tuple[str, ...]:
    """Return the columns that a user chose: one of `names`, or several apart by commas."""
    if choice is None:
        return ()
    return (choice,) if choice in names else tuple(column.strip() for column in choice.split(","))


def are_numbers(choice: str | None) -> bool:
    """Whether a user chose a column, or several apart by commas, by number."""
    return choice is not None and all(column.isdecimal() for column in columns_in(choice))


def field_of(choice: str | None) -> str | None:
    """Return the field of objects in which a model's text is, unless its column was chosen by number."""
    return None if are_numbers(choice) else choice


def column_number(digits: str) -> int:
    """Return the number of a column from 1, as a user spells it; too many digits name none."""
    return int(digits[:MAX_DIGITS])
