"""`seqrnn explain`: an explanation a row, whatever is in it, as wide as the terminal."""

from __future__ import annotations

import csv
import json

import pytest
from rich.cells import cell_len

from seqrnn.cli.drawing import Paper
from seqrnn.cli.explanation import drawn
from seqrnn.data.answer import Answer
from seqrnn.library.explanations import Explanation, OutputExplanation

ROWS = b"warm soup today\na slow boat with so many more words that it takes some lines to draw them all\n\n"


def records(result) -> list[dict]:
    assert result.returncode == 0, result.stderr.decode()
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


@pytest.fixture(scope="module")
def tagger(seqrnn, folder, small):
    sentences = ("Ann N\nsaw V\nBo N\n", "old A\nBo N\nrun V\n")
    (folder / "explained.conll").write_text("\n".join(sentences * 20), encoding="utf-8")
    result = seqrnn("train", "explained.conll", "-o", "explained-tagger", "--steps", "40", *small)
    assert result.returncode == 0, result.stderr.decode()
    return folder / "explained-tagger"


@pytest.fixture(scope="module")
def writer(seqrnn, folder, small):
    pairs = "".join(f"{' '.join('abcdef'[i % 5 : 1 + i % 6])} x\t{i % 5} {i % 6} 7\n" for i in range(60))
    (folder / "explained.tsv").write_text(pairs, encoding="utf-8")
    arguments = (
        "explained.tsv",
        "-o",
        "explained-writer",
        "--task",
        "seq2seq",
        "--attention",
        "dot",
        "--steps",
        "30",
    )
    result = seqrnn("train", *arguments, *small)
    assert result.returncode == 0, result.stderr.decode()
    return folder / "explained-writer"


@pytest.mark.parametrize("method", ["gradient", "leave-one-out"])
def test_a_label_is_explained_by_a_number_for_each_token(seqrnn, classifier, method) -> None:
    found = records(seqrnn("explain", "-m", classifier, "--method", method, "--jsonl", stdin=ROWS))
    labels = seqrnn("classify", "-m", classifier, "--jsonl", stdin=ROWS).stdout.decode().splitlines()
    for record, label in zip(found, map(json.loads, labels), strict=True):
        assert record["prediction"] == label["prediction"]
        assert record["probability"] == pytest.approx(label["probability"], abs=1e-5)
        assert record["method"] == {"gradient": "gradient x input"}.get(method, method)
        (output,) = record["outputs"]
        assert record["tokens"] == record["text"].split()
        assert len(output["saliency"]) == len(record["tokens"])
        assert any(output["saliency"]) == bool(record["text"])
        assert len(output["alternatives"]) == 2
        assert "attention" not in output


def test_leaving_out_is_the_difference_that_classify_shows(seqrnn, classifier) -> None:
    (found,) = records(
        seqrnn("explain", "-m", classifier, "--method", "leave-one-out", "--jsonl", stdin=b"warm soup today")
    )
    rows = b"warm soup today\nsoup today\nwarm today\nwarm soup\n"
    answers = records(seqrnn("classify", "-m", classifier, "--jsonl", "-k", "3", stdin=rows))
    scores = [
        next(c["score"] for c in answer["nbest"] if c["prediction"] == found["prediction"])
        for answer in answers
    ]
    wanted = [scores[0] - score for score in scores[1:]]
    assert found["outputs"][0]["saliency"] == pytest.approx(wanted, abs=1e-5)


def test_a_tagger_tells_the_runner_up_of_each_tag(seqrnn, tagger) -> None:
    (found,) = records(seqrnn("explain", "-m", tagger, "--jsonl", stdin=b"Ann saw old Bo"))
    assert [output["output"] for output in found["outputs"]] == found["prediction"]
    assert len(found["prediction"]) == 4
    for output in found["outputs"]:
        others = output["alternatives"]
        assert {output["output"], *(other["output"] for other in others)} <= {"N", "V", "A"}
        assert output["output"] not in {other["output"] for other in others}
        assert output["probability"] + sum(o["probability"] for o in others) == pytest.approx(1, abs=1e-5)
        assert len(output["saliency"]) == 4


def test_a_language_model_tells_ten_next_tokens_and_surprisal(seqrnn, storyteller) -> None:
    (found,) = records(seqrnn("explain", "-m", storyteller, "--jsonl", stdin=b"warm so"))
    (output,) = found["outputs"]
    assert found["tokens"] == list("warm so")
    assert len(found["surprisals"]) == len(output["saliency"]) == 7
    probabilities = [other["probability"] for other in output["alternatives"]]
    assert len(probabilities) == 10
    assert probabilities == sorted(probabilities, reverse=True)
    assert output["output"] == output["alternatives"][0]["output"]
    scored = seqrnn("evaluate", "-m", storyteller, "--per-line", "--json", stdin=b"warm so")
    (score,) = map(json.loads, scored.stdout.decode().splitlines())
    assert sum(found["surprisals"]) < -score["score"]  # which has the end of the line as well


def test_what_is_written_is_aligned_by_attention(seqrnn, writer) -> None:
    (found,) = records(seqrnn("explain", "-m", writer, "--jsonl", stdin=b"a b c x"))
    written = seqrnn("generate", "-m", writer, stdin=b"a b c x").stdout.decode().strip()
    assert found["prediction"] == written == " ".join(output["output"] for output in found["outputs"])
    for output in found["outputs"]:
        assert sum(output["attention"]) == pytest.approx(1.0, abs=1e-4)
        assert len(output["attention"]) == len(output["saliency"]) == 4


@pytest.mark.parametrize(
    ("columns", "runs"),
    [(60, ("classifier", "tagger", "storyteller", "writer")), (80, ("tagger",)), (140, ("writer",))],
)
def test_what_is_drawn_fits_the_terminal_and_has_no_escape_codes(seqrnn, request, columns, runs) -> None:
    for run in map(request.getfixturevalue, runs):
        result = seqrnn("explain", "-m", run, stdin=b"warm so \x1b[31m\nAnn saw Bo\n", COLUMNS=str(columns))
        assert result.returncode == 0, result.stderr.decode()
        drawn = result.stdout.decode()
        assert "\x1b" not in drawn
        assert "gradient x input" in drawn
        assert max(map(cell_len, drawn.splitlines())) <= columns


def test_ascii_is_enough(seqrnn, classifier, writer) -> None:
    for run in (classifier, writer):
        assert seqrnn("explain", "-m", run, stdin=b"warm so", LC_ALL="C").stdout.isascii()


def test_rows_that_cannot_be_read_have_errors_and_the_others_answers(seqrnn, classifier) -> None:
    rows = b'{"text": "warm soup", "mine": 1}\n{"text": 3}\n{"no": 1}\nsoup\n'
    first, second, third, last = records(seqrnn("explain", "-m", classifier, "--jsonl", stdin=rows))
    assert first["mine"] == 1
    assert (second["prediction"], "no text" in second["error"], "no text" in third["error"]) == (
        None,
        True,
        True,
    )
    assert last["error"] is None
    strict = seqrnn("explain", "-m", classifier, "--jsonl", "--strict", stdin=rows)
    assert strict.returncode == 3
    assert len(strict.stdout.splitlines()) == 4


def test_a_row_that_is_too_long_has_an_error(seqrnn, storyteller) -> None:
    rows = b"a" * 1024 + b"\n" + b"a" * 1025 + b"\na\n"
    first, second, third = records(seqrnn("explain", "-m", storyteller, "--jsonl", stdin=rows))
    assert (first["error"], third["error"]) == (None, None)
    assert second["error"].startswith("1,025 tokens or steps, of 1,024 that are explained")


def test_what_cannot_be_explained_so_is_refused(seqrnn, classifier, tagger, folder) -> None:
    result = seqrnn("explain", "-m", tagger, "--method", "leave-one-out", stdin=b"Ann saw")
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"seqrnn: error: --method leave-one-out: a token that is left out has no tag" in result.stderr


def test_the_rows_of_a_file_are_explained_in_their_order(seqrnn, classifier, tagger, folder) -> None:
    rows = [["text", "label"], ["warm soup today", ""], ["the train\nto the coast", ""]]
    with (folder / "asked.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    found = records(seqrnn("explain", "-m", classifier, "--jsonl", "asked.csv"))
    assert [record["text"] for record in found] == [text for text, _ in rows[1:]]
    assert [record["tokens"][0] for record in found] == ["warm", "the"]
    drawn = seqrnn("explain", "-m", classifier, "asked.csv")
    assert (drawn.returncode, drawn.stderr) == (0, b"")
    heads = [block.split()[0] for block in drawn.stdout.decode().split("\n\n") if block.strip()]
    assert heads == [record["prediction"] for record in found]
    sentences = seqrnn("explain", "-m", tagger, "--jsonl", "explained.conll")
    assert (
        records(sentences)[0]["tokens"]
        == (folder / "explained.conll").read_text().split("\n\n")[0].split()[::2]
    )


def test_numbers_have_the_names_of_their_columns(seqrnn, folder, small) -> None:
    lines = [f"{row % 7}.5,{row * 5 % 11},{row * 3 % 13}.25,{'ab'[row % 2]}\n" for row in range(80)]
    for name, kind, header in (("v", "vector", "length,2020,beam"), ("s", "vectors", "t0,t1,t2")):
        (folder / f"{name}.csv").write_text(f"{header},label\n" + "".join(lines))
        done = seqrnn("train", f"{name}.csv", "-o", f"of-{name}", "--source", kind, "--steps", "4", *small)
        assert done.returncode == 0, done.stderr.decode()
        found = records(seqrnn("explain", "-m", f"of-{name}", "--jsonl", f"{name}.csv"))
        assert [record["tokens"] for record in found] == [header.split(",")] * 80
    (bare,) = records(seqrnn("explain", "-m", "of-s", "--jsonl", stdin=b"[[1.5], [2.0]]"))
    assert bare["tokens"] == ["1", "2"]


def test_of_a_series_that_several_rows_make_one_explanation_is_drawn(seqrnn, folder, small) -> None:
    lines = [f"{row // 4},0.{row % 10},{row % 7},{'ab'[row // 4 % 2]}\n" for row in range(160)]
    (folder / "series.csv").write_text("series,x,y,label\n" + "".join(lines))
    done = seqrnn("train", "series.csv", "-o", "of-series", "--steps", "4", *small)
    assert done.returncode == 0, done.stderr.decode()
    assert len(records(seqrnn("explain", "-m", "of-series", "--jsonl", "series.csv"))) == 40


def test_an_unknown_word_is_shown_as_it_was_written_and_marked(seqrnn, classifier) -> None:
    row = b"warm Zeppelin today"
    (found,) = records(seqrnn("explain", "-m", classifier, "--jsonl", stdin=row))
    assert (found["tokens"], found["unknown_tokens"]) == (["warm", "Zeppelin", "today"], [1])
    lines = seqrnn("explain", "-m", classifier, stdin=row).stdout.decode().splitlines()
    assert [line.split()[:2] for line in lines if "Zeppelin" in line] == [["Zeppelin", "(unknown)"]]
    assert not any("<unk>" in line or "warm (unknown)" in line for line in lines)


def test_words_beside_punctuation_are_shown_as_they_were_written(seqrnn, folder, small) -> None:
    rows = "".join(f"{['Hello, you', 'No. Go away'][i % 2]}!\t{'ab'[i % 2]}\n" for i in range(40))
    (folder / "marks.tsv").write_text(rows)
    arguments = ("marks.tsv", "-o", "marks", "--tokenizer", "word", "--lowercase", "--steps", "5")
    result = seqrnn("train", *arguments, *small)
    assert result.returncode == 0, result.stderr.decode()
    (found,) = records(seqrnn("explain", "-m", "marks", "--jsonl", stdin=b"HELLO, Zoe!"))
    assert (found["tokens"], found["unknown_tokens"]) == (["HELLO", ",", "Zoe", "!"], [2])


@pytest.mark.parametrize(("columns", "beside"), [(60, 3), (80, 4), (140, 6)])
def test_regions_of_an_image_are_squares_beside_one_another(columns, beside) -> None:
    weights = [tuple(float(region == strongest) for region in range(64)) for strongest in range(7)]
    outputs = tuple(
        OutputExplanation(f"word{n}", 0.5, (0.0,) * 64, each, ()) for n, each in enumerate(weights)
    )
    why = Explanation(tuple(map(str, range(64))), "leave-one-out", outputs, grid=8)
    lines = drawn(
        Answer("seven words", None, explanation=why), Paper(min(columns, 120), ascii=True)
    ).splitlines()
    assert max(map(len, lines)) <= columns
    first = next(number for number, line in enumerate(lines) if "word0" in line)
    assert lines[first].split() == [f"word{n}" for n in range(beside)]
    for region in range(beside):  # the strongest region of each is in its first row
        start = 2 + 18 * region
        drawn_row = lines[first + 1][start : start + 16].rstrip()
        assert drawn_row == (". " * region + "@@" + ". " * (7 - region)).rstrip()
    assert all("@" not in line for line in lines[first + 2 : first + 9])
