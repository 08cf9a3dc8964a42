"""Numbers in tables, in .npz files and in JSON lines."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.formats.records import answerable
from seqrnn.data.formats.registry import features_for, format_named
from seqrnn.data.source import Source
from seqrnn.errors import AmbiguousDataError, DataError, UsageError
from seqrnn.inference import infer


@pytest.fixture(autouse=True)
def _inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name, text, **keys):
    Path(name).write_text(text, encoding="utf-8")
    return Source((name,), **{"format": Path(name).suffix[1:], **keys})


def arrays(name="a.npz", save=np.savez, **named):
    save(name, **named)
    return Source((name,), format="npz")


def read(source):
    return [
        (np.asarray(record.steps).tolist(), record.targets, record.location)
        for record in read_records(source)
    ]


def failure(source, kind=DataError):
    with pytest.raises(kind) as error:
        list(read_records(source))
    message = str(error.value)
    assert "\n" not in message
    return message


# Tables


def test_rows_of_one_name_are_the_steps_of_a_series_in_whatever_order_they_come():
    table = "Series,x,y,Label\nb,1,2,up\nb,3,-4.5,up\n\na,5,6,down\nb,7,8,up\n"
    assert read(write("a.csv", table, kind="vectors")) == [
        ([[1, 2], [3, -4.5], [7, 8]], ("up",), "a.csv:2"),
        ([[5, 6]], ("down",), "a.csv:5"),
    ]


def test_a_row_without_a_series_is_a_series_of_single_numbers():
    assert read(write("a.tsv", "t1\tt2\tt3\tclass\n1\t2\t3\tup\n", kind="vectors")) == [
        ([[1], [2], [3]], ("up",), "a.tsv:2")
    ]


def test_a_row_is_one_vector_where_that_is_read():
    table = "x,y,kind\n7,1e2,ketch\n8,-1,barge\n"
    assert read(write("a.csv", table, kind="vector", label_column="kind")) == [
        ([[7, 100]], ("ketch",), "a.csv:2"),
        ([[8, -1]], ("barge",), "a.csv:3"),
    ]


@pytest.mark.parametrize("title", ["id", "Series", ""])
@pytest.mark.parametrize("names", ["01", ("s0", "s1")])
def test_what_names_a_row_is_no_feature(title, names):
    table = f"{title},a,b,label\n{names[0]},0.5,2,up\n{names[1]},1.5,3,down\n"
    assert read(write("a.csv", table, kind="vector")) == [
        ([[0.5, 2]], ("up",), "a.csv:2"),
        ([[1.5, 3]], ("down",), "a.csv:3"),
    ]


def test_an_index_without_a_name_is_no_step_of_a_series():
    table = ",series,x,label\n0,b,1,up\n1,b,2,up\n"
    assert read(write("a.csv", table, kind="vectors")) == [([[1], [2]], ("up",), "a.csv:2")]


def test_a_label_is_found_by_the_number_of_its_column_and_may_be_missing():
    assert read(write("a.csv", "a,b\n1,2\n", kind="vector", label_column="1")) == [([[2]], ("1",), "a.csv:2")]
    assert read(write("a.csv", "a,b\n1,2\n", kind="vector")) == [([[1, 2]], (), "a.csv:2")]
    assert read(write("a.csv", "", kind="vector")) == []


@pytest.mark.parametrize(
    ("table", "keys", "words"),
    [
        ("a,b\n1,two\n", {}, "a.csv:2: column 'b' holds 'two', which is no finite number; fix the row"),
        ("a,b\n1,\n", {}, "a.csv:2: column 'b' holds '', which is no finite number"),
        ("a,b\n1,nan\n", {}, "a.csv:2: column 'b' holds 'nan', which is no finite number"),
        ("a,b\n1,2\n1e999,2\n", {}, "a.csv:3: column 'a' holds '1e999', which is no finite number"),
        ("a,b\n1,2\n1\n", {}, "a.csv:3: 1 column, expected 2 (a, b); fix the row"),
        ("a,b\n1,2,3\n", {}, "a.csv:2: 3 columns, expected 2"),
        (
            "a,b\n1,2\n",
            {"label_column": "c"},
            'a.csv:1: no column "c", the columns are a, b; use `data.label_column`',
        ),
        ("a,b\n1,2\n", {"label_column": "3"}, "a.csv:1: no column 3, there are 2; use `data.label_column`"),
        (
            "a,label,Label\n1,x,y\n",
            {},
            'a.csv:1: two columns are named "label"; rename one, or use `data.label_column`',
        ),
        ('a,b\n"1,2\n', {}, "a.csv:2: not valid CSV"),
    ],
)
def test_a_table_that_is_none_of_numbers_is_told_with_its_location(table, keys, words):
    assert words in failure(write("a.csv", table, kind="vector", **keys))


def test_a_series_has_one_label():
    table = "id,x,label\n1,5,up\n1,6,up\n1,7,down\n"
    message = failure(write("a.csv", table, kind="vectors"))
    assert message == "a.csv:4: another label than line 2 of the same series; give one label a series"


# Decimal commas and thousands


def numbers(text, name="a.csv", **keys):
    """Return the steps of the rows of a table whose column `label` is the label."""
    return [steps[0] for steps, _, _ in read(write(name, text, kind="vector", header="yes", **keys))]


def many(first, second, count=20):
    """Return rows of two columns in which a number recurs, with labels."""
    return f"{first};{second};x\n" * count


@pytest.mark.parametrize("bad", ["n/a", "", "1,2,3", "0,5x"])
@pytest.mark.parametrize("chosen", [(), ("a", "b")])
def test_one_bad_cell_leaves_the_decimal_commas_of_the_others(bad, chosen):
    table = "a;b;label\n" + many("0,5", "1,25", 12) + f"{bad};2,5;x\n"
    message = failure(write("a.csv", table, kind="vector", feature_columns=chosen))
    assert message.startswith(f"a.csv:14: column 'a' holds {bad!r}, which is no finite number")


def test_columns_that_are_known_to_hold_numbers_are_read_however_few_cells_do():
    table = "a;b;label\nn/a;0,5;x\nNA;0,5;y\n1,5;0,5;y\n"
    source = write("a.csv", table, kind="vector", feature_columns=("a", "b"))
    rows = answerable(format_named("csv").table("a.csv", source, source.lines), "a", source)
    assert [record and record.steps for _, record in rows] == [None, None, [[1.5, 0.5]]]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("537;0,5;x\n1.018;1,5;x\n", [[537, 0.5], [1018, 1.5]]),
        ("1.234,5;1;x\n0,25;2;x\n-1.234.567,5;3;x\n", [[1234.5, 1], [0.25, 2], [-1234567.5, 3]]),
        ("0,5;1;x\n0.25;2;x\n0,75;3;x\n", [[0.5, 1], [0.25, 2], [0.75, 3]]),
        ("0.5;1.018;x\n1.5;2;x\n", [[0.5, 1.018], [1.5, 2]]),
        ("0.5;1,018;x\n1.5;2;x\n", [[0.5, 1018], [1.5, 2]]),
        ("1.018;1.125;x\n2.018;537;x\n", [[1.018, 1.125], [2.018, 537]]),
        ("0,5;0.123;x\n1,5;1.018;x\n", [[0.5, 0.123], [1.5, 1.018]]),
        ("1,5e3;-2,5;x\n+1,5;3;x\n", [[1500, -2.5], [1.5, 3]]),
    ],
)
@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ";"), ("a.tsv", "\t"), ("a.csv", "|")])
def test_marks_of_which_the_file_shows_the_meaning_are_read(rows, expected, name, delimiter):
    assert numbers(f"a;b;label\n{rows}".replace(";", delimiter), name) == expected


def test_commas_in_quotes_are_read_like_others():
    assert numbers('a,b,label\n"1,5","0,11",x\n"0,5",2,y\n') == [[1.5, 0.11], [0.5, 2]]
    rows = '537,0.5,x\n"347,000",1.5,x\n"1,347,000.25",2,x\n'
    assert numbers(f"a,b,label\n{rows}") == [[537, 0.5], [347000, 1.5], [1347000.25, 2]]


@pytest.mark.parametrize("later", ["1,5", "1.234,5"])
def test_a_fraction_after_many_whole_numbers_is_read(later):
    expected = float(later.replace(".", "").replace(",", "."))
    assert numbers("a;b;label\n" + many(7, 8, 1200) + f"{later};8;x\n")[-1] == [expected, 8]


def test_a_comma_after_many_whole_numbers_that_may_be_between_thousands_is_an_error():
    message = failure(write("a.csv", "a;b;label\n" + many(7, 8, 1200) + "1,018;8;x\n", kind="vector"))
    assert message.startswith("a.csv:1202: column 'a' holds '1,018', which is no finite number")


@pytest.mark.parametrize(
    ("rows", "cell"),
    [
        ("1,018;2;x\n537;3;y\n", "1,018"),
        ("0,5;1200;x\n1,5;1.018;y\n", "1.018"),
        ("0,5;0.5;x\n1,5;2.5;y\n0,25;1.5;y\n", ""),
    ],
)
def test_a_number_of_two_readings_is_asked_about(rows, cell):
    source = write("a.csv", "a;b;label\n" + rows * 10)
    if not cell:
        assert infer(source, None).source_kind == "vector"
        return
    with pytest.raises(AmbiguousDataError, match=f"holds '{cell}', which may be 1018 or 1.018;") as error:
        infer(source, None)
    assert error.value.readings == [{"data.decimal_mark": "point"}, {"data.decimal_mark": "comma"}]
    for reading in error.value.readings:
        found = infer(replace(source, decimal_mark=reading["data.decimal_mark"]), None)
        read_as = {step for record in read_records(found.source) for step in record.steps[0]}
        is_point = reading["data.decimal_mark"] == "point"
        assert ({1018, 1.018} & read_as) == {1018 if ("," in cell) == is_point else 1.018}
    message = failure(replace(source, kind="vector"))
    assert f"holds '{cell}', which may be 1018 or 1.018; write it without a mark" in message


def test_a_cell_of_two_readings_in_a_column_with_both_marks_is_an_error():
    message = failure(write("a.csv", "a;label\n0,5;x\n0,6;x\n0.25;x\n1.018;x\n", kind="vector"))
    assert message.startswith("a.csv:5: column 'a' holds '1.018', which may be 1018 or 1.018;")


def test_a_comma_that_may_be_between_labels_is_asked_about():
    table = "text,label\n" + 'good film,"1,2"\nbad film,3\nno film,"2,3"\n' * 10
    with pytest.raises(AmbiguousDataError, match="is that a number, or two labels") as error:
        infer(write("a.csv", table), None)
    assert error.value.readings == [{"data.decimal_mark": "comma"}, {"data.multi_label": "true"}]
    first = next(iter(read_records(write("a.csv", table, multi_label=True))))
    assert first.targets == ("1", "2")


def test_marks_between_thousands_are_said_and_kept_for_answers():
    found = infer(write("a.csv", "a;b;label\n" + "537;0,5;x\n1.018;1,5;y\n" * 10), None)
    assert "; with a mark between thousands: a (1.018)" in found.notes[0]
    assert found.settings["data.decimal_mark"] == "comma"
    Path("a.csv").write_text("a;b;label\n1,018;2,125;x\n")
    assert [record.steps for record in read_records(found.source)] == [[[1.018, 2.125]]]
    Path("a.csv").write_text("a;b;label\n0.5;2.125;x\n")
    assert [record.steps for record in read_records(found.source)] == [[[0.5, 2.125]]]


# Arrays


def test_arrays_hold_series_of_any_length_and_their_labels():
    x = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    lengths = np.array([4, 1, 2])
    source = arrays(x=x, y=np.array(["b", "a", "b"]), lengths=lengths)
    assert read(source) == [
        (x[row, : lengths[row]].tolist(), (label,), f"a.npz:{row + 1}") for row, label in enumerate("bab")
    ]


def test_a_matrix_holds_one_vector_a_row_and_numbers_need_not_be_floats():
    source = arrays(save=np.savez_compressed, x=np.array([[1, 2], [3, 4]]), y=np.array([0.5, 2], np.float32))
    assert read(source) == [([[1, 2]], ("0.5",), "a.npz:1"), ([[3, 4]], ("2.0",), "a.npz:2")]


@pytest.mark.parametrize(("x", "y"), [("X", "y"), ("x", "Y"), ("data", "target")])
@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_the_names_of_scikit_learn_and_a_column_of_labels_are_known(x, y, shape):
    source = arrays(**{x: np.array([[1, 2], [3, 4]]), y: np.array([5, 6]).reshape(shape), "other": X})
    assert read(source) == [([[1, 2]], ("5",), "a.npz:1"), ([[3, 4]], ("6",), "a.npz:2")]


def test_a_single_array_has_no_labels():
    np.save("a.npy", np.ones((2, 3, 1)))
    assert read(Source(("a.npy",), format="npz")) == [
        ([[1]] * 3, (), "a.npy:1"),
        ([[1]] * 3, (), "a.npy:2"),
    ]


def test_a_series_without_steps_is_passed_over_and_counted():
    reader = read_records(arrays(x=np.ones((2, 3, 1)), lengths=np.array([0, 3])))
    assert [record.line for record in reader] == [2]
    assert reader.blank == 1


X = np.ones((2, 3, 1))


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"x": np.ones(3)}, "no array x of vectors"),
        ({"x": np.ones((1, 1, 1, 1))}, "no array x of vectors"),
        ({"x": np.array([["a"]])}, "no array x of vectors"),
        ({"x": np.array([[True]])}, "no array x of vectors"),
        ({"x": np.array([[1j]])}, "no array x of vectors"),
        ({"z": X}, "no array x of vectors among its arrays (z)"),
        ({"x_train": X, "y_train": np.ones(2)}, "no array x of vectors among its arrays (x_train, y_train)"),
        ({"x": X, "X": X}, "two arrays that may be x, x and X; keep one of them"),
        ({"x": X, "y": np.ones(3)}, "array y is of shape (3,), and there are 2 examples"),
        ({"x": X, "y": np.float32(3)}, "array y is of shape (), and there are 2 examples"),
        ({"x": X, "y": np.ones((2, 3))}, "array y has the shape (2, 3), and each example has one label"),
        ({"x": X, "lengths": np.ones(1, int)}, "array lengths is of shape (1,), and there are 2 examples"),
        ({"x": X, "lengths": np.array([3, 4])}, "a.npz:2: the length 4 is none of 0 to 3"),
        ({"x": X, "lengths": np.array([-1, 3])}, "a.npz:1: the length -1 is none of 0 to 3"),
        ({"x": X, "lengths": np.array([1.5, 3])}, "a.npz:1: the length 1.5 is none of 0 to 3"),
    ],
)
def test_arrays_of_other_shapes_are_refused(named, words):
    message = failure(arrays(**named))
    assert words in message
    assert message.startswith("a.npz:")
    assert "; " in message


@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
def test_a_file_of_arrays_that_is_not_there_is_told_as_any_other(name):
    message = failure(Source((name,), format="npz"))
    assert message == f"{name}: No such file or directory; give a file that exists and can be read"


def pickled():
    np.savez("a.npz", x=np.array([[{"a": 1}]], dtype=object))


def truncated():
    np.savez("a.npz", x=X)
    Path("a.npz").write_bytes(Path("a.npz").read_bytes()[:-30])


def flipped():
    np.savez_compressed("a.npz", x=np.random.default_rng(1).random((20, 20)))
    content = bytearray(Path("a.npz").read_bytes())
    content[1000:1100] = bytes(100)
    Path("a.npz").write_bytes(content)


def foreign():
    with zipfile.ZipFile("a.npz", "w") as file:
        file.writestr("x.npy", b"no array at all")


def text():
    Path("a.npz").write_text("x,y\n1,2\n")


def empty():
    Path("a.npz").write_bytes(b"")


def cut():
    np.save("a.npz", np.ones((50, 50)))
    Path("a.npz.npy").rename("a.npz")
    Path("a.npz").write_bytes(Path("a.npz").read_bytes()[:500])


@pytest.mark.parametrize("damage", [pickled, truncated, flipped, foreign, text, empty, cut])
def test_a_file_that_holds_no_arrays_is_refused_and_nothing_in_it_is_run(damage):
    damage()
    message = failure(Source(("a.npz",), format="npz"))
    assert message.startswith("a.npz: no array")
    assert "numpy.savez" in message


def test_an_absent_file_is_told():
    assert failure(Source(("a.npz",), format="npz")).startswith("a.npz: No such file")


# JSON lines


@pytest.mark.parametrize(
    ("row", "kind", "steps"),
    [
        ({"vectors": [[1, 2], [3, 4]]}, "vectors", [[1, 2], [3, 4]]),
        ({"vectors": [1, 2]}, "vectors", [[1], [2]]),
        ({"vectors": [1, 2]}, "auto", [[1], [2]]),
        ({"vector": [1, 2]}, "vector", [[1, 2]]),
        ({"vector": [1, 2]}, "auto", [[1, 2]]),
        ({"notes": [[60], [], [62, 64]]}, "notes", [[60], [], [62, 64]]),
        ({"notes": [60, 64]}, "notes", [[60, 64]]),
        ({"vector": [9], "vectors": [[1]]}, "vectors", [[1]]),
    ],
)
def test_a_field_of_numbers_becomes_steps(row, kind, steps):
    source = write("a.jsonl", json.dumps({**row, "label": "x"}) + "\n", kind=kind)
    (record,) = read_records(source)
    assert (record.steps, record.targets, record.source) == (steps, ("x",), "")


def test_a_field_of_another_name_can_be_named():
    line = json.dumps({"series": [1, 2], "label": "x"}) + "\n"
    for kind, steps in (("vectors", [[1], [2]]), ("vector", [[1, 2]])):
        (record,) = read_records(write("a.jsonl", line, kind=kind, text_column="series"))
        assert record.steps == steps


def test_objects_without_steps_are_passed_over_and_counted():
    reader = read_records(write("a.jsonl", '{"vectors": []}\n\n{"vectors": [[1]]}\n', kind="vectors"))
    assert [record.line for record in reader] == [3]
    assert reader.blank == 2


@pytest.mark.parametrize("row", ['{"a": 1}', '{"vectors": "1 2"}', '{"vectors": ["a", 1]}', '{"vectors": 3}'])
def test_an_object_without_numbers_is_told_with_its_location(row):
    message = failure(write("a.jsonl", row + "\n", kind="vectors"))
    assert message == 'a.jsonl:1: no numbers in the field "vectors"; name it with `data.text_column`'


def test_words_are_read_as_a_text_where_nothing_was_said():
    (record,) = read_records(write("a.jsonl", '{"tokens": ["a", "b"], "vector": ["x"]}\n'))
    assert (record.source, record.steps) == ("a b", None)


# What is learnt from them


def objects(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


LABELLED = [{"vectors": [[i, 1], [2, i]], "label": "ab"[i % 2]} for i in range(20)]
SINGLE = [{"vectors": [[i, 1]], "label": "ab"[i % 2]} for i in range(20)]
VECTOR = [{"vector": [i, 1], "label": "ab"[i % 2]} for i in range(20)]
NUMBERS = [{"vectors": [[i], [1]], "label": i * 0.37} for i in range(20)]
NOTES = [{"notes": [[60, i], [62]]} for i in range(20)]


@pytest.mark.parametrize(
    ("rows", "task", "kind"),
    [
        (LABELLED, "classification", "vectors"),
        (SINGLE, "classification", "vectors"),
        (VECTOR, "classification", "vector"),
        (NUMBERS, "regression", "vectors"),
        (NOTES, "polyphony", "notes"),
        ([{**row, "label": "ab"[i % 2]} for i, row in enumerate(NOTES)], "classification", "notes"),
    ],
)
def test_the_task_is_told_from_the_numbers(rows, task, kind):
    found = infer(write("a.jsonl", objects(rows), format="auto"), None)
    assert (found.task, found.format, found.source_kind) == (task, "jsonl", kind)
    assert found.reason.startswith(f"{task}: a.jsonl (read as jsonl) holds")


def test_a_field_that_was_named_is_one_vector_or_several_by_what_it_holds():
    for row, kind in (([1, 2], "vector"), ([[1], [2]], "vectors")):
        rows = [{"z": row, "label": "ab"[i % 2]} for i in range(4)]
        found = infer(write("a.jsonl", objects(rows), format="auto", text_column="z"), None)
        assert found.source_kind == kind


@pytest.mark.parametrize("layout", ["auto", "npz"])
def test_arrays_are_known_by_their_extension_or_by_the_users_word(layout):
    np.savez("a.npz", x=np.ones((9, 2, 1)), y=np.arange(9) / 7)
    found = infer(Source(("a.npz",), format=layout), None)
    assert (found.task, found.format, found.source_kind) == ("regression", "npz", "vectors")
    Path("a.npz").rename("a.dat")
    assert infer(Source(("a.dat",), format="npz"), None).format == "npz"


def test_a_table_of_numbers_is_one_where_that_is_said():
    rows = "".join(f"{i},{i * i},{'ab'[i % 2]}\n" for i in range(9))
    found = infer(write("a.csv", "x,y,label\n" + rows, format="auto", kind="vector"), None)
    assert (found.task, found.format, found.source_kind) == ("classification", "csv", "vector")


def test_numbers_without_labels_name_the_flag():
    with pytest.raises(
        UsageError, match=r"a\.jsonl \(read as jsonl\) holds numbers without labels; .*`data.label_column`"
    ):
        infer(write("a.jsonl", objects([{"vectors": [[1]]}]), format="auto"), None)


@pytest.mark.parametrize("task", ["language-model", "tagging"])
def test_a_task_of_texts_does_not_take_numbers(task):
    with pytest.raises(UsageError, match=f"`task={task}`: reads texts, but a.jsonl holds numbers"):
        infer(write("a.jsonl", objects(LABELLED), format="auto"), task)


@pytest.mark.parametrize("header", ["t{}", "{}", "day {}"])
def test_a_row_is_a_series_where_the_columns_are_its_steps(tmp_path, header):
    first = 1990 if header == "{}" else 0
    names = [header.format(first + step) for step in range(8)]
    rows = [[f"r{n}", "ab"[n % 2], *(str(n + 2 * step) for step in range(8))] for n in range(30)]
    path = tmp_path / "wide.csv"
    path.write_text("\n".join(",".join(row) for row in [["id", "label", *names], *rows]), encoding="utf-8")
    found = infer(Source((str(path),)), None)
    assert (found.task, found.source_kind) == ("classification", "vectors")
    assert "each row is a series" in found.notes[0]
    record = list(read_records(found.source))[3]
    assert (record.steps, record.targets) == ([[3.0 + 2 * step] for step in range(8)], ("b",))


def test_numbers_that_count_columns_are_their_names_and_no_steps(tmp_path):
    rows = [[*(str(n * step % 7) for step in range(6)), "ab"[n % 2]] for n in range(30)]
    path = tmp_path / "array.csv"
    path.write_text("\n".join(",".join(row) for row in [[*"012345", "class"], *rows]), encoding="utf-8")
    found = infer(Source((str(path),)), None)
    assert (found.source_kind, found.source.header, found.source.label_column) == ("vector", "yes", "class")
    assert len(list(read_records(found.source))) == 30


@pytest.mark.parametrize("layout", ["jsonl", "json"])
def test_objects_that_name_their_numbers_are_a_table(layout):
    rows = [{"a": i % 3 + 0.5, "b": i / 7, "kind": f"k{i % 3}"} for i in range(60)]
    text = objects(rows) if layout == "jsonl" else json.dumps(rows)
    source = write(f"a.{layout}", text, format="auto")
    found = infer(source, None)
    assert (found.task, found.format, found.source_kind) == ("classification", layout, "vector")
    assert (found.source.feature_columns, found.source.label_column) == (("a", "b"), "kind")
    assert read(found.source)[1][:2] == ([[1.5, 1 / 7]], ("k1",))


def test_objects_may_be_the_steps_of_series():
    rows = [{"id": f"s{i % 20}", "time": 9 - i // 20, "x": i, "label": "ab"[i % 2]} for i in range(60)]
    found = infer(write("a.jsonl", objects(rows), format="auto"), None)
    source = found.source
    assert (found.source_kind, source.series_column, source.time_column) == ("vectors", "id", "time")
    assert read(found.source)[1][:2] == ([[41], [21], [1]], ("b",))


NAMED = {"format": "jsonl", "kind": "vector", "feature_columns": ("a", "b"), "label_column": "c"}


@pytest.mark.parametrize(
    ("row", "keys", "words"),
    [
        ({"a": 1, "c": "x"}, {}, 'no field "b", the fields are a, c; add it, or leave the row out'),
        ({"a": 1, "b": None, "c": "x"}, {}, "column 'b' holds '', which is no finite number"),
        ({"a": 1, "b": True, "c": "x"}, {}, "column 'b' holds 'True', which is no finite number"),
        ({"a": 1, "b": 2}, {}, 'no field "c", the fields are a, b; add it'),
        ({"z": 1, "c": "x"}, {}, 'no numbers in the fields "a", "b"; give one in each, or a list of them in'),
        (
            {"a": 1, "b": 2, "c": "x"},
            {"kind": "vectors", "series_column": "id"},
            'no field "id", the fields are a, b, c; add it',
        ),
        (
            {"a": 1, "b": 2, "c": "x", "id": ["s"]},
            {"kind": "vectors", "series_column": "id"},
            '"id" holds no name of a series; give a string or a number',
        ),
    ],
)
def test_an_object_without_one_of_the_fields_is_told(row, keys, words):
    assert failure(write("a.jsonl", objects([row]), **{**NAMED, **keys})).startswith(f"a.jsonl:1: {words}")


def test_a_list_of_the_kind_may_stand_for_the_fields():
    source = write("a.jsonl", objects([{"vector": [1, 2], "c": "x"}, {"b": 4, "a": 3, "c": "y"}]), **NAMED)
    assert [row[0] for row in read(source)] == [[[1, 2]], [[3, 4]]]


@pytest.mark.parametrize(
    ("trained", "layout", "text_column", "found"),
    [
        ("csv", "jsonl", None, ()),
        ("json", "jsonl", None, ("2", "3")),
        ("csv", "tsv", None, ("2", "3")),
        ("csv", "jsonl", "z", ()),
    ],
)
def test_columns_that_numbers_name_are_those_of_files_that_number_them_alike(
    trained, layout, text_column, found
):
    assert features_for(("2", "3"), trained, layout, text_column) == found


def test_fields_that_numbers_name_are_not_taken_for_the_numbers_of_columns():
    with pytest.raises(UsageError, match="the fields 2, 3 are no names that a csv file could have"):
        features_for(("2", "3"), "jsonl", "csv", None)


MELODY = {"notes": [60, 62, 60]}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"notes": [60, 64]}, MELODY], "a.jsonl:2: [60, 62, 60] would be one chord, whose notes are in"),
        ([{**MELODY, "label": "ab"[i % 2]} for i in range(9)], "a.jsonl:1: [60, 62, 60] would be one chord"),
        ([{"notes": [60, 64]}] * 9, "a.jsonl: no row has a second step, so there is nothing to learn; write"),
        ([{"notes": [[64, 60]]}] * 9, "a.jsonl: no row has a second step"),
    ],
)
def test_a_melody_is_not_read_as_chords_of_which_nothing_is_learnt(rows, words):
    with pytest.raises(DataError) as error:
        infer(write("a.jsonl", objects(rows), format="auto"), None)
    assert str(error.value).startswith(words)
    assert "such as [[60], [62, 64]]" in str(error.value)


def test_chords_may_be_classified():
    rows = [{"notes": [60, 64 - i % 2], "label": "ab"[i % 2]} for i in range(9)]
    assert infer(write("a.jsonl", objects(rows), format="auto"), None).task == "classification"


def test_a_series_may_bear_several_labels():
    named = [["up"], ["down", "loud"], ["up", "loud"]]
    rows = [{"vectors": [[i, 1]] * (3 + i % 2), "labels": named[i % 3]} for i in range(60)]
    found = infer(write("a.jsonl", objects(rows), format="auto"), None)
    source = found.source
    assert (found.task, found.source_kind, source.label_column) == ("classification", "vectors", "labels")
    assert source.multi_label
    assert read(found.source)[1][1] == ("down", "loud")


def test_labels_of_steps_are_not_taken_for_those_of_a_series():
    rows = [{"vectors": [[i, 1]] * (1 + i % 3), "labels": ["a", "b", "a"][: 1 + i % 3]} for i in range(60)]
    source = write("a.jsonl", objects(rows), format="auto")
    with pytest.raises(UsageError, match=r"numbers have no labels a step; give `data\.multi_label=true` if"):
        infer(source, None)
    source = write("a.jsonl", objects(rows), format="auto", multi_label=True)
    assert infer(source, None, {"data.multi_label"}).task == "classification"


def test_lists_of_many_lengths_are_series_and_of_one_but_for_slips_vectors():
    for most, kind in ((4, "vectors"), (1, "vector")):
        rows = [{"z": [0.5] * (3 + i % most), "label": "ab"[i % 2]} for i in range(60)]
        rows[7]["z"] = [0.5]
        assert infer(write("a.jsonl", objects(rows), format="auto"), None).source_kind == kind


@pytest.mark.parametrize("keys", [{"kind": "vectors"}, {"kind": "vectors", "text_column": "vector"}])
def test_a_field_named_vector_may_be_read_as_series(keys):
    rows = [{"vector": [0.5] * (3 + i % 4), "label": "ab"[i % 2]} for i in range(60)]
    found = infer(write("a.jsonl", objects(rows), format="auto", **keys), None)
    assert (found.source_kind, found.source.text_column) == ("vectors", "vector")
    assert read(found.source)[0][0] == [[0.5]] * 3
