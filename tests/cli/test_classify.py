"""`seqrnn classify` in pipelines: a row in, a row out, whatever the row holds."""

from __future__ import annotations

import gzip
import json
import math
import select
import shutil
import subprocess
import sys
import time

import pytest

LABELS = {"food", "travel", "weather"}
FIELDS = ["id", "text", "prediction", "score", "probability", "nbest", "truncated", "unknown", "error"]


def records(result) -> list[dict]:
    assert result.returncode == 0, result.stderr.decode()
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_row_is_answered_in_order_whatever_it_holds(seqrnn, classifier) -> None:
    rows = [b"warm soup", b"", b"  ", b"zzz qqq", b"soup " * 3000, b"\xff\xfe soup", b"nul \0 soup"]
    rows += [b"a\xe2\x80\xa8b\x0bc\x0cd", b"x" * (17 << 20), b"rain over the hills"]
    answered = records(seqrnn("classify", "-m", classifier, "--jsonl", stdin=b"\n".join(rows)))
    assert [record["id"] for record in answered] == list(range(len(rows)))
    assert answered[0]["prediction"] == "food"
    assert answered[-1]["prediction"] == "weather"
    assert answered[5]["text"] == "\ufffd\ufffd soup"
    for record in answered[:-2]:
        assert record["prediction"] in LABELS
        assert record["error"] is None
    assert answered[3]["unknown"] == 2
    assert answered[8]["prediction"] is None
    assert "16 MiB" in answered[8]["error"]


def test_plain_answers_are_bare_labels_and_the_counts_go_to_stderr(seqrnn, classifier) -> None:
    rows = b"warm soup\n\n\xff\nx" + b"x" * (17 << 20) + b"\ntwo bus tickets"
    result = seqrnn("classify", "-m", classifier, stdin=rows)
    lines = result.stdout.decode().split("\n")
    assert (lines[0], lines[3:]) == ("food", ["", "travel", ""])
    assert set(lines[1:3]) <= LABELS
    notes = result.stderr.decode().splitlines()
    assert notes == [
        "seqrnn: bytes that were not UTF-8, and read as U+FFFD: 1",
        "seqrnn: rows that could not be answered: 1 (--jsonl says why of each), "
        "the first at stdin:4: the line is longer than 16 MiB",
    ]
    quiet = seqrnn("classify", "-m", classifier, "--quiet", stdin=rows)
    assert (quiet.stdout, quiet.stderr) == (result.stdout, b"")


def test_a_json_answer_has_the_documented_fields_in_order(seqrnn, classifier) -> None:
    (record,) = records(seqrnn("classify", "-m", classifier, "--jsonl", "-k", "2", stdin=b"warm soup"))
    assert list(record) == FIELDS
    assert record["nbest"][0] == {key: record[key] for key in ("prediction", "score", "probability")}
    assert [len(record["nbest"]), record["truncated"], record["unknown"]] == [2, False, 0]
    for answer in (record, *record["nbest"]):
        assert 0.0 < answer["probability"] < 1.0
        assert answer["score"] < 0.0
    assert record["nbest"][0]["score"] > record["nbest"][1]["score"]


def test_fields_of_a_json_row_are_handed_through_and_never_mistaken_for_answers(seqrnn, classifier) -> None:
    rows = [
        {"id": "a7", "text": "warm soup", "n": [1, None], "prediction": "mine", "score": 9, "error": "mine"},
        {"utterance": "rain over the hills"},
        {"text": 3},
        {"txt": "soup"},
        {"text": "\ud800 soup"},
    ]
    lines = [json.dumps(row) for row in rows]
    lines += ['{"text": "soup", "n": NaN}', '{"text": "soup", "n": 1e999}', "{broken", "plain soup"]
    lines += ['{"text": "soup", "deep": ' + "[" * 100_000 + "]" * 100_000 + "}"]
    result = seqrnn("classify", "-m", classifier, "--jsonl", stdin="\n".join(lines).encode())
    answered = records(result)
    assert len(answered) == len(lines)
    assert {key: answered[0][key] for key in rows[0]} == rows[0]
    assert (answered[0]["prediction_2"], answered[0]["error_2"]) == ("food", None)
    assert answered[0]["score_2"] < 0
    assert (answered[1]["id"], answered[1]["prediction"]) == (1, "weather")
    assert answered[4]["text"] == "\ud800 soup"
    assert answered[4]["error"] is None
    wrong = [record["id"] for record in answered[1:] if record["error"]]
    assert wrong == [2, 3, 5, 6, 7, 9]
    assert all(answered[number]["prediction"] is None for number in wrong)
    assert "--text-col" in answered[3]["error"]
    assert answered[8]["text"] == "plain soup"


def test_alone_or_among_others_a_row_gets_the_same_answer(seqrnn, classifier, folder) -> None:
    every = (folder / "train.source").read_bytes() + b"warm\n" + b"soup " * 200
    among = records(seqrnn("classify", "-m", classifier, "--jsonl", "-k", "3", stdin=every))
    for number in (101, len(among) - 1):
        row = every.split(b"\n")[number]
        (alone,) = records(seqrnn("classify", "-m", classifier, "--jsonl", "-k", "3", stdin=row))
        assert alone["prediction"] == among[number]["prediction"]
        pairs = zip(alone["nbest"], among[number]["nbest"], strict=True)
        assert all(abs(math.exp(a["score"]) - math.exp(b["score"])) < 1e-6 for a, b in pairs)


def test_k_threshold_and_probabilities(seqrnn, classifier) -> None:
    shown = seqrnn("classify", "-m", classifier, "--probs", "-k", "3", stdin=b"warm soup\n")
    cells = shown.stdout.decode().strip().split("\t")
    assert cells[0] == "food"
    assert set(cells[::2]) == LABELS
    assert sum(map(float, cells[1::2])) == pytest.approx(1, abs=2e-4)
    sure = seqrnn("classify", "-m", classifier, "--threshold", "1", stdin=b"warm soup\nrain\n")
    assert sure.stdout == b"\n\n"


def test_a_multi_label_row_has_any_number_of_labels(seqrnn, several) -> None:
    rows = b"warm soup today\nwarm soup again\n"
    plain = seqrnn("classify", "-m", several, stdin=rows).stdout.decode().splitlines()
    assert [set(line.split("\t")) for line in plain] == [{"food", "now"}, {"food"}]
    answered = records(seqrnn("classify", "-m", several, "--jsonl", stdin=rows))
    assert [sorted(record["prediction"]) for record in answered] == [["food", "now"], ["food"]]


def test_a_reader_that_leaves_early_ends_it_silently(shell, classifier, folder) -> None:
    (folder / "many.txt").write_text("rain over the hills\n" * 60_000)
    result = shell("seqrnn classify -m classifier many.txt | head -1; exit ${PIPESTATUS[0]}")
    assert (result.returncode, result.stdout, result.stderr) == (141, b"weather\n", b"")


def test_files_gzip_and_the_environment(seqrnn, classifier, folder) -> None:
    source = (folder / "train.source").read_bytes()
    env = {"SEQRNN_MODEL": str(classifier)}
    piped = seqrnn("classify", stdin=gzip.compress(source), **env)
    written = seqrnn("classify", "train.source", "-o", "answers.txt", **env)
    assert (piped.returncode, written.returncode, written.stdout) == (0, 0, b"")
    assert (folder / "answers.txt").read_bytes() == piped.stdout
    right = zip(piped.stdout.split(), (folder / "train.target").read_bytes().split(), strict=True)
    assert sum(a == b for a, b in right) > 0.9 * 288


def test_a_slow_producer_gets_each_answer_before_it_sends_the_next_line(
    classifier, environment, folder
) -> None:
    command = [sys.executable, "-m", "seqrnn", "classify", "-m", classifier]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, env=environment, cwd=folder, bufsize=0, **pipes)
    waits = []
    for row, label in (
        (b"warm soup\n", b"food\n"),
        (b"bright sun\n", b"weather\n"),
        (b"a slow boat\n", b"travel\n"),
    ):
        process.stdin.write(row)
        sent = time.monotonic()
        assert select.select([process.stdout], [], [], 30)[0]
        assert process.stdout.readline() == label
        waits.append(time.monotonic() - sent)
    assert process.communicate()[1] == b""
    assert max(waits[1:]) < 2  # the first has waited for the model


def test_a_wrong_kind_of_model_names_the_command_that_is_right(seqrnn, storyteller) -> None:
    result = seqrnn("classify", "-m", storyteller, stdin=b"soup")
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode().endswith("use seqrnn generate\n")
    assert result.stderr.count(b"\n") == 1


def test_a_damaged_model_is_not_opened(seqrnn, classifier, folder) -> None:
    shutil.copytree(classifier, folder / "damaged")
    for weights in (folder / "damaged").glob("gen-*/model.safetensors"):
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
    result = seqrnn("classify", "-m", "damaged", stdin=b"soup")
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (4, b"", 1)
    assert b"damaged" in result.stderr


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["absent.txt"], 3, "absent.txt: No such file"),
        (["-k", "0"], 2, "-k: must be at least 1"),
        (["--threshold", "1.5"], 2, "--threshold: must be at most 1"),
        (["-o", "absent/answers"], 5, "writing absent/answers: No such file or directory"),
        (["--device", "cuda:99"], 2, "use --device cpu"),
    ],
)
def test_what_cannot_be_done_is_one_line(seqrnn, classifier, args, code, words) -> None:
    result = seqrnn("classify", "-m", classifier, *args)
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (code, b"", 1)
    assert words in result.stderr.decode()


def test_without_a_model_the_flag_is_named(seqrnn) -> None:
    result = seqrnn("classify", stdin=b"soup")
    assert (result.returncode, result.stderr.decode()) == (
        2,
        "seqrnn: error: --model: missing option; see seqrnn classify --help\n",
    )


def test_strict_answers_all_rows_and_then_fails_for_those_without(seqrnn, classifier, folder) -> None:
    (folder / "rows.jsonl").write_text('{"text": "snow"}\n{"n": 1}\nrain\n{\n', encoding="utf-8")
    options = ("classify", "-m", classifier, "rows.jsonl", "--jsonl")
    lenient, strict = seqrnn(*options), seqrnn(*options, "--strict", "--quiet")
    assert (lenient.returncode, strict.returncode) == (0, 3)
    assert strict.stdout == lenient.stdout
    assert strict.stdout.count(b"\n") == 4
    (told,) = strict.stderr.decode().splitlines()
    assert told.startswith('seqrnn: error: rows.jsonl:2: no text in the field "text"')
    assert "1 more" in told
    fine = seqrnn("classify", "-m", classifier, "--strict", stdin=b"snow\n\nrain\n")
    assert (fine.returncode, fine.stderr) == (0, b"")


def test_a_key_that_stands_twice_is_told_and_neither_value_taken(seqrnn, classifier) -> None:
    row = b'{"text": "good", "text": "bad"}\n'
    answer = json.loads(seqrnn("classify", "-m", classifier, "--jsonl", stdin=row).stdout)
    assert (answer["prediction"], answer["id"]) == (None, 0)
    assert "occurs twice" in answer["error"]
