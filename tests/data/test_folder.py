"""Folders with a sub-folder a class: what of them is read, in which order, and what is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seqrnn.data.dataset.preparation_report import PartReport, PreparationReport
from seqrnn.data.fields.names import Location, UnknownName
from seqrnn.data.formats.folder_listing import list_folder, parts_of
from seqrnn.data.formats.record_reader import read_records
from seqrnn.data.source import Source
from seqrnn.errors import AmbiguousDataError, DataError
from seqrnn.inference import infer


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Two classes of three texts each, in a folder that messages call `films`."""
    monkeypatch.chdir(tmp_path)
    root = Path("films")
    for label in ("pos", "neg"):
        for number in (10, 2, 1):
            write(root / label / f"{number}.txt", f"{label} film\nnumber {number}\n")
    return root


def write(path: Path, content: str | bytes = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def records(path: Path, kind: str = "auto"):
    return list(read_records(Source((str(path),), format="folder", kind=kind)))


def test_a_file_is_an_example_and_its_folder_the_class(folder):
    first, second, *_ = records(folder)
    assert (first.source, first.targets, first.location) == (
        "neg film\nnumber 1",
        ("neg",),
        "films/neg/1.txt:1",
    )
    assert second.targets == ("pos",)


def test_each_class_is_read_in_turn_and_tables_are_sorted(folder):
    write(folder / "pos" / "3.txt")
    assert [record.path.removeprefix("films/") for record in records(folder)] == [
        *("neg/1.txt", "pos/1.txt", "neg/10.txt", "pos/10.txt", "neg/2.txt", "pos/2.txt", "pos/3.txt")
    ]
    assert list(list_folder("films").paths())[:4] == [
        *("films/neg/1.txt", "films/neg/10.txt", "films/neg/2.txt", "films/pos/1.txt")
    ]


def test_it_is_told_as_a_classification_whatever_the_classes_are_called(folder):
    for label, name in (("neg", "1"), ("pos", "2")):
        (folder / label).rename(folder / name)
    found = infer(Source((str(folder),)), None)
    assert (found.task, found.format, found.source_kind) == ("classification", "folder", "text")
    assert "folder: films holds 6 text files: 2 classes, 1 (3), 2 (3)" in found.notes


def test_what_is_left_out_is_told(folder):
    write(folder / "README")
    write(folder / "unsup" / "0.txt")
    write(folder / "neg" / ".hidden.txt")
    write(folder / "neg" / "notes.pdf")
    write(folder / "pos" / "old" / "9.txt")
    (folder / "neg" / "circle").symlink_to("..")
    (folder / "pos" / "self.txt").symlink_to("self.txt")
    (folder / "pos" / "nowhere.txt").symlink_to("missing.txt")
    os.mkfifo(folder / "pos" / "pipe.txt")
    (folder / "nothing").mkdir()
    listing = list_folder("films")
    assert {reason: names for reason, names in listing.left_out.items() if names} == {
        "no labels": ["unsup"],
        "folders without files of that kind": ["nothing"],
        "beside the folders of the classes": ["README"],
        "other kinds of files": ["neg/notes.pdf"],
        "folders in the folder of a class": ["neg/circle", "pos/old"],
        "no regular files": ["pos/nowhere.txt", "pos/pipe.txt", "pos/self.txt"],
        "hidden": ["neg/.hidden.txt"],
    }
    assert len(records(folder)) == 6
    assert "left out: unsup (no labels)" in listing.told()


def test_texts_need_no_extension_and_may_be_programs(tmp_path):
    for label, name in (("alt.atheism", "49960"), ("c", "a.c"), ("python", "a.py"), ("ham", "0001.7c53336b")):
        write(tmp_path / label / name)
    assert list_folder(str(tmp_path)).classes.keys() == {"alt.atheism", "c", "python", "ham"}


def test_images_are_told_from_texts(folder):
    for label in ("neg", "pos"):
        for number in range(20):
            write(folder / label / f"{number}.PNG")
    listing = list_folder("films")
    assert (listing.kind, len(list(listing.paths()))) == ("image", 40)
    assert infer(Source((str(folder),), kind="text"), None).source_kind == "text"


def test_as_many_texts_as_images_are_asked_for(folder):
    for label in ("neg", "pos"):
        write(folder / label / "1.jpg")
    with pytest.raises(AmbiguousDataError) as error:
        list_folder("films")
    assert error.value.readings == [{"data.source_kind": "text"}, {"data.source_kind": "image"}]
    assert len(records(folder, "text")) == 6


def test_the_parts_of_a_data_set_are_no_classes(folder):
    for part in ("train", "test", "val"):
        write(Path("data") / part / "pos" / "1.txt")
        write(Path("data") / part / "neg" / "1.txt")
    assert parts_of("data") == {"train": "train", "valid": "val", "test": "test"}
    with pytest.raises(
        DataError, match=r"data: holds the parts train and val and test .* such as data/train"
    ):
        list_folder("data")
    write(Path("vehicles") / "train" / "1.png")
    assert parts_of("vehicles") == {}


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (["a/x/1.txt", "b/x/1.txt"], r"folders of folders \(a/x, b/x\); .* such as data/a"),
        (["1.txt", "2.txt"], r"no sub-folder that names a class, but files \(1.txt, 2.txt\)"),
        (["a/1.pdf", "b/1.pdf"], "no texts, images or arrays"),
        ([], "no texts, images or arrays"),
    ],
)
def test_a_folder_without_examples_says_what_it_holds(tmp_path, monkeypatch, files, reason):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    for name in files:
        write(Path("data") / name)
    with pytest.raises(DataError, match=f"data: holds {reason}"):
        records(Path("data"))


def test_a_file_that_is_no_text_is_named(folder):
    write(folder / "pos" / "bad.txt", b"good\ncaf\xe9\n")
    with pytest.raises(DataError, match=r"films/pos/bad.txt:2:4: not UTF-8 .*`data.encoding=cp1252`"):
        records(folder)


def test_a_name_that_is_no_text_is_refused(folder):
    write(folder / os.fsdecode(b"caf\xe9") / "1.txt")
    with pytest.raises(DataError, match="not UTF-8; rename"):
        records(folder)


def test_empty_files_are_counted_and_long_ones_refused(folder, monkeypatch):
    write(folder / "pos" / "empty.txt", "")
    reader = read_records(Source(("films",), format="folder"))
    assert (len(list(reader)), reader.blank) == (6, 1)
    monkeypatch.setattr("seqrnn.data.formats.text_files.LINE_LIMIT", 10)
    with pytest.raises(DataError, match=r"films/neg/1.txt: a text of over 16 MiB"):
        records(folder)


def test_a_report_tells_the_location_of_a_file_in_a_folder():
    unknown = [
        UnknownName("meh", 1, Location("other/films/meh/1.txt", 1)),
        UnknownName("no", 1, Location("a.csv", 3)),
    ]
    report = PreparationReport(valid=PartReport(examples=2, unknown_names=unknown))
    for files in (["films/", "other/films/", "a.csv"], ["films", "other/films", "a.csv"]):
        again = PreparationReport.from_json(report.to_json(files), files)
        assert [name.location for name in again.valid.unknown_names] == [name.location for name in unknown]
