"""Tagging through the commands: train, evaluate and classify."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import pytest

from seqrnn.cli.file_rows import file_source
from seqrnn.config import DataConfig

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


def test_columns_come_back_with_one_more_for_the_tags(seqrnn, tagger, folder):
    text = "# text = Ann saw\n-DOCSTART- -X-\n\nAnn  N\nsaw V \n\n\nold A\nx\n\n#end document\n"
    (folder / "rows.BIO.gz").write_bytes(gzip.compress(text.encode()))
    result = seqrnn("classify", "-m", tagger, "rows.BIO.gz")
    expected = "# text = Ann saw\n-DOCSTART- -X- O\n\nAnn  N N\nsaw V V\n\n\nold A _\nx\t_\n\n#end document\n"
    assert (result.returncode, result.stdout.decode()) == (0, expected)
    told = "rows.BIO.gz:9: 1 column, expected 2 as in the first row; fix the line"
    assert told in result.stderr.decode()
    result = seqrnn("classify", "-m", tagger, "--format", "conll", "--probs", stdin=b"Ann\nsaw\n")
    words, tags, probabilities = zip(
        *(line.split("\t") for line in result.stdout.decode().splitlines()), strict=True
    )
    assert (words, tags) == (("Ann", "saw"), ("N", "V"))
    assert all(0.5 < float(probability) <= 1.0 for probability in probabilities)


def test_conllu_becomes_conllu_plus_which_a_second_model_can_read(seqrnn, tagger, folder):
    rows = ["# text = x", "1-2\tAnnsaw", "1\tAnn\t_\tN", "2\tsaw\t_\tV"]
    rows = [row + "\t_" * (9 - row.count("\t")) if row[0] != "#" else row for row in rows]
    (folder / "rows.conllu").write_text("\n".join(rows) + "\n\n")
    first = seqrnn("classify", "-m", tagger, "rows.conllu").stdout.decode().splitlines()
    names = "ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC SEQRNN:PREDICTION"
    assert first == [
        f"# global.columns = {names}", rows[0], f"{rows[1]}\t_", f"{rows[2]}\tN", f"{rows[3]}\tV", "",
    ]  # fmt: skip
    (folder / "rows.conllup").write_text("\n".join(first) + "\n")
    second = seqrnn("classify", "-m", tagger, "--prefix", "B:", "rows.conllup").stdout.decode().splitlines()
    assert second[0] == f"# global.columns = {names} B:PREDICTION"
    assert second[3] == f"{rows[2]}\tN\tN"


def test_json_of_a_file_has_tokens_and_their_own_tags(seqrnn, tagger, folder):
    (folder / "two.conll").write_text("Ann X\nsaw V\n\nrun V\nx\n")
    result = seqrnn("classify", "-m", tagger, "two.conll", "--jsonl")
    first, second = map(json.loads, result.stdout.splitlines())
    assert {name: first[name] for name in ("id", "tokens", "tags", "prediction", "error")} == {
        "id": 0, "tokens": ["Ann", "saw"], "tags": ["X", "V"], "prediction": ["N", "V"], "error": None,
    }  # fmt: skip
    assert (second["id"], second["prediction"]) == (1, None)
    assert "1 column, expected 2" in second["error"]


def test_a_file_that_is_no_array_is_told(seqrnn, tagger, folder):
    (folder / "rows.npz").write_text("Ann\tN\n")
    result = seqrnn("classify", "-m", tagger, "rows.npz")
    assert (result.returncode, result.stdout) == (3, b"")
    assert "rows.npz: no arrays of NumPy" in result.stderr.decode()


def test_whatever_is_redirected_to_stdin_is_read_as_rows(shell, tagger):
    result = shell("seqrnn classify -m tagger < tagged.conll")
    assert result.returncode == 0
    assert result.stdout
    assert b"they look like conll: --format conll reads them so" in result.stderr


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
    assert (answered[-3], answered[-2]) == (",,,,", ",,N,,")
    assert "no token in column" in done.stderr.decode()


def test_tags_have_their_column_whichever_that_of_the_words_is(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text("1\ta\ta\tDET\tDT\t_\t_\t_\t_\t_\n\n", encoding="utf-8")
    data = DataConfig(format="conllu", text_column="FORM", label_column="XPOS")
    assert file_source(data, str(path), "conllu", "2").label_column == "XPOS"


def test_a_table_of_tokens_is_read_in_sentences_by_a_tagger_that_learnt_from_blocks(seqrnn, folder, small):
    sentences = [
        [("In", "O"), ("May", "DATE"), ("it", "O")],
        [("Mr", "O"), ("May", "PER"), ("came", "O")],
    ] * 60
    blocks = ["".join(f"{word}\t{tag}\n" for word, tag in each) for each in sentences]
    (folder / "months.conll").write_text("\n".join(blocks))
    rows = ["Sentence #,Word,Tag"]
    for number, each in enumerate(sentences):
        rows += [f"{'' if at else f'S{number}'},{word},{tag}" for at, (word, tag) in enumerate(each)]
    (folder / "months.csv").write_text("\n".join(rows) + "\n")
    steps = ("--steps", "100", "--evaluate-every", "50", *small)
    done = seqrnn("train", "months.conll", "-o", "months", *steps)
    assert done.returncode == 0, done.stderr.decode()
    figures = [
        json.loads(seqrnn("evaluate", "-m", "months", name, "--json").stdout)
        for name in ("months.conll", "months.csv")
    ]
    assert figures[0]["accuracy"] > 0.9
    assert figures[1]["accuracy"] == figures[0]["accuracy"]
    assert figures[1]["examples"] == len(sentences)
    answered = seqrnn("classify", "-m", "months", "months.csv").stdout.decode().splitlines()
    assert [line.split(",")[3] for line in answered[1:7]] == [
        tag for each in sentences[:2] for _, tag in each
    ]
    rows = b"it came\nMr May\n"
    piped = seqrnn("classify", "-m", "months", "--format", "tsv", stdin=rows).stdout
    assert piped.count(b"\n") == 2
    table = (folder / "months.csv").read_bytes()
    piped = seqrnn("classify", "-m", "months", "--format", "csv", stdin=table).stdout.decode()
    assert piped.splitlines() == answered
    explained = seqrnn("explain", "-m", "months", "--jsonl", "months.csv").stdout.decode().splitlines()
    assert [len(json.loads(line)["tokens"]) for line in explained] == [3] * len(sentences)
