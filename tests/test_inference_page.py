"""Files as people bring them, and what is inferred of each: the table of docs/inference.md.

`SEQRNN_WRITE_DOCS=1 pytest tests/test_inference_page.py` writes the page anew.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from seqrnn.cli.spelling import in_flags
from seqrnn.data.source import Source
from seqrnn.errors import AmbiguousDataError
from seqrnn.inference import infer

PAGE = Path(__file__).parent.parent / "docs" / "inference.md"
ROWS = 120

THINGS = ["lamp", "chair", "kettle", "jacket", "grinder", "backpack", "pedal", "bell", "saddle", "helmet"]
PRAISE = [
    "works great, my kids adore it",
    "love it, would buy again",
    "quiet and solid",
    "just what I hoped for",
]
BLAME = ["arrived damaged, sadly", "broke after a week", "the handle is loose", "too loud for the kitchen"]
NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
ZAHLEN = ["eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"]

Rows = Sequence[Sequence[object]]


class Case(NamedTuple):
    """A file, and what is right: `expected` is task, source kind, columns read and answered."""

    name: str
    content: str
    expected: tuple[str, str, str | None, str | None]


def review(draw: random.Random, good: bool) -> str:
    said = draw.choice(PRAISE if good else BLAME)
    return f"This {draw.choice(THINGS)}, bought in {draw.randint(2012, 2026)}: {said}."


def reviews(labels: Sequence[object] = ("negative", "positive")) -> list[tuple[str, object]]:
    draw = random.Random(1)
    return [(review(draw, good), labels[good]) for good in (draw.random() < 0.5 for _ in range(ROWS))]


def delimited(rows: Rows, delimiter: str = ",", header: Sequence[str] | None = None) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerows(([header] if header else []) + [list(row) for row in rows])
    return text.getvalue()


def objects(names: Sequence[str], rows: Rows) -> str:
    return "".join(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n" for row in rows)


def headers() -> Iterator[Case]:
    """Reviews under headers as people write them."""
    for number, (text, label) in enumerate(
        [
            ("text", "label"),
            ("review", "sentiment"),
            ("Review Text", "Sentiment"),
            ("comment", "toxic"),
            ("tweet", "emotion"),
            ("message", "is_spam"),
            ("question", "is_good"),
            ("content", "category"),
            ("headline", "topic"),
            ("utterance", "intent"),
            ("Phrase", "Polarity"),
            ("body", "class"),
            ("sms", "type"),
            ("testo", "etichetta"),
            ("文本", "标签"),
        ]
    ):
        turned = number % 3 == 1
        rows = [tuple(reversed(row)) for row in reviews()] if turned else reviews()
        header = (label, text) if turned else (text, label)
        yield Case(
            f"{text} {label}.csv", delimited(rows, header=header), ("classification", "text", text, label)
        )


def delimiters() -> Iterator[Case]:
    """The same reviews between other delimiters, with ids and without a header."""
    named = ("classification", "text", "review", "sentiment")
    for name, mark in (("semicolons", ";"), ("bars", "|"), ("tabs", "\t")):
        yield Case(f"{name}.csv", delimited(reviews(), mark, ("review", "sentiment")), named)
    yield Case("excel.csv", "sep=;\n" + delimited(reviews(), ";", ("review", "sentiment")), named)
    yield Case("no header.csv", delimited(reviews()), ("classification", "text", None, None))
    swapped = [(label, text) for text, label in reviews()]
    yield Case("no header, label first.csv", delimited(swapped), ("classification", "text", "2", "1"))
    numbered = [(number, *row) for number, row in enumerate(reviews())]
    yield Case("index.csv", delimited(numbered, header=("", "review", "sentiment")), named)
    keyed = [(f"doc-{number:04}", *row) for number, row in enumerate(reviews())]
    yield Case(
        "ids.tsv", "".join(f"{a}\t{b}\t{c}\n" for a, b, c in keyed), ("classification", "text", "2", "3")
    )
    dated = [(f"2026-{1 + n % 12:02}-{1 + n % 28:02}", *row) for n, row in enumerate(reviews())]
    yield Case("dates.csv", delimited(dated, header=("date", "review", "sentiment")), named)
    fast = "".join(f"__label__{label} {text}\n" for text, label in reviews())
    yield Case("fasttext.txt", fast, ("classification", "text", None, None))
    after = "".join(f"{text} __label__{label}\n" for text, label in reviews())
    yield Case("fasttext, labels last.txt", after, ("classification", "text", None, None))


def objects_of_json() -> Iterator[Case]:
    """JSON lines and lists of objects, under the names of public data sets."""
    for text, label in (
        ("text", "label"),
        ("sentence", "gold"),
        ("content", "category"),
        ("input", "output"),
    ):
        expected = ("classification", "text", text, label)
        yield Case(f"{text} {label}.jsonl", objects((text, label), reviews()), expected)
    rows = [{"id": n, "review": text, "stars": s} for n, (text, s) in enumerate(reviews((1, 5)))]
    yield Case("list.json", json.dumps(rows, indent=1), ("classification", "text", "review", "stars"))
    pairs = [
        (f"{a} {b}", f"{c} {d}")
        for a, c in zip(NUMBERS, ZAHLEN, strict=True)
        for b, d in zip(NUMBERS, ZAHLEN, strict=True)
    ]
    yield Case("src trg.jsonl", objects(("src", "trg"), pairs), ("seq2seq", "text", "src", "trg"))
    tags = [
        (["Ann", "lives", "in", "Rome"][: 2 + n % 3], ["B-PER", "O", "O", "B-LOC"][: 2 + n % 3])
        for n in range(ROWS)
    ]
    yield Case(
        "tokens ner_tags.jsonl",
        objects(("tokens", "ner_tags"), tags),
        ("tagging", "text", "tokens", "ner_tags"),
    )
    numbered = [(tokens, [("O", "B-PER", "B-LOC").index(tag) for tag in row]) for tokens, row in tags]
    yield Case(
        "tags as integers.jsonl",
        objects(("tokens", "ner_tags"), numbered),
        ("tagging", "text", "tokens", "ner_tags"),
    )


def sequences() -> Iterator[Case]:
    """Pairs of which the second is written, columns of tokens, and plain text."""
    draw = random.Random(2)
    words = [
        "".join(draw.choice("bdgklmnprstvz") + draw.choice("aeiou") for _ in range(2 + n % 3))
        for n in range(ROWS)
    ]
    sounds = "".join(f"{word}\t{' '.join(word.upper())}\n" for word in words)
    yield Case("pronunciation.tsv", sounds, ("seq2seq", "text", None, None))
    old = [(word.replace("v", "u"), word) for word in words + words]
    yield Case(
        "old and new spellings.tsv", "".join(f"{a}\t{b}\n" for a, b in old), ("seq2seq", "text", None, None)
    )
    sentences = [(review(draw, n % 2 == 0), review(draw, n % 3 == 0)) for n in range(ROWS)]
    named = delimited(sentences, header=("english", "german"))
    yield Case("english german.csv", named, ("seq2seq", "text", "english", "german"))
    blocks = "".join(f"Ann B-PER\nsaw O\n{thing} O\nin O\nRome B-LOC\n\n" for thing in THINGS)
    yield Case("two columns.txt", blocks, ("tagging", "text", None, None))
    yield Case("a log.txt", "".join(f"{a}\n" for a, _ in sentences), ("language-model", "none", None, None))


def numbers() -> Iterator[Case]:
    """Numbers to predict, measures, and series in long form."""
    draw = random.Random(3)
    scores = [(text, round(draw.uniform(1, 5), 3)) for text, _ in reviews()]
    yield Case(
        "score.csv", delimited(scores, header=("text", "score")), ("regression", "text", "text", "score")
    )
    measures = [(round(draw.gauss(5, 1), 1), round(draw.gauss(2, 1), 2), "abc"[n % 3]) for n in range(ROWS)]
    named = delimited(measures, header=("length", "width", "species"))
    yield Case("measures.csv", named, ("classification", "vector", None, "species"))
    yield Case("measures, no header.csv", delimited(measures), ("classification", "vector", None, "3"))
    house = [(*row[:2], round(draw.gauss(9, 3), 2)) for row in measures]
    yield Case(
        "price.csv",
        delimited(house, header=("rooms", "area", "price")),
        ("regression", "vector", None, "price"),
    )
    records = [dict(zip(("length", "width", "species"), row, strict=True)) for row in measures]
    yield Case("measures.json", json.dumps(records), ("classification", "vector", None, "species"))
    sold = [(f"{n % 7},5", f"{1 + n % 3}.{100 + n}") for n in range(ROWS)]
    named = ("regression", "vector", None, "Price")
    yield Case("thousands.csv", delimited(sold, ";", ("Zimmer", "Price")), named)
    steps = [(f"s{n % 40}", n // 40, round(draw.gauss(0, 1), 2), "ud"[n % 2]) for n in range(ROWS)]
    named = delimited(steps, header=("id", "time", "value", "label"))
    yield Case("readings by time.csv", named, ("classification", "vectors", None, "label"))


def tables_of_other_shapes() -> Iterator[Case]:
    """Several labels a row, a token a row, a step a column, dates, comments and titles."""
    draw = random.Random(4)
    several = [text for text, _ in reviews()]
    kinds = ["loud", "late", "dear", "loud|late", "late|dear", "loud|late|dear"]
    labelled = [(text, kinds[number % 6]) for number, text in enumerate(several)]
    named = ("classification", "text", "review", "complaints")
    yield Case("several labels.csv", delimited(labelled, header=("review", "complaints")), named)
    marks = "".join(
        f"{text} {' '.join(f'__label__{kind}' for kind in found.split('|'))}\n" for text, found in labelled
    )
    yield Case("several marks.txt", marks, ("classification", "text", None, None))
    titled = [(f"No. {n}", text, label) for n, (text, label) in enumerate(reviews())]
    named = ("classification", "text", "plot", "verdict")
    yield Case("title plot verdict.csv", delimited(titled, header=("title", "plot", "verdict")), named)
    named = ("classification", "text", "opinion", "sentimiento")
    commented = "# from a site, in June\n# CC-BY\n" + delimited(reviews(), header=("opinion", "sentimiento"))
    yield Case("comments.csv", commented, named)
    tokens = [("Ann", "NNP", "B-per"), ("saw", "VBD", "O"), ("a", "DT", "O"), ("bell", "NN", "O")]
    rows = [
        (f"Sentence: {n}" if not place else "", *tokens[place])
        for n in range(30)
        for place in range(2 + n % 3)
    ]
    named = ("tagging", "text", "Word", "Tag")
    yield Case("Sentence Word Tag.csv", delimited(rows, header=("Sentence #", "Word", "POS", "Tag")), named)
    blocks = "".join(f"{word}\t{tag}\n" for word, _, tag in tokens) + "\n"
    yield Case("blocks.tsv", blocks * 20, ("tagging", "text", None, None))
    wide = [(f"r{n}", *(round(draw.gauss(0, 1), 2) for _ in range(8)), "ab"[n % 2]) for n in range(ROWS)]
    named = ("classification", "vectors", None, "kind")
    yield Case("wide.csv", delimited(wide, header=("id", *(f"t{n}" for n in range(8)), "kind")), named)
    named = ("classification", "vector", None, "kind")
    yield Case("array.csv", delimited([row[1:] for row in wide], header=(*"01234567", "kind")), named)
    dated = [
        (f"s{n % 40}", f"{28 + n // 40}.{1 + n // 40}.2024 14:00", round(draw.gauss(0, 1), 2), "ud"[n % 2])
        for n in range(ROWS)
    ]
    named = ("classification", "vectors", None, "Zustand")
    yield Case("Messwerte.csv", delimited(dated, ";", ("sensor_id", "Datum", "Wert", "Zustand")), named)
    pairs = [(text, f"it is {n % 7} there", "ab"[n % 2]) for n, (text, _) in enumerate(reviews())]
    named = ("classification", "text", "premise,hypothesis", "label")
    yield Case("two texts.csv", delimited(pairs, header=("premise", "hypothesis", "label")), named)
    posted = [(4 * (n % 2), 10**9 + n, "NO_QUERY", text) for n, text in enumerate(several)]
    yield Case("posts, no header.csv", delimited(posted), ("classification", "text", "4", "1"))


KINDS: tuple[Callable[[], Iterator[Case]], ...] = (
    headers,
    delimiters,
    objects_of_json,
    sequences,
    numbers,
    tables_of_other_shapes,
)
CASES = {case.name: case for kind in KINDS for case in kind()}
TEXTS = [f"text {number} here" for number in range(ROWS)]
ASKED = {
    "stars of seventeen.csv": delimited(
        [(text, number % 17) for number, text in enumerate(TEXTS)], header=("text", "value")
    ),
    "toxic obscene.csv": delimited(
        [(text, number % 2, number // 2 % 2) for number, text in enumerate(TEXTS)],
        header=("comment", "toxic", "obscene"),
    ),
    "days or months.csv": delimited(
        [(f"s{n % 20}", f"0{2 - n // 20 % 2}/0{1 + n // 20 % 2}/2024", n, "ab"[n % 2]) for n in range(ROWS)],
        header=("id", "date", "value", "label"),
    ),
    "thousands or thousandths.csv": delimited(
        [(n % 7, f"{100 + n},{100 + 7 * n}") for n in range(ROWS)], header=("rooms", "price")
    ),
    "decimal comma or two labels.csv": delimited(
        [(text, f"{n % 3},{n % 5}") for n, text in enumerate(TEXTS)], header=("text", "label")
    ),
    "groups of words.csv": delimited(
        [(n // 4, f"{THINGS[n % 7]}{n % 9}", "xy"[n % 2]) for n in range(ROWS)],
        header=("part", "word", "mark"),
    ),
    "two labels.csv": delimited(
        [(text, "ab"[number % 2], "xy"[number % 2]) for number, text in enumerate(TEXTS)],
        header=("t", "u", "v"),
    ),
}


@pytest.fixture
def source(tmp_path, monkeypatch) -> Callable[[str, str], Source]:
    """A function: name and content of a file -> the source to train on."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, content: str) -> Source:
        Path(name).write_text(content, encoding="utf-8")
        return Source((name,))

    return write


@pytest.mark.parametrize("name", CASES)
def test_task_and_columns_are_told(source, name):
    case = CASES[name]
    found = infer(source(name, case.content), None)
    assert (
        found.task,
        found.source_kind,
        found.source.text_column,
        found.source.label_column,
    ) == case.expected


@pytest.mark.parametrize("name", ASKED)
def test_two_readings_that_are_near_are_asked_for(source, name):
    with pytest.raises(AmbiguousDataError) as error:
        infer(source(name, ASKED[name]), None)
    assert len(error.value.readings) == 2


def test_the_page_shows_them(source):
    told = {name: _found(source(name, case.content)) for name, case in CASES.items()}
    told |= {name: f"asked: {_question(source(name, content))}" for name, content in ASKED.items()}
    lines = [f"| {name} | {what} |" for name, what in told.items()]
    page = HEAD + "\n".join(lines) + "\n"
    if os.environ.get("SEQRNN_WRITE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def _found(source: Source) -> str:
    found = infer(source, None)
    said = in_flags("; ".join(found.notes[:1]))
    return f"{found.task} | {found.format} | {found.source_kind} | {said.replace('|', chr(92) + '|')}"


def _question(source: Source) -> str:
    with pytest.raises(AmbiguousDataError) as error:
        infer(source, None)
    flags = " or ".join(
        " ".join(f"{key} {value}" for key, value in way.items()) for way in error.value.readings
    )
    return f"{flags} | | |"


HEAD = """# What `seqrnn train FILE` infers

Files of the kinds that people bring, made by `tests/test_inference_page.py`, which also writes this page.
Format, header and columns are told from the first rows, never from the name alone; where two readings
are near, a terminal is asked and a script gets both commands. A folder with a sub-folder a class is a
classification of the texts or images in it (`tests/data/test_folder.py`), and a column of paths to text
files is read as those texts (`tests/data/test_text_files.py`).

| file | task | format | input | columns |
|---|---|---|---|---|
"""
