"""Tagging through the commands: train, evaluate and classify."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

WORDS = ("Ann N", "saw V", "the D", "old A", "cat N", "run V")
BLOCKS = ["\n".join(WORDS[i % 5 : 1 + i % 5 + i % 6]) + "\n" for i in range(60)]
OPTIONS = (
    "--steps",
    "80",
    "--evaluate-every",
    "80",
    "--hidden-size",
    "12",
    "--embedding-size",
    "12",
    "--character-size",
    "6",
)
OPTIONS += ("--precision", "fp32", "--threads", "1", "--learning-rate", "0.02")
OPTIONS += ("--dropout", "0", "--embedding-dropout", "0")


@pytest.fixture(scope="session")
def tagger(seqrnn, folder) -> Path:
    """A tagger that was trained without a word of what the data are."""
    (folder / "tagged.conll").write_text("\n".join(BLOCKS), encoding="utf-8")
    result = seqrnn("train", "tagged.conll", "-o", "tagger", *OPTIONS)
    assert result.returncode == 0, result.stderr.decode()
    assert "tagging: tagged.conll (read as conll)" in result.stderr.decode()
    assert "many-to-many, aligned" in result.stderr.decode()
    return folder / "tagger"


def test_every_row_is_one_block_of_tokens_and_tags(seqrnn, tagger):
    rows = "Ann saw the cat\n\n  old\tcat  \nrun"
    result = seqrnn("classify", "-m", tagger, stdin=rows.encode())
    assert (result.returncode, result.stderr) == (0, b"")
    expected = "Ann\tN\nsaw\tV\nthe\tD\ncat\tN\n\n\nold\tA\ncat\tN\n\nrun\tV\n\n"
    assert result.stdout.decode() == expected


SENTENCE = "measure it with seqrnn evaluate, or give one sentence a line"
EXAMPLE = "measure it with seqrnn evaluate, or give one example, as JSON, a line"


@pytest.mark.parametrize(
    ("name", "layout", "advice"),
    [
        ("rows.conll", "conll", SENTENCE),
        ("rows.BIO.gz", "conll", SENTENCE),
        ("rows.conllu", "conllu", SENTENCE),
        ("rows.npz", "npz", EXAMPLE),
        ("rows.npy", "npz", EXAMPLE),
    ],
)
def test_a_file_of_which_a_line_is_no_row_is_refused(seqrnn, tagger, folder, name, layout, advice):
    (folder / name).write_text("Ann\tN\nsaw\tV\n")
    result = seqrnn("classify", "-m", tagger, name)
    expected = f"seqrnn: error: {name}: rows are read one a line, not as {layout}; {advice}\n"
    assert (result.returncode, result.stdout, result.stderr.decode()) == (2, b"", expected)


def test_whatever_is_redirected_to_stdin_is_read_as_rows(shell, tagger):
    result = shell("seqrnn classify -m tagger < tagged.conll")
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout


def test_probabilities_are_a_third_column(seqrnn, tagger):
    result = seqrnn("classify", "-m", tagger, "--probs", stdin=b"Ann saw")
    cells = [line.split("\t") for line in result.stdout.decode().splitlines() if line]
    assert [cell[:2] for cell in cells] == [["Ann", "N"], ["saw", "V"]]
    assert all(0.5 < float(cell[2]) <= 1.0 for cell in cells)


def test_json_answers_have_tokens_tags_and_the_score_of_all_tags(seqrnn, tagger):
    rows = [
        "Ann saw",
        "",
        '{"id": "x", "tokens": ["the", "New York"], "n": 1}',
        '{"text": "old cat"}',
        '{"a": 1}',
    ]
    result = seqrnn("classify", "-m", tagger, "--jsonl", stdin="\n".join(rows).encode())
    plain, empty, listed, text, wrong = map(json.loads, result.stdout.splitlines())
    assert list(plain)[:4] == ["id", "tokens", "prediction", "score"]
    assert (plain["tokens"], plain["prediction"]) == (["Ann", "saw"], ["N", "V"])
    assert math.log(0.25) < plain["score"] <= 0.0
    assert (empty["tokens"], empty["prediction"], str(empty["score"])) == ([], [], "0.0")
    assert (listed["id"], listed["tokens"], listed["n"]) == ("x", ["the", "New York"], 1)
    assert len(listed["prediction"]) == 2
    assert listed["unknown"] == 1
    assert text["prediction"] == ["A", "N"]
    assert wrong["prediction"] is None
    assert "text" in wrong["error"]


def test_evaluate_reads_other_layouts_than_that_of_the_training(seqrnn, tagger, folder):
    rows = ["# text", "1-2\tx" + "\t_" * 8, "1\tAnn\t_\tN" + "\t_" * 6, "2\tsaw\t_\tV" + "\t_" * 6, "", ""]
    conllu = "\n".join(rows)
    (folder / "tagged.conllu").write_text(conllu)
    (folder / "tagged.in").write_text("Ann saw \n")
    (folder / "tagged.out").write_text("N V \n")
    found = [
        seqrnn("evaluate", "-m", tagger, "--json", *arguments)
        for arguments in (["tagged.conllu"], ["--src", "tagged.in", "--tgt", "tagged.out"])
    ]
    figures = [json.loads(result.stdout) for result in found]
    assert figures[0] == figures[1]
    assert {name: figures[0][name] for name in ("task", "examples", "tokens", "accuracy")} == {
        "task": "tagging",
        "examples": 1,
        "tokens": 2,
        "accuracy": 1.0,
    }
    assert "span_f1" not in figures[0]


def test_a_missing_tag_is_an_error_that_says_where(seqrnn, tagger, folder):
    (folder / "short.in").write_text("Ann saw\nthe old cat\n")
    (folder / "short.out").write_text("N V\nD A \n")
    arguments = ["--src", "short.in", "--tgt", "short.out"]
    for command in (["evaluate", "-m", tagger], ["train", "--task", "tagging", "-o", "none"]):
        result = seqrnn(*command, *arguments)
        assert result.returncode == 3
        assert b"short.in:2: 3 tokens, 2 tags; " in result.stderr
        assert result.stderr.count(b"\n") <= 2
    assert not (folder / "none").exists()


def test_a_label_threshold_means_nothing_to_a_tagger(seqrnn, tagger):
    result = seqrnn("classify", "-m", tagger, "-k", "2", stdin=b"Ann")
    assert result.returncode == 2
    assert b"one tag" in result.stderr


def test_a_table_of_tokens_comes_back_with_a_tag_in_each_row(seqrnn, tmp_path):
    sentences = [[word.split() for word in block.split("\n")[:-1]] for block in BLOCKS]
    rows = [
        f"{f'Sentence: {n}' if not place else ''},{word},{tag}"
        for n, sentence in enumerate(sentences)
        for place, (word, tag) in enumerate(sentence)
    ]
    data = tmp_path / "tokens.csv"
    data.write_text("\n".join(["Sentence #,Word,Tag", *rows]) + "\n", encoding="utf-8")
    assert seqrnn("train", data, "-o", tmp_path / "run", *OPTIONS).returncode == 0
    measured = json.loads(seqrnn("evaluate", "-m", tmp_path / "run", data, "--json").stdout)
    data.write_text(data.read_text(encoding="utf-8") + ",,\n,,N\nx,Ann,N\n", encoding="utf-8")
    done = seqrnn("classify", "-m", tmp_path / "run", data)
    header, *answered = done.stdout.decode().splitlines()
    assert header == "Sentence #,Word,Tag,prediction,probability"
    assert [line.rsplit(",", 2)[0] for line in answered[: len(rows)]] == rows
    right = [line.split(",")[2] == line.split(",")[3] for line in answered[: len(rows)]]
    assert measured["accuracy"] == pytest.approx(sum(right) / len(right))
    assert (answered[-3], answered[-2]) == ("", ",,N,,")
    assert "no token in column" in done.stderr.decode()
