"""Tables of one token a row become sentences with tags; others that look a little like them do not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.source import Source
from seqrnn.errors import AmbiguousDataError, DataError
from seqrnn.inference import Inference, infer

Sentence = list[tuple[str, str, str]]


def sentences() -> list[Sentence]:
    draw = random.Random(1)
    names, words = ("Ann", "Bob", "Rome"), ("saw", "in", "the", "house", "a", "dog", "runs", "Friday")
    return [
        [
            (draw.choice(names), "NNP", "B-per") if draw.random() < 0.3 else (draw.choice(words), "NN", "O")
            for _ in range(draw.randint(3, 6))
        ]
        for _ in range(30)
    ]


SENTENCES = sentences()


def written(folder: Path, header: Sequence[str] | None, rows: Sequence[Sequence[object]], mark=",") -> Source:
    lines = [mark.join(map(str, row)) for row in ([header] if header else []) + list(rows)]
    (folder / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Source((str(folder / "t.csv"),))


def numbered(first_only: bool) -> list[tuple[object, str, str, str]]:
    return [
        (f"Sentence: {number}" if not first_only or not place else "", *token)
        for number, sentence in enumerate(SENTENCES, start=1)
        for place, token in enumerate(sentence)
    ]


def roles(found: Inference) -> tuple[str, str | None, str | None, str | None]:
    return found.task, found.source.sentence_column, found.source.text_column, found.source.label_column


@pytest.mark.parametrize("first_only", [True, False])
def test_sentences_are_put_together_from_rows(tmp_path, first_only):
    found = infer(written(tmp_path, ("Sentence #", "Word", "POS", "Tag"), numbered(first_only)), None)
    assert roles(found) == ("tagging", "Sentence #", "Word", "Tag")
    assert "a token a row" in found.notes[0]
    records = list(read_records(found.source))
    assert [(r.source.split(" "), list(r.targets)) for r in records] == [
        ([word for word, _, _ in sentence], [tag for _, _, tag in sentence]) for sentence in SENTENCES
    ]
    assert list(records[1].lines) == [len(SENTENCES[0]) + 2 + n for n in range(len(SENTENCES[1]))]


def test_names_in_other_languages_and_no_header_at_all(tmp_path):
    rows = [(number, word, tag) for number, s in enumerate(SENTENCES) for word, _, tag in s]
    assert roles(infer(written(tmp_path, ("Satz", "Wort", "Etikett"), rows, ";"), None)) == (
        *("tagging", "Satz", "Wort", "Etikett"),
    )
    gaps = [(row[0], row[1], row[3]) for row in numbered(first_only=True)]
    assert roles(infer(written(tmp_path, None, gaps), None)) == ("tagging", "1", "2", "3")


def test_another_column_of_tags_can_be_chosen(tmp_path):
    source = written(tmp_path, ("sentence_id", "Word", "POS", "Tag"), numbered(first_only=False))
    found = infer(Source(source.paths, label_column="POS"), None)
    assert roles(found) == ("tagging", "sentence_id", "Word", "POS")


def test_a_group_without_a_telling_name_is_asked_for(tmp_path):
    rows = [(number, word, tag) for number, s in enumerate(SENTENCES) for word, _, tag in s]
    with pytest.raises(AmbiguousDataError) as error:
        infer(written(tmp_path, ("group", "token", "kind"), rows), None)
    tokens = {"data.text_column": "token", "data.label_column": "kind"}
    expected = [{"data.sentence_column": "group", **tokens}, {"task": "classification", **tokens}]
    assert error.value.readings == expected
    source = Source(written(tmp_path, ("group", "token", "kind"), rows).paths, sentence_column="group")
    assert roles(infer(source, None)) == ("tagging", "group", "token", "kind")


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (
            ("SentenceId", "Phrase", "Sentiment"),
            [(n // 3, f"a phrase of some words {n}", n % 5) for n in range(60)],
        ),
        (("user", "item", "verdict"), [(f"u{n // 4}", f"thing{n}", "ab"[n % 2]) for n in range(80)]),
        (
            ("gold_label", "sentence1", "parse of 2", "label1"),
            [
                ("ab"[n % 2], f"A man is here {n // 3}", f"He is not there {n}", "ab"[n % 2])
                for n in range(60)
            ],
        ),
    ],
)
def test_other_tables_with_groups_of_rows_are_none(tmp_path, header, rows):
    assert infer(written(tmp_path, header, rows), None).source.sentence_column is None


def test_a_row_without_a_word_is_named(tmp_path):
    rows = numbered(first_only=True)
    rows[4] = (rows[4][0], "", *rows[4][2:])
    paths = written(tmp_path, ("Sentence #", "Word", "POS", "Tag"), rows).paths
    source = Source(paths, format="csv", sentence_column="Sentence #", text_column="Word", label_column="Tag")
    with pytest.raises(DataError, match=r't.csv:6: no token in column "Word"'):
        list(read_records(source))


def blocks(names: str) -> str:
    tokens = ("".join(f"{word},{tag}\n" for word, _, tag in sentence) for sentence in SENTENCES)
    return f"{names}\n" + ",\n".join(tokens) + ",\n" * 50


def test_sentences_may_end_at_blank_rows(tmp_path):
    (tmp_path / "t.csv").write_text(blocks("word,tag"), encoding="utf-8")
    found = infer(Source((str(tmp_path / "t.csv"),)), None)
    assert roles(found) == ("tagging", "-", "word", "tag")
    words = [record.source.split(" ") for record in read_records(found.source)]
    assert words == [[word for word, _, _ in sentence] for sentence in SENTENCES]


def test_blank_rows_between_words_of_no_telling_name_are_asked_for(tmp_path):
    (tmp_path / "t.csv").write_text(blocks("a,b"), encoding="utf-8")
    with pytest.raises(AmbiguousDataError) as error:
        infer(Source((str(tmp_path / "t.csv"),)), None)
    tokens = {"data.text_column": "1", "data.label_column": "2"}
    expected = [{"data.sentence_column": "-", **tokens}, {"task": "classification", **tokens}]
    assert error.value.readings == expected


def test_blank_rows_at_the_end_of_a_table_end_no_sentences(tmp_path):
    rows = [(f"thing{n}", "xy"[n % 2]) for n in range(60)] + [("", "")] * 30
    assert infer(written(tmp_path, ("name", "kind"), rows), None).task == "classification"


def test_blocks_of_tokens_in_a_tsv_are_sentences(tmp_path):
    lines = blocks("").lstrip().replace(",\n", "\n").replace(",", "\t")
    (tmp_path / "t.tsv").write_text(lines, encoding="utf-8")
    found = infer(Source((str(tmp_path / "t.tsv"),)), None)
    assert (found.task, found.format) == ("tagging", "conll")
