from __future__ import annotations

import csv
import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from seqrnn.config import DataConfig
from seqrnn.data.fields.source_kind import source_field
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.record import Record
from seqrnn.data.source import Source, spool
from seqrnn.errors import DataError, UsageError
from seqrnn.inference import infer

Write = Callable[..., Source]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A function: a file's name, its content, keys of Source -> the source."""
    monkeypatch.chdir(tmp_path)

    def write_source(name: str, content: str | bytes, **keys: object) -> Source:
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return Source((name,), **{"format": name.rpartition(".")[2], **keys})  # type: ignore[arg-type]

    return write_source


def pairs(source: Source) -> list[tuple[str, tuple[str, ...]]]:
    return [(record.source, record.targets) for record in read_records(source)]


def failure(source: Source) -> str:
    with pytest.raises(DataError) as error:
        list(read_records(source))
    message = str(error.value)
    assert "\n" not in message
    return message


# Text and lines


def test_a_long_text_keeps_every_line_and_ends_each_with_a_newline(write: Write):
    source = write("a", "one\n\ntwo", format="text")
    assert pairs(source) == [("one\n", ()), ("\n", ()), ("two\n", ())]


def test_blank_examples_are_skipped_and_counted(write: Write):
    reader = read_records(write("a", "one\n\n \t\ntwo\n", format="lines"))
    assert [(record.source, record.location) for record in reader] == [("one", "a:1"), ("two", "a:4")]
    assert reader.blank == 2


def test_every_pass_gives_the_same_records_and_counts(write: Write):
    reader = read_records(write("a", b"one\n\ntw\xff\n", format="lines", encoding_errors="replace"))
    first = (list(reader), reader.blank, reader.replaced)
    assert (list(reader), reader.blank, reader.replaced) == first
    assert first[1:] == (1, 1)


def test_several_files_are_read_one_after_the_other(write: Write):
    source = write("a", "one\n", format="lines")
    write("b", gzip.compress(b"two\n"))
    records = list(read_records(Source((*source.paths, "b"), format="lines")))
    assert records == [Record("one", (), "a", 1), Record("two", (), "b", 1)]


def test_a_line_over_the_limit_is_counted_where_errors_are_replaced(write: Write):
    content = b"one\n" + b"x" * (17 << 20) + b"\ntwo\n"
    reader = read_records(write("a", content, format="lines", encoding_errors="replace"))
    assert [record.location for record in reader] == ["a:1", "a:3"]
    assert (reader.blank, reader.oversize) == (1, 1)


# Tables


def test_a_table_without_a_header_is_source_then_target_then_more_targets(write: Write):
    source = write("a.tsv", "read\tR EH D\tR IY D\n\ncat\tK AE T\n")
    assert pairs(source) == [("read", ("R EH D", "R IY D")), ("cat", ("K AE T",))]


@pytest.mark.parametrize("header", ["label\tid\ttext", "Intent\tx\tUtterance"])
def test_usual_column_names_are_recognised(write: Write, header: str):
    assert pairs(write("a.tsv", f"{header}\npos\t1\tgood\n")) == [("good", ("pos",))]


def test_a_table_may_hold_nothing_but_a_text_column(write: Write):
    assert pairs(write("a.tsv", "text\ngood\n")) == [("good", ())]


def test_columns_are_chosen_by_name(write: Write):
    source = write("a.tsv", "id\tq\ta\n1\twhy\tso\n", text_column="q", label_column="a")
    assert pairs(source) == [("why", ("so",))]


def test_columns_are_chosen_by_number(write: Write):
    source = write("a.tsv", "1\tso\twhy\n2\tyes\tif\n", text_column="3", label_column="2")
    assert pairs(source) == [("why", ("so",)), ("if", ("yes",))]


def test_a_chosen_label_leaves_the_other_of_two_columns_to_the_text(write: Write):
    assert pairs(write("a.tsv", "pos\tgood\n", label_column="1")) == [("good", ("pos",))]


def test_the_text_column_must_be_named_where_several_are_left(write: Write):
    message = failure(write("a.tsv", "pos\tgood\t1\n", label_column="1"))
    assert message == "a.tsv:1: which of the 3 columns holds the text? use `data.text_column`"


@pytest.mark.parametrize(
    ("header", "expected"), [("yes", [("b", ("2",))]), ("no", [("a", ("1",)), ("b", ("2",))])]
)
def test_whether_there_is_a_header_can_be_said(write: Write, header: str, expected: list):
    assert pairs(write("a.tsv", "a\t1\nb\t2\n", header=header)) == expected


def test_a_table_of_many_columns_has_a_header_where_the_label_is_named(write: Write):
    message = failure(write("a.tsv", "mood\tstars\tlabel\ngood\t5\tx\n"))
    assert message == "a.tsv:1: which of the 3 columns holds the text? use `data.text_column`"
    source = write("a.tsv", "mood\tstars\tlabel\ngood\t5\tx\n", text_column="1")
    assert pairs(source) == [("good", ("x",))]


@pytest.mark.parametrize("row", ["class\tKlasse", "good\tx\ty"])
def test_other_first_rows_are_examples(write: Write, row: str):
    text, *labels = row.split("\t")
    assert pairs(write("a.tsv", row + "\n")) == [(text, tuple(labels))]


def test_usual_names_are_data_where_there_is_no_header(write: Write):
    assert pairs(write("a.tsv", "text\tlabel\n", header="no")) == [("text", ("label",))]


def test_a_row_of_the_wrong_width_is_an_error_with_its_location(write: Write):
    message = failure(write("a.tsv", "text\tlabel\ngood\tpos\n\nbad\tneg\tx\n"))
    assert message.startswith("a.tsv:4: 3 columns, expected 2 (text, label); ")


def test_a_row_without_a_target_column_is_an_error_with_its_location(write: Write):
    message = failure(write("a.tsv", "good\tpos\nbad\n"))
    assert message.startswith("a.tsv:2: 1 column, expected 2 or more (source, target); ")


def test_a_missing_column_name_lists_the_columns_there_are(write: Write):
    message = failure(write("a.tsv", "text\tmood\nx\ty\n", label_column="label"))
    assert message == 'a.tsv:1: no column "label", the columns are text, mood; use `data.label_column`'


@pytest.mark.parametrize("number", ["0", "3"])
def test_a_column_number_must_be_one_of_the_columns(write: Write, number: str):
    message = failure(write("a.tsv", "x\ty\n", text_column=number))
    assert message.startswith(f"a.tsv:1: no column {number}, there are 2; ")


def test_a_column_name_needs_a_header(write: Write):
    with pytest.raises(UsageError, match="no header"):
        list(read_records(write("a.tsv", "x\ty\n", text_column="text", header="no")))


@pytest.mark.parametrize(
    ("separator", "name"), [(",", "comma"), (";", "semicolon"), ("|", "bar"), ("\t", "tab")]
)
@pytest.mark.parametrize("header", ["", "text,label\n"])
@pytest.mark.parametrize("line", ["", "sep=,\n"])
def test_what_separates_the_columns_of_a_csv_is_found(
    write: Write, separator: str, name: str, header: str, line: str
):
    rows = (line + header).replace(",", separator) + f"good{separator}x\nbad{separator}y\n"
    assert pairs(write("a.csv", rows)) == [("good", ("x",)), ("bad", ("y",))]
    rows = rows.removeprefix(line.replace(",", separator)) + "no column\n"
    message = failure(write("a.csv", rows, delimiter=name))
    assert message.endswith(f"; fix the row, or train with another `data.delimiter` (here: {name})")


@pytest.mark.parametrize(
    ("header", "choice", "named", "flag"),
    [
        ("text,label,label", {}, "label", "`data.label_column`"),
        ("text,Label,n,label ", {}, "label", "`data.label_column`"),
        ("text,text,label", {}, "text", "`data.text_column`"),
        ("q,q,a", {"text_column": "q", "label_column": "a"}, "q", "`data.text_column`"),
        ("text,a,a", {"label_column": "a"}, "a", "`data.label_column`"),
    ],
)
def test_a_column_that_is_used_has_a_name_of_its_own(
    write: Write, header: str, choice: dict, named: str, flag: str
):
    message = failure(write("a.csv", f"{header}\ngood,x,y,z\n", **choice))
    assert message == f'a.csv:1: two columns are named "{named}"; rename one, or use {flag} with a number'


@pytest.mark.parametrize(
    ("header", "choice"),
    [
        ("n,text,n,label", {}),
        ("text,text,a,label", {"text_column": "2"}),
        ("label,text,n,label", {"label_column": "4"}),
        ("Text,text,Label,label", {"text_column": "text", "label_column": "label"}),
    ],
)
def test_a_column_of_a_common_name_may_be_chosen_by_number_or_be_of_no_use(
    write: Write, header: str, choice: dict
):
    assert pairs(write("a.csv", f"{header}\n1,good,2,x\n", **choice)) == [("good", ("x",))]


@pytest.mark.parametrize(
    ("content", "numbers"),
    [
        ("text;n;label\na;3,14;x\nb;-2;y\nc;1,5e3;x\n", ["3.14", "-2", "1.5e3"]),
        ("text|n|label\na, b|3,14|x\nb|2|y\n", ["3.14", "2"]),
        ("text;n;label\na;3,14;x\nb;1,2,3;y\n", ["3,14", "1,2,3"]),
        ("text;n;label\na;3,14;x\nb;c;y\n", ["3,14", "c"]),
        ("text;n;label\na;3;x\nb;2;y\n", ["3", "2"]),
    ],
)
def test_numbers_may_have_a_decimal_comma_where_commas_separate_no_columns(
    write: Write, content: str, numbers: list[str]
):
    assert [record.fields["n"] for record in read_records(write("a.csv", content))] == numbers


def test_labels_apart_by_commas_are_no_numbers(write: Write):
    source = write("a.csv", "text;label\na;1,2\nb;3\n", multi_label=True)
    assert pairs(source) == [("a", ("1", "2")), ("b", ("3",))]


def test_a_delimiter_at_the_end_of_rows_is_told(write: Write):
    message = failure(write("a.csv", "text,label\na,x,\n"))
    assert message.endswith("; remove the delimiter at the end of the rows, or end the header with one, too")


def test_tsv_has_no_quoting(write: Write):
    assert pairs(write("a.tsv", 'say "hi\t"x"\n')) == [('say "hi', ('"x"',))]


def test_csv_cells_may_hold_commas_quotes_and_newlines(write: Write):
    rows = [("text", "label"), ('a, "b"\nc\u2028d', "x"), ("e" * 200_000, "y")]
    with open("a.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    records = list(read_records(write("a.csv", Path("a.csv").read_bytes())))
    assert [(record.source, *record.targets) for record in records] == rows[1:]
    assert [record.line for record in records] == [2, 4]


def test_an_open_quote_is_an_error_at_the_row_where_it_opens(write: Write):
    assert failure(write("a.csv", 'a,x\n"b,y\nc,z\n')).startswith("a.csv:2: not valid CSV: ")


def test_the_labels_of_a_multi_label_column_are_split(write: Write):
    source = write("a.tsv", "a\tx; y;\nb\t\n", multi_label=True, label_separator=";", label_column="2")
    assert pairs(source) == [("a", ("x", "y")), ("b", ())]


def test_an_empty_label_is_no_label(write: Write):
    assert pairs(write("a.tsv", "a\t\n")) == [("a", ())]


# JSON lines


def test_the_whole_object_goes_along_with_a_json_record(write: Write):
    source = write("a.jsonl", '{"id": 7, "text": "good", "label": "pos"}\n\n')
    fields = {"id": 7, "text": "good", "label": "pos"}
    assert list(read_records(source)) == [Record("good", ("pos",), "a.jsonl", 1, fields)]


@pytest.mark.parametrize(
    ("label", "targets"),
    [('"x"', ("x",)), ("3", ("3",)), ("1.5", ("1.5",)), ("true", ("true",)), ("null", ()), ("[]", ())],
)
def test_a_json_label_is_a_string_a_number_or_a_truth_value(write: Write, label: str, targets: tuple):
    assert pairs(write("a.jsonl", f'{{"text": "t", "label": {label}}}')) == [("t", targets)]


def test_a_json_label_may_be_a_list_of_strings(write: Write):
    assert pairs(write("a.jsonl", '{"text": "t", "labels": ["x, y", "z"]}')) == [("t", ("x, y", "z"))]


def test_json_fields_are_chosen_by_name(write: Write):
    source = write("a.jsonl", '{"text": "t", "q": "why", "a": "so"}', text_column="q", label_column="a")
    assert pairs(source) == [("why", ("so",))]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("{", "not valid JSON"),
        ("[1]", "a JSON list, expected an object"),
        ('{"text": "t", "text": "u"}', 'the key "text" occurs twice'),
        ('{"text": "t", "x": NaN}', "NaN is no JSON number"),
        ('{"text": "\\ud800"}', "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ('{"text": 1}', '"text" is no string'),
        ('{"b": "t"}', 'no field "text", the fields are b; use `data.text_column`'),
        ('{"text": "t", "label": {}}', '"label" is no label'),
        ('{"text": "t", "label": [1.5]}', '"label" is no label'),
    ],
)
def test_a_bad_json_row_is_an_error_with_its_location(write: Write, row: str, problem: str):
    message = failure(write("a.jsonl", f'{{"text": "t"}}\n{row}\n'))
    assert message.startswith("a.jsonl:2: ")
    assert problem in message


# fastText


@pytest.mark.parametrize(
    ("line", "text", "labels"),
    [
        ("__label__x __label__é the  word", "the  word", ("x", "é")),
        ("fine film __label__x", "fine film", ("x",)),
        ("__label__x fine __label__y film\t__label__z ", "fine film", ("x", "y", "z")),
        ("  no label ", "  no label ", ()),
        ("a__label__x __label__ b", "a__label__x __label__ b", ()),
        ("__label__x", "", ("x",)),
    ],
)
def test_fasttext_labels_are_labels_anywhere_and_never_words(
    write: Write, line: str, text: str, labels: tuple[str, ...]
):
    if text:
        assert pairs(write("a", f"{line}\n", format="fasttext")) == [(text, labels)]
    data = DataConfig(format="fasttext", tokenizer="char")
    field = source_field(data)
    field.fit([Record("abcdefghijklmnopqrstuvwxyz_ \t")])
    asked, plain = field.encode([Record(line), Record(text)])
    assert asked.ids.tolist() == plain.ids.tolist()


# Parallel files


def parallel(tmp_path: Path, source: str, target: str, **keys: bool) -> Source:
    (tmp_path / "seq.in").write_text(source)
    (tmp_path / "label").write_text(target)
    return Source((str(tmp_path / "seq.in"),), str(tmp_path / "label"), format="parallel", **keys)


def test_parallel_files_go_together_line_by_line(tmp_path: Path):
    assert pairs(parallel(tmp_path, "a b\nc\n", "x\ny")) == [("a b", ("x",)), ("c", ("y",))]


def test_a_blank_line_on_either_side_skips_both(tmp_path: Path):
    reader = read_records(parallel(tmp_path, "a\n\nc\nd\n", "w\nx\n\nz\n"))
    assert [(record.source, record.targets, record.line) for record in reader] == [
        ("a", ("w",), 1),
        ("d", ("z",), 4),
    ]
    assert reader.blank == 2


def test_a_multi_label_example_may_have_no_label(tmp_path: Path):
    source = parallel(tmp_path, "a\nb\n", "x,y\n\n", multi_label=True)
    assert pairs(source) == [("a", ("x", "y")), ("b", ())]


@pytest.mark.parametrize(("source", "target"), [(1000, 997), (3, 5), (0, 2)])
def test_parallel_files_of_unequal_length_are_an_error_with_both_counts(
    tmp_path: Path, source: int, target: int
):
    message = failure(parallel(tmp_path, "a\n" * source, "x\n" * target))
    counts = f"{tmp_path}/seq.in has {source} lines, {tmp_path}/label has {target}; "
    assert message.startswith(counts)


# Sources


def test_the_training_source_takes_every_key_of_the_configuration():
    data = DataConfig(
        train=("a", "b"),
        format="csv",
        text_column="t",
        label_column="2",
        header="yes",
        multi_label=True,
        label_separator=";",
        encoding_errors="replace",
    )
    expected = Source(
        ("a", "b"),
        format="csv",
        text_column="t",
        label_column="2",
        header="yes",
        multi_label=True,
        label_separator=";",
        encoding_errors="replace",
    )
    assert Source.training(data) == expected


def test_two_sides_make_a_parallel_source():
    data = DataConfig(source="s", target="t", valid_source="vs", valid_target="vt")
    assert Source.training(data) == Source(("s",), "t", format="parallel")
    assert Source.validation(data) == Source(("vs",), "vt", format="parallel")


def test_without_a_validation_file_there_is_no_validation_source():
    assert Source.validation(DataConfig(train=("a",))) is None


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({}, "nothing to train on"),
        ({"source": "s"}, "`data.source` and `data.target` go together"),
        ({"train": ("a",), "source": "s", "target": "t"}, "exclude each other"),
        ({"train": ("a",), "format": "parallel"}, "needs `data.source` and `data.target`"),
    ],
)
def test_an_unclear_training_source_is_a_usage_error(keys: dict, problem: str):
    with pytest.raises(UsageError, match=problem):
        Source.training(DataConfig(**keys))


def test_a_format_that_is_not_resolved_is_a_usage_error():
    with pytest.raises(UsageError, match=r"`data.format`"):
        read_records(Source(("a",)))


# Spooling


def test_spooled_stdin_can_be_read_twice_and_is_removed_at_exit():
    code = (
        "from seqrnn.data.formats.record_reader import read_records\n"
        "from seqrnn.data.source import Source, spool\n"
        "source = spool(Source(('-', '-'), format='lines'))\n"
        "assert spool(Source(('-', '-'), format='lines')) == source\n"
        "reader = read_records(source)\n"
        "print(source.paths[0], *[record.source for record in [*reader, *reader]])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], input=b"one\ntwo\n", capture_output=True, check=True)
    path, *texts = run.stdout.decode().split()
    assert texts == ["one", "two"] * 4
    assert Path(path).name == "stdin"
    assert not Path(path).parent.exists()


def test_a_fifo_is_spooled_and_a_regular_file_is_not(write: Write, tmp_path: Path):
    regular = write("a", "one\n", format="lines")
    os.mkfifo(tmp_path / "fifo")
    writer = threading.Thread(target=(tmp_path / "fifo").write_text, args=("two\n",))
    writer.start()
    spooled = spool(Source(("a", "fifo"), format="lines"))
    writer.join()
    assert spooled.paths[0] == regular.paths[0]
    assert pairs(spooled) == pairs(spooled) == [("one", ()), ("two", ())]


def test_a_missing_file_is_left_to_its_reader_to_report(write: Write, tmp_path: Path):
    assert failure(spool(Source((str(tmp_path / "absent"),), format="lines"))).startswith(
        f"{tmp_path}/absent: "
    )


@pytest.mark.parametrize(("name", "mark"), [("t.csv", ","), ("t.csv", ";"), ("t.tsv", "\t")])
def test_comments_at_the_top_of_a_table_are_no_rows(tmp_path, name, mark):
    path = tmp_path / name
    rows = f'# made by "hand, on Friday\n#\ntext{mark}label\n' + "".join(
        f"# {n} or so{mark}{'ab'[n % 2]}\n" for n in range(12)
    )
    path.write_text(rows, encoding="utf-8")
    found = infer(Source((str(path),)), None)
    assert (found.source.text_column, found.source.label_column) == ("text", "label")
    assert found.notes[0].endswith("comment lines before them: 2")
    records = list(read_records(found.source))
    assert (len(records), records[0].source, records[0].line) == (12, "# 0 or so", 4)


def test_a_header_may_begin_like_a_comment(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("#text,label\n" + "it is so,a\nit is not,b\n" * 6, encoding="utf-8")
    found = infer(Source((str(path),)), None)
    assert (found.source.text_column, found.source.label_column) == ("#text", "label")
