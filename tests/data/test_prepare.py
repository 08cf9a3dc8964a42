from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqrnn.config import DataConfig
from seqrnn.data.dataset.building import encode_part
from seqrnn.data.dataset.columns import Dataset
from seqrnn.data.dataset.preparation_report import PartReport, PreparationReport
from seqrnn.data.dataset.prepare import PreparedData, prepare
from seqrnn.data.fields.field import Field, LabelField, TextField
from seqrnn.data.fields.names import NamesField
from seqrnn.data.fields.source_kind import source_field
from seqrnn.data.source import Source
from seqrnn.data.text.tokenizer import TokenizerSettings
from seqrnn.errors import DataError, OutputError


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEQRNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def rows(tmp_path: Path, lines: list[str], name: str = "train.tsv") -> str:
    file = tmp_path / name
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(file)


def pairs(count: int) -> list[str]:
    return [f"word{i} text\t{'ab'[i % 2]}" for i in range(count)]


def classify(path: str, seed: int = 1, **settings: Any) -> PreparedData:
    data = DataConfig(train=(path,), **{"format": "tsv", **settings})
    fields: list[Field] = [TextField("source", TokenizerSettings.of(data)), LabelField("label", False)]
    return prepare(data, fields, seed)


def model_text(path: str, **settings: Any) -> PreparedData:
    data = DataConfig(train=(path,), format="text", tokenizer="char", **settings)
    return prepare(data, [TextField("text", TokenizerSettings.of(data), stream=True)], seed=1)


def words(prepared: PreparedData, part: str) -> list[str]:
    tokenizer = prepared.fields[0].tokenizer  # type: ignore[attr-defined]
    column = getattr(prepared, part)[prepared.fields[0].name]
    return [tokenizer.decode(ids) for ids in np.split(column.values, column.offsets[1:-1])]


def test_examples_become_columns_of_words_and_labels(tmp_path: Path) -> None:
    prepared = classify(rows(tmp_path, ["red cat\tx", "", "blue dog\ty"]), valid_fraction=0)
    assert words(prepared, "train") == ["red cat", "blue dog"]
    assert prepared.train["label"].values.tolist() == [0, 1]
    assert prepared.valid is None
    assert prepared.report.blank == 1
    assert prepared.report.rows == 3


def test_the_random_part_is_disjoint_complete_and_of_the_asked_size(tmp_path: Path) -> None:
    path = rows(tmp_path, pairs(2000))
    prepared = classify(path, valid_fraction=0.25)
    train, valid = prepared.train["label"], prepared.valid["label"]  # type: ignore[index]
    assert len(train) + len(valid) == 2000
    assert 400 < len(valid) < 600
    # Words are learned on the training part, so the numbered word of a held-out example is unknown.
    assert prepared.report.valid.unknown == len(valid)
    assert prepared.report.valid.unknown_share == 0.5
    assert prepared.report.train.unknown == 0


def test_the_seed_decides_which_examples_are_held_out(tmp_path: Path, root: Path) -> None:
    path = rows(tmp_path, pairs(200))
    first, other = words(classify(path), "train"), words(classify(path, seed=2), "train")
    for entry in root.iterdir():
        entry.rename(tmp_path / entry.name)
    assert words(classify(path), "train") == first
    assert other != first


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5])
def test_the_last_part_of_a_text_is_held_out_at_the_nearest_line_boundary(
    tmp_path: Path, fraction: float
) -> None:
    lines = ["x" * ((i * 7) % 23) for i in range(50)]
    prepared = model_text(rows(tmp_path, lines, "text.txt"), valid_fraction=fraction)
    text = "".join(f"{line}\n" for line in lines)
    train = "".join(words(prepared, "train"))
    assert train + "".join(words(prepared, "valid")) == text
    cut = len(text) * (1 - fraction)
    boundaries = [i + 1 for i, character in enumerate(text) if character == "\n"]
    assert abs(len(train) - cut) == min(abs(boundary - cut) for boundary in boundaries)


def test_a_validation_file_replaces_the_split(tmp_path: Path) -> None:
    valid = rows(tmp_path, ["new cat\tb"], "valid.tsv")
    prepared = classify(rows(tmp_path, pairs(50)), valid=(valid,))
    assert len(prepared.train) == 50
    assert prepared.valid is not None
    assert prepared.valid["label"].values.tolist() == [1]


def names_of(prepared: PreparedData) -> NamesField:
    field = prepared.fields[1]
    assert isinstance(field, NamesField)
    return field


def test_an_unknown_label_of_the_validation_file_is_told_with_its_number_and_first_line(
    tmp_path: Path,
) -> None:
    train, copy = rows(tmp_path, pairs(10)), rows(tmp_path, pairs(10), "copy.tsv")
    lines = ["cat\ta", "cat\tc", "cat\td", "cat\tc"]
    for path, name in (
        (train, "valid.tsv"),
        (train, "valid.tsv"),
        (copy, "other.tsv"),
    ):
        prepared = classify(path, valid=(rows(tmp_path, lines, name),))
        assert prepared.valid is not None
        assert prepared.valid["label"].values.tolist() == [0, 2, 3, 2]
        assert names_of(prepared).names == ["a", "b", "c", "d"]
        assert prepared.report.lines()[2] == (
            "validation: 3 labels that training did not have, counted as wrong: "
            f"'c' (2, first at {tmp_path / name}:2), 'd' (1, first at {tmp_path / name}:3)"
        )


def test_a_label_that_only_the_held_out_part_has_is_unknown(tmp_path: Path) -> None:
    path = rows(tmp_path, [f"{line[:-1]}{i}" for i, line in enumerate(pairs(40))])
    prepared = classify(path, valid_fraction=0.5)
    assert prepared.valid is not None
    field = names_of(prepared)
    assert len(field.known) == len(prepared.train)
    assert len(field.unknown) == len(prepared.valid)
    assert len(field.names) == 40
    assert (prepared.valid["label"].values >= len(field.known)).all()


def test_names_of_examples_that_were_skipped_are_not_counted(tmp_path: Path) -> None:
    valid = rows(tmp_path, ["cat cat cat\tc", "cat\td"], "valid.tsv")
    prepared = classify(rows(tmp_path, pairs(10)), valid=(valid,), max_tokens=2, over_length="skip")
    assert names_of(prepared).names == ["a", "b", "c", "d"]
    assert [(each.name, each.times) for each in prepared.report.valid.unknown_names] == [("c", 0), ("d", 1)]
    assert "'c'" not in prepared.report.lines()[2]


LONG = ["a b c d e\tx", "a b\ty", "a b c\tx"]


def test_examples_that_are_too_long_are_cut_and_counted(tmp_path: Path) -> None:
    prepared = classify(rows(tmp_path, LONG), max_tokens=3, valid_fraction=0)
    assert words(prepared, "train") == ["a b c", "a b", "a b c"]
    assert prepared.report.lines() == [
        "training: 3 examples, 8 tokens, 1 cut to 3 tokens",
        "validation: none",
    ]


def test_examples_that_are_too_long_are_skipped_where_asked(tmp_path: Path) -> None:
    prepared = classify(rows(tmp_path, LONG), max_tokens=3, over_length="skip", valid_fraction=0)
    assert words(prepared, "train") == ["a b", "a b c"]
    assert prepared.train["label"].values.tolist() == [1, 0]
    assert prepared.report.lines()[0] == "training: 2 examples, 5 tokens, 1 skipped as longer than 3 tokens"


def test_an_example_that_is_too_long_is_named_where_asked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.tsv:1: longer than `data.max_tokens`; .*`data.over_length"):
        classify(rows(tmp_path, LONG), max_tokens=3, over_length="error")


def test_nothing_left_shows_what_was_seen(tmp_path: Path) -> None:
    path = rows(tmp_path, ["text\tlabel", *LONG])  # of which the header is no example
    with pytest.raises(
        DataError, match=r"3 examples are longer than `data.max_tokens`, such as 'a b c d e'; raise"
    ):
        classify(path, max_tokens=1, over_length="skip", valid_fraction=0)
    with pytest.raises(DataError, match=r"all 2 rows are without text, such as ' \\tx'"):
        classify(rows(tmp_path, [" \tx", " \ty"]), header="no")
    with pytest.raises(DataError, match="is empty"):
        classify(rows(tmp_path, []))
    with pytest.raises(DataError, match=r"every example was held out; lower `data.valid_fraction`"):
        classify(rows(tmp_path, pairs(2)), valid_fraction=0.999)


@pytest.mark.parametrize(("examples", "warned"), [(23, True), (24, False)])
def test_a_validation_that_says_little_is_warned_of(examples: int, warned: bool) -> None:
    report = PreparationReport(PartReport(100), PartReport(examples))
    advice = "give more with `data.valid` or `data.valid_fraction`, or measure with `folds`"
    said = f"warning: 23 examples to validate on say little; {advice}"
    assert (report.lines()[-1] == said) == warned
    report.unit = "line"  # of one text, whose tokens count
    assert said not in report.lines()
    assert said not in PreparationReport(PartReport(9)).lines()
    nothing_left = PreparationReport(PartReport(9), divided=True).lines()[-1]
    assert nothing_left == f"warning: nothing is left to validate on; {advice.replace('more', 'some')}"
    text = PreparationReport(PartReport(1), unit="line", divided=True).lines()[-1]
    assert "nothing is left to validate on, since a text is divided between lines; break long ones" in text


def test_blank_lines_and_replaced_bytes_are_told(tmp_path: Path) -> None:
    file = tmp_path / "train.tsv"
    file.write_bytes(b"a\xff b\tx\n\nc\ty\n")
    report = classify(str(file), encoding_errors="replace", valid_fraction=0).report
    assert report.lines()[2:] == [
        "1 blank row skipped, whose line or text is empty",
        "1 byte not UTF-8, replaced by U+FFFD",
    ]


def test_the_same_content_is_prepared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = classify(rows(tmp_path, pairs(50)))
    monkeypatch.setattr(LabelField, "settle", None)  # a call would fail
    again = classify(rows(tmp_path, pairs(50), "copy.tsv"))
    assert words(again, "train") == words(first, "train")
    assert again.report == first.report
    assert again.fields[1].to_json() == first.fields[1].to_json()


def entries(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.is_dir()]


@pytest.mark.parametrize(
    "change",
    [{"lowercase": True}, {"max_tokens": 1}, {"valid_fraction": 0.5}, {"header": "no"}, {"seed": 2}],
)
def test_other_settings_are_prepared_anew(tmp_path: Path, root: Path, change: dict[str, Any]) -> None:
    path = rows(tmp_path, pairs(50))
    classify(path)
    classify(path, **change)
    assert len(entries(root)) == 2


def test_the_same_files_in_other_roles_are_prepared_anew(tmp_path: Path) -> None:
    a, b = rows(tmp_path, pairs(3), "a.tsv"), rows(tmp_path, pairs(5), "b.tsv")
    data = [DataConfig(train=(a, b), valid=(valid,), format="tsv") for valid in (a, b)]
    prepared = [prepare(d, [TextField("text", TokenizerSettings.of(d))], 1) for d in data]
    assert [len(p.valid) for p in prepared if p.valid] == [3, 5]


def test_changed_data_are_prepared_anew(tmp_path: Path) -> None:
    classify(rows(tmp_path, pairs(50)), valid_fraction=0)
    assert len(classify(rows(tmp_path, pairs(51)), valid_fraction=0).train) == 51


@pytest.mark.parametrize("name", ["report.json", "labels.json", "train/source.values.npy"])
def test_a_damaged_entry_is_prepared_anew(tmp_path: Path, root: Path, name: str) -> None:
    path = rows(tmp_path, pairs(50))
    before = words(classify(path), "train")
    (entry,) = entries(root)
    (entry / name).write_bytes((entry / name).read_bytes()[:-9])
    assert words(classify(path), "train") == before
    assert len(entries(root)) == 1


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEQRNN_CACHE", str(tmp_path / "file" / "cache"))
    assert len(classify(rows(tmp_path, pairs(20)), valid_fraction=0).train) == 20


def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("seqrnn.data.dataset.encoding.ColumnWriter.append", fail)
    with pytest.raises(OutputError, match="No space left on device; make room, or set SEQRNN_CACHE"):
        classify(rows(tmp_path, pairs(20)))
    assert list(root.iterdir()) == []


def test_a_file_is_encoded_with_fields_that_have_learned(tmp_path: Path) -> None:
    fields = classify(rows(tmp_path, pairs(20)), valid_fraction=0).fields
    source = Source((rows(tmp_path, ["text new\tb"], "test.tsv"),), format="tsv")
    encode_part(source, fields, tmp_path / "test", "truncate")
    dataset = Dataset.open(tmp_path / "test", ["source", "label"])
    known = fields[0].tokenizer.vocabulary["text"]  # type: ignore[attr-defined]
    assert dataset["source"].values.tolist() == [known, 1]
    assert dataset["label"].values.tolist() == [1]


FAR = 1_700_000_000_000


def stamps(tmp_path: Path, layout: str, offset: int) -> tuple[str, dict[str, Any]]:
    """Write 30 times in milliseconds from `offset` on; return the file and how it is read."""
    times = [offset + 1000 * i for i in range(30)]
    path = tmp_path / f"{offset}.{layout}"
    match layout:
        case "csv":
            path.write_text("v,label\n" + "".join(f"{t},{'ab'[i % 2]}\n" for i, t in enumerate(times)))
        case "tsv":
            rows_ = [f"{i // 2}\t{t}\t{'ab'[i // 2 % 2]}\n" for i, t in enumerate(times)]
            path.write_text("series\tv\tlabel\n" + "".join(rows_))
        case "jsonl":
            objects = [{"vectors": [t, t], "label": "ab"[i % 2]} for i, t in enumerate(times)]
            path.write_text("".join(json.dumps(each) + "\n" for each in objects))
        case "npz":
            np.savez(path, x=np.array(times)[:, None], y=np.arange(30) % 2)
        case "named.csv":
            np.save(tmp_path / f"{offset}.npy", np.array(times)[:, None])
            path.write_text("text,label\n" + f"{offset}.npy,a\n{offset}.npy,b\n")
    form = layout.removeprefix("named.")
    return str(path), {"format": form, "source_kind": "vector" if layout in {"csv", "npz"} else "vectors"}


@pytest.mark.parametrize("layout", ["csv", "tsv", "jsonl", "npz", "named.csv"])
def test_numbers_far_from_0_become_the_same_columns_as_near_it(tmp_path: Path, layout: str) -> None:
    values = []
    for offset in (0, FAR):
        path, settings = stamps(tmp_path, layout, offset)
        data = DataConfig(train=(path,), valid_fraction=0.0, **settings)
        fields = [source_field(data), LabelField("label", False)]
        values.append(prepare(data, fields, 1).train["source"].values)
    assert len(np.unique(values[1])) == 30
    np.testing.assert_allclose(values[1], values[0], rtol=1e-6, atol=1e-6)
