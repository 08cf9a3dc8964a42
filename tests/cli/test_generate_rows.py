"""`seqrnn generate` on a model that answers rows: one line for each, whatever is in it."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from seqrnn.cli.generate import generate
from seqrnn.errors import UsageError

WORDS = ["".join(letters) for size in (1, 2, 3) for letters in product("abcd", repeat=size)]
PAIRS = "".join(f"{word}\t{' '.join(word.upper())}\n" for word in WORDS)
ROWS = ["abc", "", "dd", "zebra", "abc", "   ", "d" * 40]


@pytest.fixture(scope="module")
def speller(seqrnn, folder) -> Path:
    """A model that spells words, by letters: `abc` -> `A B C`."""
    (folder / "words.tsv").write_text(PAIRS)
    settings = ("--hidden-size", "24", "--embedding-size", "12", "--precision", "fp32", "--threads", "1")
    lengths = ("--epochs", "25", "--learning-rate", "0.02", "--max-tokens", "12", "--batch-size", "16")
    chosen = ("--dropout", "0", "--embedding-dropout", "0", "--cell", "gru", "--evaluate-every", "1000")
    result = seqrnn("train", "words.tsv", "-o", "speller", *settings, *lengths, *chosen)
    assert result.returncode == 0, result.stderr.decode()
    said = result.stderr.decode()
    assert "seq2seq: words.tsv (read as tsv) holds 84 different targets" in said
    assert "shape: many-to-many: x_1 ... x_S -> encoder -> decoder -> y_1 ... y_T" in said
    assert "seqrnn generate -m speller" in said
    return folder / "speller"


@pytest.fixture
def ask(speller, tmp_path, capsys):
    """The lines and the notes that `seqrnn generate` answers some rows with."""

    def run(rows: list[str] | bytes, **options: Any) -> tuple[list[str], str]:
        content = rows if isinstance(rows, bytes) else "".join(f"{row}\n" for row in rows).encode()
        (tmp_path / "rows").write_bytes(content)
        generate(speller, str(tmp_path / "rows"), str(tmp_path / "answers"), **{"max_len": 40, **options})
        return (tmp_path / "answers").read_text().split("\n")[:-1], capsys.readouterr().err

    return run


def test_the_tokens_of_both_sides_were_told_from_the_data(seqrnn, speller) -> None:
    settings = seqrnn("inspect", "-m", speller, "--config").stdout.decode()
    for line in ("tokenizer: char", "target_tokenizer: word", "holdout: sources", "task: seq2seq"):
        assert line in settings


def test_every_row_has_one_line_in_order(ask) -> None:
    lines, notes = ask(ROWS)
    assert len(lines) == len(ROWS)
    assert (lines[0], lines[1], lines[2], lines[5]) == ("A B C", "", "D D", "")
    assert lines[4] == lines[0]
    assert notes == "seqrnn: rows longer than max_tokens, or their answers than --max-len, and cut: 1\n"
    assert ask(ROWS, quiet=True) == (lines, "")
    assert ask([]) == ([], "")


def test_a_row_alone_has_the_answer_it_has_among_others(ask) -> None:
    lines, _ = ask(ROWS)
    assert [ask([row])[0] for row in ROWS[:4]] == [[line] for line in lines[:4]]


def test_rows_come_from_standard_input_too_and_files_may_be_compressed(ask, seqrnn, speller) -> None:
    expected, _ = ask(ROWS)
    assert ask(gzip.compress("\n".join(ROWS).encode()))[0] == expected
    result = seqrnn("generate", "-m", speller, "--max-len", "40", stdin="\n".join(ROWS).encode())
    assert (result.returncode, result.stdout.decode().split("\n")[:-1]) == (0, expected)


def records(lines: list[str]) -> Iterator[dict]:
    return map(json.loads, lines)


def test_json_tells_all_that_is_known_of_an_answer(ask) -> None:
    lines, _ = ask(ROWS, jsonl=True, n_best=3, beam_size=4)
    for number, (row, record) in enumerate(zip(ROWS, records(lines), strict=True)):
        assert (record["id"], record["text"], record["error"]) == (number, row, None)
        keys = ["id", "text", "prediction", "score", "probability", "nbest", "truncated", "unknown", "error"]
        assert list(record) == keys
        scores = [entry["score"] for entry in record["nbest"]]
        assert scores == sorted(scores, reverse=True)
        if row.strip():
            assert record["nbest"][0] == {key: record[key] for key in ("prediction", "score", "probability")}
            assert len({entry["prediction"] for entry in record["nbest"]}) == 3
            assert record["score"] < 0
        else:
            assert (record["prediction"], record["score"], record["nbest"]) == ("", None, [])
    found = list(records(lines))
    assert found[3]["unknown"] == 3
    assert found[6]["truncated"]
    assert not found[0]["truncated"]


def test_fields_of_json_rows_are_handed_through_and_bad_rows_keep_their_place(ask) -> None:
    rows = ['{"id": "x", "word": "abc", "n": 1}', "{broken", "dd", '{"other": 1}']
    lines, notes = ask(rows, jsonl=True, text_col="word")
    found = list(records(lines))
    assert [record["prediction"] for record in found] == ["A B C", None, "D D", None]
    assert (found[0]["id"], found[0]["n"]) == ("x", 1)
    assert "--text-col" in found[3]["error"]
    assert "rows that could not be answered: 2 (--jsonl says why of each), the first at " in notes
    assert "rows:2: not JSON: Expecting" in notes


def test_a_file_that_has_no_place_for_a_text_is_refused(speller, tmp_path) -> None:
    (tmp_path / "a.conllu").write_text("1\tabc\t_\t_\t_\t_\t0\t_\t_\t_\n\n")
    with pytest.raises(UsageError, match="a tag for each, and this model gives one answer a text; give one "):
        generate(speller, str(tmp_path / "a.conllu"), str(tmp_path / "answers"))


def test_several_answers_stand_on_one_line(ask) -> None:
    lines, _ = ask(ROWS, n_best=2)
    assert [line.count("\t") for line in lines] == [0 if not row.strip() else 1 for row in ROWS]
    assert lines[0].split("\t")[0] == "A B C"


def test_beams_of_one_are_greedy_and_draws_follow_the_seed(ask) -> None:
    assert ask(ROWS, beam_size=1) == ask(ROWS, sample=False)
    hot = {"sample": True, "temperature": 3.0, "max_len": 8}
    first, other = ask(["abc"] * 8, **hot, seed=1), ask(["abc"] * 8, **hot, seed=2)
    assert first == ask(["abc"] * 8, **hot, seed=1)
    assert first != other
    assert len(set(first[0])) > 1


def test_a_fixed_length_and_a_limit_are_kept(ask) -> None:
    lines, _ = ask(["a", "abcd"], fixed_len=3, max_len=None)
    assert [len(line.split()) for line in lines] == [3, 3]
    found = list(records(ask(["a", "abcd"], max_len=2, jsonl=True)[0]))
    assert [len(record["prediction"].split()) for record in found] == [1, 2]
    assert [record["truncated"] for record in found] == [False, True]


def test_bytes_that_are_no_text_are_answered_and_counted(ask) -> None:
    lines, notes = ask(b"ab\xff\nabc\n")
    assert len(lines) == 2
    assert lines[1] == "A B C"
    assert "not UTF-8, and read as U+FFFD: 1" in notes


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"prompt": "x"}, "--prompt: this model answers rows"),
        ({"samples": 2}, "--samples: this model answers rows; see --n-best"),
        ({"sample": True, "beam_size": 3}, "`decoding.beam_size`: there is no beam in"),
        ({"temperature": 0.5}, "add `decoding.sample=true`"),
        ({"repetition_penalty": 2.0}, "add `decoding.sample=true` or `decoding.sample=false`"),
        ({"n_best": 3, "beam_size": 2}, "widen the beam"),
        ({"sample": False, "n_best": 2}, "greedy search finds one"),
        ({"sample": False, "top_k": 2}, "are for draws; leave out `decoding.sample=false`"),
        ({"beam_size": 0}, "`decoding.beam_size` 0: out of range"),
        ({"n_best": 0}, "`decoding.n_best` 0: out of range"),
        ({"beam_size": 2, "length_penalty": -1.0}, "`decoding.length_penalty` -1.0: out of range"),
    ],
)
def test_options_that_do_not_go_together_are_refused(ask, options, advice) -> None:
    with pytest.raises(UsageError, match=advice):
        ask(["abc"], **options)


@pytest.mark.parametrize(
    "options", [{"beam_size": 2}, {"data": "rows.txt"}, {"n_best": 2}, {"text_col": "a"}]
)
def test_a_language_model_reads_no_rows(storyteller, options) -> None:
    with pytest.raises(UsageError, match="continues a --prompt and reads no rows"):
        generate(storyteller, **options)


def test_a_wrong_command_names_the_right_one_in_one_line(seqrnn, speller) -> None:
    result = seqrnn("classify", "-m", speller, stdin=b"abc\n")
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode().endswith("seq2seq; use seqrnn generate\n")
    assert result.stderr.count(b"\n") == 1


def test_evaluate_takes_further_columns_for_further_right_answers(seqrnn, speller, folder) -> None:
    (folder / "words.ref").write_text("abc\tX Y\tA B C\nab\tB A\n")
    result = seqrnn("evaluate", "-m", speller, "words.ref", "--json", "--beam-size", "2")
    assert result.returncode == 0, result.stderr.decode()
    figures = json.loads(result.stdout)
    assert (figures["task"], figures["examples"], figures["tokens"]) == ("seq2seq", 2, 3 + 3)
    assert (figures["exact_match"], figures["wer"], figures["token_error_rate"]) == (0.5, 0.5, 2 / 5)
    assert set(figures) >= {"loss", "bleu", "chrf"}
    assert "|tok:13a|" in figures["signatures"]["bleu"]
    by_characters = ("--bleu-tokenizer", "char", "--json", "--beam-size", "2")
    other = json.loads(seqrnn("evaluate", "-m", speller, "words.ref", *by_characters).stdout)
    assert "|tok:char|" in other["signatures"]["bleu"]
    assert other["chrf"] == figures["chrf"]
    shown = seqrnn("evaluate", "-m", speller, "words.ref").stdout.decode()
    assert "50.00%" in shown
    assert "nrefs:var" in shown


def test_an_interrupt_does_not_wait_for_the_batches_in_flight(speller, environment, folder) -> None:
    command = [sys.executable, "-m", "seqrnn", "generate", "-m", speller, "--threads", "2", "--quiet"]
    slow = ["--beam-size", "40", "--fixed-len", "4000"]  # a batch would take minutes
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([*command, *slow], env=environment, cwd=folder, **pipes)
    process.stdin.write(b"ab\n" * 3000)
    process.stdin.close()
    time.sleep(3)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert process.wait(5) == 130
    assert process.stderr.read() == b""
    process.stdout.close()
    process.stderr.close()
