from __future__ import annotations

import gzip
import json
import random
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from seqrnn.data.source import Source
from seqrnn.errors import AmbiguousDataError, DataError, UsageError
from seqrnn.inference import infer

Write = Callable[[str, str], Source]

TABLE = "".join(f"the text of row {row}\t{row % 7}\n" for row in range(300))
PROSE = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n"
PAIRS = "".join(f"word {row}\tmot {row}\n" for row in range(100))


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A function: a file's name, its text -> the source."""
    monkeypatch.chdir(tmp_path)

    def write_source(name: str, text: str) -> Source:
        Path(name).write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return Source((name,))

    return write_source


def test_a_table_whose_second_column_repeats_itself_is_a_classification(write: Write):
    found = infer(write("train.tsv", TABLE), None)
    assert (found.task, found.format, found.source_kind) == ("classification", "tsv", "text")
    assert (
        found.reason
        == "classification: train.tsv (read as tsv) holds 7 different labels in the first 300 rows"
    )
    assert found.notes == (
        "columns: no header; read: 1; answer: 2",
        "`task=regression` learns them as numbers",
    )


@pytest.mark.parametrize("name", ["train.tsv", "train.tsv.gz", "train.TSV", "train.txt", "train"])
def test_a_table_is_known_by_its_extension_or_by_its_tabs(write: Write, name: str):
    assert infer(write(name, TABLE), None).format == "tsv"


def test_prose_is_a_text_to_model(write: Write):
    found = infer(write("input.txt", PROSE), None)
    assert (found.task, found.format) == ("language-model", "text")
    assert "input.txt" in found.reason
    assert "without labels" in found.reason


def test_a_text_stays_a_text_for_a_language_model_whatever_it_looks_like(write: Write):
    assert infer(write("code.txt", TABLE), "language-model").format == "text"
    assert infer(write("table.tsv", TABLE), "language-model").format == "tsv"


@pytest.mark.parametrize("name", ["a.csv", "a.CSV", "a.csv.gz"])
def test_csv_is_known_by_its_extension(write: Write, name: str):
    found = infer(write(name, "text,label\n" + TABLE.replace("\t", ",")), None)
    assert (found.task, found.format) == ("classification", "csv")


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a"])
def test_json_lines_are_known_by_their_extension_or_their_braces(write: Write, name: str):
    rows = [json.dumps({"text": f"row {row}", "label": "ab"[row % 2]}) for row in range(10)]
    found = infer(write(name, "\n".join(rows)), None)
    assert (found.task, found.format) == ("classification", "jsonl")


def test_fasttext_is_known_by_its_labels(write: Write):
    found = infer(write("train.txt", "__label__a one\n__label__b two\nthree\n"), None)
    assert (found.task, found.format) == ("classification", "fasttext")


def test_fasttext_is_known_by_labels_after_the_text(write: Write):
    found = infer(write("train.txt", "one __label__a\ntwo __label__b\n" * 5), None)
    assert (found.task, found.format) == ("classification", "fasttext")
    prose = ["labels are written as __label__x there", *["as any other text is"] * 9]
    assert infer(write("prose.txt", "\n".join(prose)), None).task == "language-model"


def test_blanks_around_labels_make_no_other_labels(write: Write):
    found = infer(write("a.csv", "text,label\n" + "fine,pos\nfine,pos \ndull, neg\ndull,neg\n" * 5), None)
    assert "2 different labels" in found.reason
    bare = infer(write("b.csv", "fine,pos \n" + "fine,pos\ndull, neg\n" * 15), None)
    assert bare.settings["data.header"] == "no"


def test_a_parallel_file_of_few_labels_is_a_classification(write: Write):
    source = write("seq.in", "".join(f"say {row}\n" for row in range(50)))
    write("label", "".join(f"Intent{row % 5}\n" for row in range(50)))
    found = infer(replace(source, target_path="label", format="parallel"), None)
    assert (found.task, found.format) == ("classification", "parallel")
    assert "label" in found.reason
    assert "5 different labels in the first 50 rows" in found.reason


def test_as_many_as_150_classes_in_random_order_are_a_classification(write: Write):
    draw = random.Random(1)
    rows = "".join(f"utterance {row}\tintent_{draw.randrange(150)}\n" for row in range(1000))
    assert infer(write("a.tsv", rows), None).task == "classification"


def test_rows_sorted_by_class_are_a_classification(write: Write):
    found = infer(write("a.tsv", "".join(f"name {row}\tArabic\n" for row in range(300))), None)
    assert found.task == "classification"
    assert "only one label in the first 300 rows" in found.reason


def test_a_multi_label_source_is_a_classification(write: Write):
    rows = "".join(f"text {row}\tlabel{row},label{row + 1}\n" for row in range(20))
    assert infer(replace(write("a.tsv", rows), multi_label=True), None).task == "classification"


def test_targets_that_are_no_labels_are_to_be_written(write: Write):
    reason = "seq2seq: a.tsv (read as tsv) holds 100 different targets in the first 100 rows, "
    found = infer(write("a.tsv", PAIRS), None)
    assert (found.task, found.format) == ("seq2seq", "tsv")
    assert found.reason == reason + "too many or too long for labels"


def test_one_row_is_no_ground_to_speak_of_too_many_targets(write: Write):
    found = infer(write("a.tsv", "good\tpos\n"), None)
    assert found.task == "seq2seq"
    assert "only one target in its only row" in found.reason
    assert "`task=classification`, if that is a label" in found.notes
    found = infer(write("a.tsv", "1.png\tpos\n"), None)
    assert "holds images with only one target" in found.reason


def test_targets_that_are_numbers_are_learnt_as_such(write: Write):
    found = infer(write("a.tsv", "".join(f"row {row}\t{row / 7}\n" for row in range(50))), None)
    assert (found.task, found.source_kind) == ("regression", "text")


STARS = "".join(f"review {row}\t{row % 5}\n" for row in range(30))
MOODS = "".join(f"review {row}\t{'ab'[row % 2]}\n" for row in range(30))


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("a.tsv", "review\tstars\n" + STARS),
        ("a.csv", "review,stars\n" + STARS.replace("\t", ",")),
        ("a.tsv", "comment\ttoxic\n" + MOODS),
        ("a.tsv", "review\tprice\n" + "".join(f"row {row}\t{row / 7}\n" for row in range(50))),
        ("a.tsv", "review\tstars\ngood\t5\nbad\t1\nnice\t5\nugly\t1\n"),
        ("a.csv", "question,is_good\n" + MOODS.replace("\t", ",")),
        (
            "a.tsv",
            "文本\t标签\n" + "".join(f"这 是 一 条 评论 {row}\t{'好坏'[row % 2]}\n" for row in range(30)),
        ),
    ],
)
def test_a_first_line_that_names_the_columns_is_told_by_what_follows(write: Write, name: str, rows: str):
    source = write(name, rows)
    found = infer(source, None)
    assert found.settings["data.header"] == "yes"
    assert len(found.sample.records) == rows.count("\n") - 1
    assert infer(replace(source, header="no"), None).settings["data.header"] == "no"


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("a.tsv", STARS),
        ("a.tsv", MOODS),
        ("a.tsv", PAIRS),
        ("a.tsv", "cat\tchat\ndog\tchien\nhouse\tmaison\ntree\tarbre\n"),
        ("a.csv", '"a fine film, really",positive\n"a dull one, I slept",negative\n' * 9),
    ],
)
def test_other_first_lines_are_data(write: Write, name: str, rows: str):
    found = infer(write(name, rows), None)
    assert found.settings["data.header"] == "no"
    assert len(found.sample.records) == rows.count("\n")


def measured(columns: int, labels: Sequence[str] = "xy", count: int = 40, mark: str = ".") -> str:
    """Return rows of numbers with a label each."""
    draw = random.Random(5)
    return "".join(
        "".join(f"{draw.gauss(0, 5):.2f}".replace(".", mark) + ";" for _ in range(columns))
        + f"{labels[row % len(labels)]}\n"
        for row in range(count)
    )


@pytest.mark.parametrize(
    "names",
    [
        "0;1;label",
        "0;1;2;label",
        "label;0;1;2",
        "2020;2021;2022;label",
        "0;10;20;30;40;label",
        "0.0;0.5;1.0;1.5;2.0;label",
        "2024-01-30;2024-01-31;2024-02-01;label",
        "400nm;410nm;420nm;430nm;species",
        "1;2;3;age;label",
        "length;2020;beam;label",
        "2020;length;beam;kind of boat",
    ],
)
@pytest.mark.parametrize("mark", [".", ","])
def test_steps_beside_a_usual_name_are_a_header(write: Write, names: str, mark: str):
    rows = measured(names.count(";"), mark=mark)
    if names.startswith("label"):
        rows = "".join(";".join(reversed(row.split(";"))) + "\n" for row in rows.splitlines())
    found = infer(write("a.csv", f"{names}\n{rows}"), "classification")
    assert found.settings["data.header"] == "yes"
    assert {target for record in found.sample.records for target in record.targets} == {"x", "y"}


def test_a_mark_may_begin_the_name_of_a_column_of_numbers(write: Write):
    months = "".join(f"{1949 + n // 12}-{n % 12 + 1:02},{100 + n}\n" for n in range(60))
    source = write("a.csv", f"Month,#Passengers\n{months}")
    found = infer(replace(source, text_column="1", label_column="2"), "regression")
    assert found.settings["data.header"] == "yes"
    posts = "".join(f"{n},#{'abc'[n % 3]}\n" for n in range(30))
    assert infer(write("b.csv", f"30,#travel\n{posts}"), "classification").settings["data.header"] == "no"


@pytest.mark.parametrize(
    ("first", "rows"),
    [
        ("5.1;3.5;1.4;x", measured(3)),
        ("1.1;3.5;4.4;Iris-setosa", measured(3, "xyz")),
        ("1.1;3.5;4.4;type", measured(3, ["type", "kind"])),
        ("5.1;3.5;1.4;type", measured(3)),
        ("1;2;3;x", measured(3)),
        ("1.1;1.3;4.4;name", "".join(f"{row};{row / 7};{row / 3};word{row}\n" for row in range(30))),
        (
            "08:00;09:00;10:00;type",
            "".join(f"0{n % 8}:00;09:00;1{n % 9}:30;{'ab'[n % 2]}\n" for n in range(30)),
        ),
    ],
)
def test_values_beside_a_name_are_data(write: Write, first: str, rows: str):
    found = infer(replace(write("a.csv", f"{first}\n{rows}"), label_column="4"), "classification")
    assert found.settings["data.header"] == "no"
    assert len(found.sample.records) == rows.count("\n") + 1


@pytest.mark.parametrize("first", ["n/a;NA;1.5;x", "lost;1.3;1.5;x"])
def test_a_number_that_is_missing_in_the_first_row_is_no_name(write: Write, first: str):
    source = replace(write("a.csv", f"{first}\n{measured(3)}"), label_column="4")
    with pytest.raises(DataError, match=r"a.csv:1: column '1' holds '(n/a|lost)', which is no finite number"):
        infer(source, "classification")


def test_parallel_files_whose_lines_differ_in_length_are_to_be_written(write: Write):
    source = write("de", "".join(f"wort {row}\n" for row in range(100)))
    write("en", "".join(f"a word {row}\n" for row in range(100)))
    assert infer(replace(source, target_path="en", format="parallel"), None).task == "seq2seq"


def test_sentences_that_come_again_with_other_translations_are_no_labels(write: Write):
    rows = "".join(f"Go {row // 2}.\tVa {row}.\n" for row in range(100))
    assert infer(write("a.tsv", rows), None).task == "seq2seq"


@pytest.mark.parametrize("target", ["O O B-artist O B-album O", "x" * 100])
def test_long_targets_are_no_labels_even_if_they_repeat(write: Write, target: str):
    rows = "".join(f"row {row}\t{target}{row % 2}\n" for row in range(50))
    assert infer(write("a.tsv", rows), None).task == "seq2seq"


def test_labels_may_be_in_the_first_column(write: Write):
    swapped = "".join("\t".join(reversed(row.split("\t"))) + "\n" for row in TABLE.splitlines())
    found = infer(write("a.tsv", swapped), None)
    assert (found.task, found.source.text_column, found.source.label_column) == ("classification", "2", "1")
    assert found.sample.records[3].targets == ("3",)


def test_a_task_that_is_asked_for_is_kept(write: Write):
    found = infer(write("a.tsv", PAIRS), "classification")
    assert (found.task, found.format) == ("classification", "tsv")
    assert "as asked for" in found.reason


def test_a_format_that_is_asked_for_is_kept(write: Write):
    assert infer(replace(write("a.tsv", TABLE), format="lines"), None).format == "lines"


def test_a_classification_needs_labels(write: Write):
    with pytest.raises(UsageError, match=r"input.txt \(text\) has no labels"):
        infer(write("input.txt", PROSE), "classification")


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
@pytest.mark.parametrize("name", ["a.txt", "a.tsv", "a.csv.gz"])
def test_an_empty_file_is_an_error(write: Write, name: str, content: str):
    with pytest.raises(DataError, match=rf"^{name}: is empty; "):
        infer(write(name, content), None)


def test_a_table_of_nothing_but_a_header_is_an_error(write: Write):
    with pytest.raises(DataError, match=r"^a.tsv: holds no rows"):
        infer(write("a.tsv", "text\tlabel\n"), None)


def test_a_malformed_first_row_is_an_error_with_its_location(write: Write):
    with pytest.raises(DataError, match=r"^a.tsv:2: 1 column"):
        infer(write("a.tsv", "a\tx\nb\n"), None)


def test_only_the_beginning_of_a_long_file_is_read(write: Write):
    found = infer(write("a.tsv", TABLE * 4 + "no column here\n"), None)
    assert found.reason.endswith("in the first 1000 rows")
    long_rows = "".join(f"{'x' * 40_000} {row}\t{row % 2}\n" for row in range(50))
    assert infer(write("b.tsv", long_rows), None).reason.endswith("in the first 27 rows")


IMAGES = "".join(
    f"scenes/{number // 3}.png\ta thing number {number} above another thing\n" for number in range(60)
)


def test_a_table_of_image_paths_and_sentences_is_for_captions(write: Write):
    found = infer(write("train.tsv", IMAGES), None)
    assert (found.task, found.source_kind) == ("seq2seq", "image")
    assert "train.tsv (read as tsv) holds images with 60 different targets" in found.reason


@pytest.mark.parametrize("names", [("file_name", "text"), ("image", "text"), ("path", "sentence")])
def test_texts_of_any_name_beside_images_are_their_captions(write: Write, names: tuple[str, str]):
    rows = "".join(f"images/{row}.png,a red square number {row} of many\n" for row in range(40))
    found = infer(write("captions.csv", f"{','.join(names)}\n{rows}"), None)
    assert (found.task, found.source.text_column, found.source.label_column) == ("seq2seq", *names)


def test_a_table_of_image_paths_and_labels_is_for_classification(write: Write):
    rows = "".join(f"{number}.JPG\t{'ab'[number % 2]}\n" for number in range(20))
    found = infer(write("train.tsv", rows), None)
    assert (found.task, found.source_kind) == ("classification", "image")


@pytest.mark.parametrize(("texts", "kind"), [(6, "image"), (60, "text")])
def test_some_paths_of_no_image_are_slips_and_many_are_texts(write: Write, texts: int, kind: str):
    rows = IMAGES + "".join(f"see {row}.png there\tor sentence number {row}\n" for row in range(texts))
    assert infer(write("train.tsv", rows), None).source_kind == kind


@pytest.mark.parametrize(("short", "task"), [(0, "tagging"), (1, "tagging"), (10, "classification")])
def test_some_sentences_with_a_tag_too_few_are_slips(write: Write, short: int, task: str):
    source = write("seq.in", "say it now\n" * 20)
    write("seq.out", "O\n" * short + "O O B\n" * (20 - short))
    assert infer(replace(source, target_path="seq.out", format="parallel"), None).task == task


@pytest.mark.parametrize(
    ("several", "task"), [("De Luca\tItalian\n", "classification"), ("De Luca\tB I\n", "tagging")]
)
def test_one_token_with_one_label_is_no_evidence_of_tags(write: Write, several: str, task: str):
    rows = "".join(f"name{row}\t{'BI'[row % 2]}\n" for row in range(200))
    assert infer(write("train.tsv", rows + several), None).task == task


def test_sentences_of_nearly_always_as_many_words_are_to_be_written(write: Write):
    source = write("en", "".join(f"say {row}\n" for row in range(20)))
    write("de", "sag es mir\n" + "".join(f"sag{row} es{row}\n" for row in range(19)))
    assert infer(replace(source, target_path="de", format="parallel"), None).task == "seq2seq"


def test_texts_that_come_again_are_read_and_the_lists_beside_them_are_their_labels(write: Write):
    rows = [{"text": f"{word} please", "label": [word]} for word in ("order", "refund")] * 60
    found = infer(write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows)), None)
    assert (found.source.text_column, found.source.label_column) == ("text", "label")


@pytest.mark.parametrize(("name", "answer"), [("lang", "late"), ("label", "label")])
def test_of_two_columns_one_of_which_is_the_same_in_all_rows_the_other_is_the_answer(
    write: Write, name: str, answer: str
):
    rows = [{"text": f"order {n}", "late": n % 2 == 0, name: "en"} for n in range(120)]
    found = infer(write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows)), None)
    assert found.source.label_column == answer  # one that is called label is no chance


def test_labels_that_differ_only_in_case_or_blanks_are_told(write: Write):
    labels = ["good", "Good", "GOOD ", "bad"]
    rows = "".join(f"text number {n},{labels[n % 4]}\n" for n in range(120))
    expected = "labels that differ only in case or blanks are not the same: 'GOOD ' and 'Good' and 'good'"
    assert expected in infer(write("a.csv", f"text,label\n{rows}"), None).notes
    others = rows.replace("Good", "fine").replace("GOOD ", "poor")
    notes = infer(write("b.csv", f"text,label\n{others}"), None).notes
    assert not [note for note in notes if "differ" in note]


def test_a_tag_that_is_missing_does_not_make_a_text_of_tagged_words(write: Write):
    blocks = ["In\tO\nMay\tDATE\nit\tO\n\n", "Mr\tO\nMay\tPER\ncame\tO\n\n"] * 50
    content = "".join(blocks).replace("May\tPER", "May", 1)
    with pytest.raises(DataError, match=r"a.txt:6: 1 column, expected 2 as in the first row; fix the line"):
        infer(write("a.txt", content), None)
    poem = "".join(f"a{n} rose\nis a{n}\nred{n} rose{n}\n\n" for n in range(50))
    assert infer(write("b.txt", poem), None).task == "language-model"


def test_two_texts_that_may_be_translations_are_asked_about(write: Write):
    first = write("talk.en", "hello\nthank you\n" * 20)
    second = write("talk.de", "hallo\ndanke\n" * 20)
    both = replace(first, paths=(*first.paths, *second.paths))
    with pytest.raises(
        UsageError, match=r"talk.en and talk.de have as many lines: .* `data.source=.*talk.en`"
    ):
        infer(both, None)
    assert infer(replace(both, format="text"), None).task == "language-model"
    write("talk.de", "hallo\n")
    assert infer(both, None).task == "language-model"
    parts = [write(f"talk.{number}", "hello\nthank you\n" * 20) for number in (1, 2)]
    both = replace(first, paths=(*parts[0].paths, *parts[1].paths))
    assert infer(both, None).task == "language-model"


def test_images_without_labels_are_refused(write: Write):
    with pytest.raises(UsageError, match="holds images without labels"):
        infer(write("train.csv", "image\na.png\nb.png\n"), None)


NUMBERS = "length,beam,label\n" + "".join(f"{row}.5,{row % 3},{'ab'[row % 2]}\n" for row in range(20))
SERIES = "series,x,y,label\n" + "".join(
    f"{row // 3},0.{row},{row},{'ab'[row // 3 % 2]}\n" for row in range(60)
)


@pytest.mark.parametrize(("rows", "kind"), [(NUMBERS, "vector"), (SERIES, "vectors")])
@pytest.mark.parametrize(("name", "separator"), [("a.csv", ","), ("a.tsv", "\t")])
def test_a_table_of_numbers_is_known_by_its_header_and_cells(
    write: Write, rows: str, kind: str, name: str, separator: str
):
    found = infer(write(name, rows.replace(",", separator)), None)
    assert (found.task, found.source_kind) == ("classification", kind)
    assert "holds numbers with 2 different labels" in found.reason


def test_the_label_of_a_table_of_numbers_may_be_named(write: Write):
    for rows in (NUMBERS, NUMBERS.replace("label", "kind"), NUMBERS.replace("label", "q")):
        found = infer(write("a.csv", rows), None)
        assert (found.task, found.source_kind) == ("classification", "vector")
        assert found.source.feature_columns == ("length", "beam")
    numbers = write("a.csv", "u,v,w\n" + "".join(f"{row}.5,{row * 3},{row}.25\n" for row in range(30)))
    with pytest.raises(UsageError, match=r"which of the columns u, v, w holds the label\?") as error:
        infer(numbers, None)
    assert str(error.value).endswith(
        "? use `data.label_column`, or `data.source_kind=text` to read them as texts"
    )
    for column in ("w", "3"):
        found = infer(replace(numbers, label_column=column), None)
        assert (found.task, found.source_kind) == ("regression", "vector")


def test_a_slip_in_a_table_of_numbers_is_told_with_its_location(write: Write):
    with pytest.raises(DataError, match=r"^a.csv:8: column 'beam' holds 'x'"):
        infer(write("a.csv", NUMBERS.replace("6.5,0", "6.5,x")), None)


@pytest.mark.parametrize(
    "rows",
    [
        "text,label\n" + "".join(f"{row},{row % 2}\n" for row in range(9)),  # texts that are numbers
        "zip,category\n" + "".join(f"{97 + row * 997:05},{'ab'[row % 2]}\n" for row in range(100)),
        "digits,label\n" + "".join(f"{row * 7919:08},{'ab'[row % 2]}\n" for row in range(9)),
        "sum,label\n" + "".join(f"{row}_000,{'ab'[row % 2]}\n" for row in range(1, 9)),
        "sum,label\n" + "".join(f"{digit},{'ab'[row % 2]}\n" for row, digit in enumerate("٠١٢٣٤٥٦٧")),
        "review,label\n" + "".join(f"nice {row},{row % 2}\n" for row in range(9)),
        '"two\nlines",label\n' + "".join(f'"the {row}\nth",{row % 2}\n' for row in range(300)),
    ],
)
def test_other_tables_are_read_as_texts(write: Write, rows: str):
    assert infer(write("a.csv", rows), None).source_kind == "text"


@pytest.mark.parametrize(
    "cells",
    [("0", "-1", "+2.50"), ("1.", ".5", "0.05"), ("1e-05", "2E+3", "-1.5e10"), ("0.0", "-0", "10200")],
)
def test_numbers_as_programs_write_them_are_numbers(write: Write, cells: tuple[str, ...]):
    rows = "".join(f"{cell},{'ab'[row % 2]}\n" for row, cell in enumerate(cells * 3))
    assert infer(write("a.csv", "x,label\n" + rows), None).source_kind == "vector"


@pytest.mark.parametrize("task", ["seq2seq", "tagging", "language-model"])
def test_a_task_of_texts_reads_no_table_as_numbers_unless_that_is_said(write: Write, task: str):
    source = write("a.csv", "number,label\n" + "".join(f"{row},{row % 7}\n" for row in range(30)))
    assert infer(source, task).source_kind in {"text", "none"}
    if task == "seq2seq":
        assert infer(replace(source, kind="vector"), task).source_kind == "vector"


@pytest.mark.parametrize("title", ["id", ""])
def test_the_name_of_a_row_does_not_make_a_table_one_of_texts(write: Write, title: str):
    header, *rows = NUMBERS.splitlines()
    named = [f"{title},{header}", *(f"s{number},{row}" for number, row in enumerate(rows))]
    found = infer(write("a.csv", "\n".join(named)), None)
    assert (found.task, found.source_kind) == ("classification", "vector")


def test_a_table_of_which_only_the_label_is_known_asks_for_the_text(write: Write):
    rows = "".join(f"{row if row % 5 else 'NA'},{'nice' * (row % 3)},{'xy'[row % 2]}\n" for row in range(20))
    with pytest.raises(UsageError, match=r"^a.csv: which of the 3 columns holds the text\? use `data.text_c"):
        infer(write("a.csv", f"a,b,label\n{rows}"), None)
    found = infer(write("a.csv", f"year,title,label\n{rows}"), None)
    assert (found.source.text_column, found.source.label_column) == ("title", "label")


def test_texts_that_are_asked_for_are_not_taken_for_numbers(write: Write):
    source = replace(write("a.csv", NUMBERS), label_column="3")
    assert infer(replace(source, text_column="1"), None).source_kind == "text"


SERIES = "id,v,label\n" + "".join(f"s{row % 9},{row}.5,{'xy'[row % 9 % 2]}\n" for row in range(18))


def test_columns_of_numbers_that_are_settled_are_found_by_name_among_others(write: Write):
    settled = infer(write("a.csv", SERIES.replace("s8", "s0")), None).source
    assert settled.feature_columns == ("v",)
    rows = [line.split(",") for line in SERIES.split("\n")[1:-1]]
    other = "label,new,v,id\n" + "".join(f"{label},7,{v},{name}\n" for name, v, label in rows)
    found = infer(replace(settled, paths=write("b.csv", other).paths), "classification")
    assert found.source.feature_columns == ("v",)
    with pytest.raises(DataError, match=r'c\.csv:1: no column "v", the columns are label, new, w, id; '):
        infer(replace(settled, paths=write("c.csv", other.replace(",v,", ",w,")).paths), "classification")


BLANK_SEPARATED = {
    "numbers": ("".join(f"{row % 2}  {row}.5   -{row}e-1\n" for row in range(60)), "\t1.5\t-1e-1"),
    "numbers with margins": ("".join(f"  {row % 2} {row}.5 {row} \n" for row in range(60)), "1\t1.5\t1"),
    "numbers and a word": ("".join(f"{row}.5 0.{row} {'xy'[row % 2]}\n" for row in range(60)), "1.5\t0.1\ty"),
    "labels of two values": (
        "".join(f"{row % 2} text of row {row}\n" for row in range(60)),
        "1\ttext of row 1",
    ),
    "labels with a sign": ("".join(f"{'-+'[row % 2]}1 it is {row}\n" for row in range(60)), "+1\tit is 1"),
    "labels of questions": (
        "".join(f"{['HUM:ind', 'LOC:city'][row % 2]} who is {row} ?\n" for row in range(60)),
        "LOC:city\twho is 1 ?",
    ),
    "a dictionary": (
        ";;; comment\n" + "".join(f"WORD{row}  W ER1 {row}\n" for row in range(60)),
        "WORD1\tW ER1 1",
    ),
    "tags behind slashes": ("".join(f"w{row}/NN and/or/CC ./.\n" for row in range(60)), "and/or\tCC"),
    "tags behind low lines": ("".join(f"w{row}_NN is_VBZ\n" for row in range(60)), "is\tVBZ"),
}


@pytest.mark.parametrize("kind", BLANK_SEPARATED)
def test_a_text_that_may_be_a_table_is_asked_about_and_the_command_makes_the_table(write: Write, kind: str):
    content, second = BLANK_SEPARATED[kind]
    source = write("my data.txt", content)
    with pytest.raises(UsageError, match=r"add `task=language-model`$") as asked:
        infer(source, None)
    command = re.search(r"\((awk .*)\)", str(asked.value))
    assert command is not None
    assert "  " not in command[1], "what shows the message makes one blank of several"
    subprocess.run(command[1], shell=True, check=True)
    assert second in Path("my data.tsv").read_text(encoding="utf-8").splitlines()[1]
    assert infer(source, "language-model").task == "language-model"


@pytest.mark.parametrize(
    "lines",
    [
        [f"{row} In the beginning was line {row}." for row in range(60)],
        [f"{'AB'[row % 2]}: I say {row}" for row in range(60)],
        [f"Two blanks.  After a sentence {row}.  As typists had it." for row in range(60)],
        [f"12 {row}"[: row % 4 + 1] for row in range(60)],
        [f"he/she either/or {row}" for row in range(60)],
        [f"usr/bin{row} etc/file{row}" for row in range(60)],
        [
            ("Praise God our Lord", f"Sing joy our {['King', 'God'][row % 6 > 2]}", "")[row % 3]
            for row in range(90)
        ],
        ["1 one", "0 two"],
    ],
    ids=[
        "verses",
        "a dialogue",
        "typed",
        "numbers here and there",
        "slashes",
        "paths",
        "stanzas",
        "two lines",
    ],
)
def test_other_texts_are_not_asked_about(write: Write, lines: list[str]):
    assert infer(write("a.txt", "\n".join(lines)), None).task == "language-model"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("@relation r\n@attribute a numeric\n@DATA\n" + "1.5,x\n2.5,y\n" * 20, "ARFF"),
        ("@problemName p\n@classLabel true a b\n@data\n" + "1.5,2.5:a\n" * 20, "write it as CSV"),
        ("".join(f"{row * 7 % 13}.{row}\n" for row in range(60)), "a number in each line"),
    ],
)
def test_files_of_numbers_are_no_texts_unless_that_is_said(write: Write, content: str, words: str):
    source = write("series.txt", content)
    with pytest.raises(UsageError, match=words) as refused:
        infer(source, None)
    assert str(refused.value).endswith("add `task=language-model`")
    assert infer(source, "language-model").task == "language-model"


CATS = [
    {"text": f"I buy {row} shares", "cats": {"TRADE": row % 2, "NEWS": 1.0 - row % 2}} for row in range(40)
]


def test_an_object_of_labels_that_hold_or_not_is_a_list_of_labels(write: Write):
    """As the `cats` of spaCy are."""
    content = "".join(json.dumps(row) + "\n" for row in CATS)
    for name, text in {"a.jsonl": content, "a.json": json.dumps(CATS)}.items():
        found = infer(write(name, text), None)
        assert (found.task, found.source.label_column) == ("classification", "cats"), name
        assert [record.targets for record in found.sample.records][:2] == [("NEWS",), ("TRADE",)]
    both = [{**row, "cats": {"TRADE": True, "NEWS": n % 3 == 0}} for n, row in enumerate(CATS)]
    several = infer(write("b.jsonl", "".join(json.dumps(row) + "\n" for row in both)), None)
    assert several.settings["data.multi_label"]
    scores = [{**row, "cats": {"TRADE": 0.3, "NEWS": 0.7}} for row in CATS]
    source = replace(write("c.json", json.dumps(scores)), label_column="cats")
    with pytest.raises(DataError, match=r'"cats" is an object; .* such as cats\.TRADE'):
        infer(source, None)


def test_a_nested_text_that_is_null_is_there_and_empty(write: Write):
    rows = [{"of": {"text": f"a film {n}" if n != 9 else None}, "label": "xy"[n % 2]} for n in range(60)]
    source = write("a.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.raises(DataError, match=r"a\.jsonl:10: .* fill it, or leave the row out"):
        infer(replace(source, text_column="of.text"), None)


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("label", [0, 4, "ORG"]),
        ("spans", {"start": 0, "end": 4, "label": "ORG"}),
        ("entities", {"id": 1, "start_offset": 0, "end_offset": 4, "label": "ORG"}),
    ],
)
def test_spans_of_characters_are_no_tags(write: Write, name: str, span: object):
    rows = [{"id": row, "text": f"Acme buys {row}", name: [span] * (row > 0)} for row in range(30)]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    with pytest.raises(UsageError, match=rf"'{name}' holds spans of characters.*`tokens` and `tags`$"):
        infer(write("a.jsonl", content), None)


def test_a_test_part_among_the_files_to_train_on_is_told(write: Write):
    rows = "".join(f"text of {row}\t{'ab'[row % 2]}\n" for row in range(30))
    paths = [write(name, rows).paths[0] for name in ("mails.train.tsv", "mails.test.tsv", "more.tsv")]
    source, told = write("a.tsv", rows), "mails.test.tsv: trained on, too"
    notes = infer(replace(source, paths=tuple(paths)), None).notes
    assert any(note.startswith(told) for note in notes)
    for known in (paths[1:2], paths[::2]):
        notes = infer(replace(source, paths=tuple(known)), None).notes
        assert not any("trained on, too" in note for note in notes)


def test_whether_numbers_without_names_are_a_series_or_a_vector_is_asked(write: Write):
    rows = ["\t".join([str(row % 2 + 1), *(f"{row * t / 7:.3f}" for t in range(1, 21))]) for row in range(40)]
    with pytest.raises(AmbiguousDataError, match="column 1 looks like a label") as asked:
        infer(write("a.tsv", "\n".join(rows)), None)
    kinds = [reading["data.source_kind"] for reading in asked.value.readings]
    assert kinds == ["vectors", "vector"]
    assert all(reading["data.label_column"] == "1" for reading in asked.value.readings)


JAPANESE = ["料理がとてもまずい。昨日この店は最高だった", "店員さんがひどい、映画は最高だったこの店は料理が"]
THAI = ["เมื่อวานชอบมากร้านนี้อาหารอร่อยมากพนักงานดี", "อาหารแย่มากห้องน่าเบื่อโรงแรมเมื่อวานไม่ชอบเลย"]
HINDI = ["यह होटल बहुत अच्छा था और खाना भी", "सेवा बहुत खराब थी मैं नाराज़ हूँ"]


@pytest.mark.parametrize(
    ("names", "texts"),
    [
        ("日付,本文,カテゴリ", JAPANESE),
        ("url,正文,类别", JAPANESE),
        ("วันที่,ข้อความ,ป้าย", THAI),
        ("दिनांक,पाठ,लेबल", HINDI),
        ("ngày,văn bản,nhãn", HINDI),
    ],
)
@pytest.mark.parametrize("first", ["2024-01-{:02d}", "https://x.jp/{}", "user{}"])
def test_texts_are_found_and_headers_known_in_any_script(write: Write, names: str, texts: list, first: str):
    rows = [f"{first.format(n % 28)},{texts[n % 2]}{n},{'好评' if n % 2 else '差评'}\n" for n in range(60)]
    found = infer(write("a.csv", "".join([f"{names}\n", *rows])), None)
    assert found.settings["data.header"] == "yes"
    _, text, label = names.split(",")
    assert (found.source.text_column, found.source.label_column) == (text, label)
    bare = infer(write("b.csv", "".join(rows)), None)
    assert bare.settings["data.header"] == "no"
    assert (bare.source.text_column, bare.source.label_column) == ("2", "3")


WORDS = ["Oslo\tB-LOC", "ist\tO", "schön\tO", "Rome\tB-LOC"]


def sentences(*words: str) -> str:
    return "".join("".join(f"{word}\n" for word in words) + "\n" for _ in range(20))


def test_tags_of_spans_may_come_first(write: Write):
    found = infer(write("a.bio", sentences(*("\t".join(reversed(w.split("\t"))) for w in WORDS))), None)
    assert (found.task, found.source.text_column, found.source.label_column) == ("tagging", "2", "1")
    assert "columns: read: 2; answer: 1" in found.notes
    assert infer(write("b.bio", sentences(*WORDS)), None).source.text_column is None


def test_words_with_blanks_are_words_if_their_tags_are_those_of_spans(write: Write):
    found = infer(write("a.tsv", sentences("Hồ Chí Minh\tB-LOC", "sinh viên\tO", "học\tO")), None)
    assert (found.task, found.format) == ("tagging", "conll")
    assert infer(write("b.tsv", sentences("Hồ Chí Minh\tpos", "sinh viên\tneg")), None).format == "tsv"


def test_stanzas_whose_lines_have_as_many_words_each_are_no_sentences(write: Write):
    draw = random.Random(1)
    line = lambda: " ".join("".join(draw.choices("aeiouklmn", k=4)) for _ in range(7))  # noqa: E731
    poem = "\n\n".join("\n".join(line() for _ in range(4)) for _ in range(60))
    assert infer(write("a.txt", f"{poem}\n"), None).task == "language-model"


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
def test_a_table_of_one_column_is_a_text(write: Write, name: str):
    found = infer(write(name, "".join(f"only a text {n}\n" for n in range(40))), None)
    assert (found.task, found.source.text_column) == ("language-model", "1")


def test_a_column_that_is_mostly_blank_is_no_other_right_answer(write: Write):
    rows = [f"gj{n % 5}\t{n % 2}\t{'*' if n % 7 == 0 else ''}\tthe film {n} was good\n" for n in range(80)]
    with pytest.raises(AmbiguousDataError, match="which column holds what is to be answered"):
        infer(write("a.tsv", "".join(rows)), None)


@pytest.mark.parametrize(
    "content",
    [
        {"text": ["a good film", "a bad film"], "label": ["pos", "neg"]},
        {"pos": ["a good film", "very good"], "neg": ["a bad film"]},
        {"columns": ["text", "label"], "index": [0], "data": [["a good film", "pos"]]},
    ],
)
def test_an_object_of_lists_is_no_row(write: Write, content: dict):
    with pytest.raises(DataError, match=r"a\.json:1: an object with lists or columns, and no rows; "):
        infer(write("a.json", json.dumps(content)), None)


def test_a_text_that_is_null_is_told_with_what_can_be_done(write: Write):
    rows = [{"text": f"a film {n}" if n != 9 else None, "label": "xy"[n % 2]} for n in range(60)]
    with pytest.raises(DataError, match=r"a\.jsonl:10: .* fill it, or leave the row out"):
        infer(write("a.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows)), None)


@pytest.mark.parametrize(
    "names",
    [
        ("premise", "hypothesis"),
        ("sentence1", "sentence2"),
        ("Question 1", "Question 2"),
        ("text_a", "text_b"),
    ],
)
@pytest.mark.parametrize("answers", ["yes no maybe", "0 1", "0.25 3.8 4.2 1.05 2.2 2.75"])
def test_two_texts_that_are_compared_are_read_as_one(write: Write, names, answers):
    texts = [(f"the man {row} walks by", f"nobody {row % 31} walks here") for row in range(60)]
    answer = [answers.split()[row % len(answers.split())] for row in range(60)]
    rows = [f"{a}\t{b}\t{c}\n" for (a, b), c in zip(texts, answer, strict=True)]
    source = write("pairs.tsv", "\t".join([*names, "label"]) + "\n" + "".join(rows))
    both = infer(source, None)
    assert (both.settings["data.text_column"], both.settings["data.label_column"]) == (
        ",".join(names),
        "label",
    )
    assert [record.source for record in both.sample.records] == [f"{a} ||| {b}" for a, b in texts]
    assert any("read as one text" in note and "left out" not in note for note in both.notes)
    for name in names:
        found = infer(replace(source, text_column=name), None)
        assert found.settings["data.label_column"] == "label"


CODES = {
    "codes": ("A{}\tflight A number {}", ("1", "2")),
    "numbers": ("{}\tthe number {} in words", ("1", "2")),
    "both sides and their numbers": ("1{}\tthe cat {}\t2{}3\tdie Katze {}", ("2", "4")),
    "sides and a score": ("1.{}\tthe cat {} sits\tdie Katze {} sitzt", ("2", "3")),
    "forms": ("walk{}\twalk{}ed\tV;PST", ("1,3", "2")),
}


@pytest.mark.parametrize("kind", CODES)
def test_which_of_codes_and_texts_is_written_is_asked(write: Write, kind: str):
    """Numbers are read as words are, and a corpus may have numbers of its rows, or how good they are."""
    line, (text, target) = CODES[kind]
    rows = "".join(line.replace("{}", str(n)) + "\n" for n in range(10, 70))
    source = write("a.tsv", rows)
    with pytest.raises(AmbiguousDataError) as asked:
        infer(source, None)
    assert {"data.text_column": text, "data.label_column": target} in asked.value.readings
    found = infer(replace(source, text_column=text, label_column=target), None)
    assert found.task == "seq2seq"


@pytest.mark.parametrize("header", ["es,en", "word,ipa", "misspelled,correct", "from,to", "id,es,en"])
def test_names_of_two_sides_are_a_header(write: Write, header: str):
    row = "{n},gato{n} azul,cat {n} blue\n" if header.count(",") > 1 else "gato{n} azul,cat {n} blue\n"
    rows = "".join(row.format(n=n) for n in range(10, 70))
    found = infer(write("a.csv", f"{header}\n{rows}"), None)
    assert found.settings["data.header"] == "yes"
    assert (found.source.text_column, found.source.label_column) == tuple(header.split(",")[-2:])


def test_words_that_are_codes_of_languages_too_are_no_header(write: Write):
    letters = "abcdefghijklmnopqrst"
    words = [f"{a}{b},{b}{a}" for a, b in zip(letters, letters[3:] + letters, strict=False)]
    source = write("a.csv", "\n".join(["is,it", "to,no", *words]))
    found = infer(replace(source, text_column="1", label_column="2"), None)
    assert found.settings["data.header"] == "no"


def test_codes_under_a_name_of_what_is_read_are_read(write: Write):
    rows = "".join(f"cat{n},k a t {n}\n" for n in range(60))
    found = infer(write("a.csv", f"word,ipa\n{rows}"), None)
    assert (found.source.text_column, found.source.label_column) == ("word", "ipa")


def test_long_names_over_numbers_are_a_header(write: Write):
    rows = "".join(f"cmp{n},-{n}.4{n % 7},c1ccc{n * 7 % 50}cc1\n" for n in range(60))
    name = "measured log solubility in mols per litre"
    found = infer(write("a.csv", f"Compound ID,{name},smiles\n{rows}"), None)
    assert (found.source.text_column, found.source.label_column) == ("smiles", name)


def test_images_with_the_numbers_of_their_captions_are_refused_with_a_command(write: Write):
    rows = "".join(f"{n // 5}.jpg#{n % 5}\ta red square {n}\n" for n in range(60))
    with pytest.raises(UsageError, match=r"number of a caption .* cut it off with: sed -E") as refused:
        infer(write("tokens.txt", rows), None)
    command = str(refused.value).partition("with: ")[2]
    done = subprocess.run(command, shell=True, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[1] == "0.jpg\ta red square 1"


def test_forms_in_blocks_of_a_word_are_no_sentences(write: Write):
    rows = "".join(f"word{n}\tword{n}s\tN;PL\nword{n}\tword{n}ed\tV;PST\n\n" for n in range(30))
    with pytest.raises(AmbiguousDataError, match="words, forms and their features"):
        infer(write("a.tsv", rows), None)


def test_times_are_not_read_where_there_are_texts(write: Write):
    levels = ("INFO", "WARN")
    rows = [f"2024-01-01 10:00:{n % 60:02d},{levels[n % 2]},disk {n} full\n" for n in range(60)]
    found = infer(write("log.csv", "time,level,msg\n" + "".join(rows)), None)
    assert (found.source.text_column, found.source.label_column) == ("msg", "level")


def test_of_lists_of_numbers_in_several_columns_none_is_left_out_without_a_word(write: Write):
    rows = [{"ax": [n, n + 0.5], "ay": [0.5, n], "label": "ab"[n % 2]} for n in range(40)]
    source = write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UsageError, match="in several columns: ax, ay; write the numbers of each step"):
        infer(source, None)
    assert infer(replace(source, text_column="ax"), None).task == "classification"


@pytest.mark.parametrize("line", ["[12/{n:02d}/23, 10:00:00] Ann: hello", "Wood, Mary {n}"])
def test_whether_a_comma_a_line_cuts_columns_is_asked(write: Write, line: str):
    text = "".join(line.format(n=n % 9) + "\n" for n in range(60))
    source = write("a.txt", text)
    with pytest.raises(AmbiguousDataError, match="one comma with a blank after it") as asked:
        infer(source, None)
    assert asked.value.readings == [{"data.format": "csv"}, {"data.format": "text"}]
    assert infer(replace(source, format="text"), None).task == "language-model"
    assert infer(write("b.txt", "text, label\n" + text), None).format == "csv"


@pytest.mark.parametrize("header", ["sentence1\tsentence2", "english\tfrench", "title\tbody"])
def test_other_pairs_of_texts_are_no_question(write: Write, header: str):
    rows = "".join(f"the man {row} walks by\tun homme {row} marche\n" for row in range(60))
    assert infer(write("pairs.tsv", f"{header}\n{rows}"), None).task == "seq2seq"


SEXES, MOODS = ("male", "female", "male"), ("yes", "no")


@pytest.mark.parametrize(
    ("header", "answers", "asked"),
    [
        ("sex,age,fare,flag", ("0", "1"), ["flag", "sex"]),
        ("sex,age,fare,alive", MOODS, ["alive", "sex"]),
        ("sex,age,fare,sale_price", [f"{row * 37}" for row in range(40)], ["sale_price", "sex"]),
    ],
)
def test_which_of_words_and_numbers_is_the_answer_is_asked(write: Write, header: str, answers, asked):
    rows = [
        f"{SEXES[row % 3]},{row * 7 % 50 + 20},{row * 3 % 17}.5,{answers[row % len(answers)]}\n"
        for row in range(40)
    ]
    source = write("people.csv", f"{header}\n{''.join(rows)}")
    with pytest.raises(AmbiguousDataError, match="which column holds the label") as caught:
        infer(source, None)
    assert [reading["data.label_column"] for reading in caught.value.readings] == asked
    found = infer(replace(source, label_column=asked[0]), None)
    assert found.settings["data.feature_columns"] == ("age", "fare")
    assert "left out: sex; only numbers are read beside numbers" in found.notes[0]


def test_columns_of_words_are_left_out_beside_numbers_and_a_usual_name_is_the_answer(write: Write):
    rows = "".join(
        f"{row},{SEXES[row % 3]},{row * 7 % 50 + 20},{row * 3 % 17}.5,{row % 2}\n" for row in range(1, 41)
    )
    found = infer(write("people.csv", f"Nr.,sex,age,fare,survived\n{rows}"), None)
    assert found.task == "classification"
    assert found.settings["data.label_column"] == "survived"
    assert found.settings["data.feature_columns"] == ("age", "fare")


def test_the_only_column_of_numbers_is_read_though_it_counts(write: Write):
    rows = "".join(f"{row},{'ab'[row % 20 // 10]}\n" for row in range(1, 41))
    assert infer(write("ramp.csv", f"x,label\n{rows}"), None).settings["data.feature_columns"] == ("x",)


@pytest.mark.parametrize("name", ["{}", "S{}"])
def test_whether_rows_at_several_times_are_steps_of_a_series_is_asked(write: Write, name: str):
    rows = [
        f"{name.format(series)};2024-01-{day:02d};{series * 3 % 7 + day / 10};{'ab'[series % 2]}\n"
        for series in range(30)
        for day in range(1, 13)
    ]
    source = write("capteurs.csv", f"capteur;horodatage;valeur;etat\n{''.join(rows)}")
    with pytest.raises(AmbiguousDataError, match="steps of a series") as caught:
        infer(replace(source, label_column="etat"), None)
    series, vector = (
        infer(replace(source, label_column="etat", **_chosen(reading)), None)
        for reading in caught.value.readings
    )
    assert (series.source_kind, series.source.series_column) == ("vectors", "capteur")
    assert (vector.source_kind, vector.source.series_column) == ("vector", None)


def _chosen(reading):
    names = {"data.series_column": "series_column", "data.source_kind": "kind"}
    return {names[key]: value for key, value in reading.items()}
