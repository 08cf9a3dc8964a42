"""Every format that training reads comes back from `classify` in its own form, with the same answers."""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

WORDS = {"good": ("fine", "great", "nice"), "bad": ("dull", "poor", "weak"), "so so": ("fair", "usual")}
PAIRS = [
    (f'a {word}, {thing};  "{number}" {"or " * (number % 4)}so', label)
    for number in range(6)
    for thing in ("play", "film")
    for label, words in WORDS.items()
    for word in words[: 1 + number % 3]
]
BREAKING = {"good": 'up\nward, "x"', "bad": "down\tside;", "so so": "a|é"}
TAGGED = ["Ann N", "saw V", "old A", "Bo N", "run V"]
SENTENCES = [words for n in range(40) if (words := TAGGED[n % 4 : 1 + n % 6])]
SMALL = ("--hidden-size", "6", "--embedding-size", "6", "--threads", "1", "--learning-rate", "0.05")
PRICE = "0{},50"  # with a leading zero and a decimal comma


def escaped(label: str) -> str:
    return label.replace("\n", "\\n").replace("\t", "\\t")


def as_word(label: str) -> str:
    return "_".join(label.split())


def write_delimited(path: Path, pairs: list, delimiter: str) -> None:
    text = io.StringIO(newline="")
    table = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    table.writerow(("n", "review", "label", "price"))
    table.writerows((n, *pair, PRICE.format(n)) for n, pair in enumerate(pairs))
    path.write_text(text.getvalue(), encoding="utf-8")


def write_tsv(path: Path, pairs: list) -> None:
    rows = (f"{n}\t{text}\t{escaped(label)}\t{PRICE.format(n)}" for n, (text, label) in enumerate(pairs))
    path.write_text("\n".join(["n\treview\tlabel\tprice", *rows, ""]), encoding="utf-8")


def objects(pairs: list) -> list[dict[str, Any]]:
    named = [{"n": n, "review": text, "label": label} for n, (text, label) in enumerate(pairs)]
    return [{**row, "more": {"price": [row["n"] + 0.5, None]}} for row in named]


def write_parquet(path: Path, pairs: list) -> None:
    texts, labels = zip(*pairs, strict=True)
    columns = {
        "n": pyarrow.array(range(len(pairs)), pyarrow.int16()),
        "review": texts,
        "label": pyarrow.array(labels).dictionary_encode(),
        "when": [datetime.datetime(2024, 1, 2, 3, 4)] * len(pairs),
        "picture": [b"\xff\xd8"] * len(pairs),
        "more": [{"price": [1, None]}] * len(pairs),
    }
    parquet.write_table(pyarrow.table(columns), path, row_group_size=20)


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def read_delimited(before: Path, after: Path, delimiter: str) -> list[tuple[str, str]]:
    (old, *rows), (new, *answered) = (
        list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), delimiter=delimiter))
        for path in (before, after)
    )
    assert new == [*old, "prediction", "probability"]
    assert [row[:4] for row in answered] == rows
    assert all(0 < float(row[5]) <= 1 for row in answered)
    return [(row[2], row[4]) for row in answered]


def read_tsv(before: Path, after: Path) -> list[tuple[str, str]]:
    (_, *rows), (_, *answered) = lines_of(before), lines_of(after)
    assert all(new.startswith(f"{old}\t") for old, new in zip(rows, answered, strict=True))
    return [(row.split("\t")[2], row.split("\t")[4]) for row in answered]


def read_objects(before: list[dict], after: list[dict]) -> list[tuple[str, str]]:
    for old, new in zip(before, after, strict=True):
        assert list(new.items())[:4] == list(old.items())
        assert list(new)[4:] == ["prediction", "probability"]
    return [(row["label"], row["prediction"]) for row in after]


def read_parquet(before: Path, after: Path) -> list[tuple[str, str]]:
    table = parquet.read_table(after)
    assert table.drop(["prediction", "probability"]).equals(parquet.read_table(before))
    assert table.column_names[-2:] == ["prediction", "probability"]
    return list(zip(table["label"].to_pylist(), table["prediction"].to_pylist(), strict=True))


def read_fasttext(before: Path, after: Path) -> list[tuple[str, str]]:
    labels = [line.split()[0] for line in lines_of(before)]
    return list(zip(labels, lines_of(after), strict=True))


def read_conll(before: Path, after: Path) -> list[tuple[str, str]]:
    words = []
    for old, new in zip(lines_of(before), lines_of(after), strict=True):
        if not old or old.startswith("#"):
            assert new == old
        else:
            assert new.startswith(f"{old} ")
            words.append(new.split(" "))
    return [(row[1], row[2]) for row in words]


def write_objects(path: Path, pairs: list) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in objects(pairs)), encoding="utf-8")


FORMS: dict[str, tuple[Callable[[Path, list], Any], Callable[[Path, Path], Any], Callable[[str], str]]] = {
    "comma.csv": (
        lambda path, pairs: write_delimited(path, pairs, ","),
        lambda before, after: read_delimited(before, after, ","),
        str,
    ),
    "semicolon.csv": (
        lambda path, pairs: write_delimited(path, pairs, ";"),
        lambda before, after: read_delimited(before, after, ";"),
        str,
    ),
    "rows.tsv": (write_tsv, read_tsv, escaped),
    "rows.jsonl": (
        write_objects,
        lambda *paths: read_objects(*([json.loads(line) for line in lines_of(path)] for path in paths)),
        str,
    ),
    "list.json": (
        lambda path, pairs: path.write_text(json.dumps(objects(pairs), indent=2), encoding="utf-8"),
        lambda *paths: read_objects(*(json.loads(path.read_text(encoding="utf-8")) for path in paths)),
        str,
    ),
    "rows.parquet": (write_parquet, read_parquet, str),
    "labels.txt": (
        lambda path, pairs: path.write_text(
            "".join(f"__label__{as_word(label)} {text}\n" for text, label in pairs), encoding="utf-8"
        ),
        read_fasttext,
        lambda label: f"__label__{as_word(label)}",
    ),
}
"""By the name of a file: how it is written, how rows and answers are read again, and how a label looks."""


@pytest.fixture(scope="module")
def forms(tmp_path_factory, environment, forker) -> Path:
    """A folder with a file in each form, FILE, its run, FILE.run, its figures and its answers.

    FILE.all are the answers to FILE of one model with labels that would break lines.
    """
    folder = tmp_path_factory.mktemp("forms")
    commands = []
    for name, (write, _, _) in FORMS.items():
        write(folder / name, PAIRS)
    blocks = ["# text = x\n" + "".join(f"{word}\n" for word in words) for words in SENTENCES]
    (folder / "tags.conll").write_text("\n".join(blocks), encoding="utf-8")
    for name in (*FORMS, "tags.conll"):
        commands += [
            ["log", "train", name, "-o", f"{name}.run", "--steps", "12", "-q", *SMALL],
            [f"{name}.figures", "evaluate", "-m", f"{name}.run", name, "--json"],
            [f"{name}.answers", "classify", "-m", f"{name}.run", name],
        ]
    write_delimited(folder / "breaking.csv", [(text, BREAKING[label]) for text, label in PAIRS], ",")
    commands.append(["log", "train", "breaking.csv", "-o", "breaking", "--steps", "60", "-q", *SMALL])
    commands += [[f"{name}.all", "classify", "-m", "breaking", name] for name in FORMS]
    for out, *arguments in commands:
        done = forker.run(arguments, b"", environment, folder)
        assert done.returncode == 0, done.stderr.decode()
        (folder / out).write_bytes(done.stdout)
    return folder


@pytest.mark.parametrize("name", [*FORMS, "tags.conll"])
def test_rows_come_back_and_the_figures_of_evaluate_are_those_of_the_answers(forms, name):
    read = FORMS[name][1] if name in FORMS else read_conll
    answers = read(forms / name, forms / f"{name}.answers")
    figures = json.loads((forms / f"{name}.figures").read_text())
    assert len(answers) == figures["tokens" if name == "tags.conll" else "examples"]
    right = sum(label == prediction for label, prediction in answers) / len(answers)
    assert figures["accuracy"] == pytest.approx(right)


@pytest.mark.parametrize("name", FORMS)
def test_no_label_breaks_a_form_and_all_forms_have_the_same_answers(forms, name):
    _, read, spell = FORMS[name]
    found = [prediction for _, prediction in read(forms / name, forms / f"{name}.all")]
    assert len(set(found)) == len(BREAKING)
    expected = [spell(BREAKING[label]) for _, label in PAIRS]
    right = sum(map(str.__eq__, found, expected))
    assert right > 0.9 * len(expected)


@pytest.mark.parametrize("name", ["comma.csv", "semicolon.csv", "rows.tsv"])
def test_cells_come_back_byte_for_byte(forms, name):
    for old, new in zip(lines_of(forms / name), lines_of(forms / f"{name}.answers"), strict=True):
        assert new.startswith(old)
