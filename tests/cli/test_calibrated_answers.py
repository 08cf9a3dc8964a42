"""Calibrated probabilities and answers that are held back, through the commands."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

TEXTS = "warm soup today\na slow boat\nsnow on the road\nsoup and snow\n"
ROWS = TEXTS.encode()


def manifest(run: Path) -> Path:
    return max(run.glob("gen-*/manifest.json"))


@pytest.fixture(scope="module")
def calibrations(seqrnn, classifier, folder):
    """A function `(temperature) -> a copy of the classifier with it`."""

    def copy(temperature: float | None) -> Path:
        run = folder / f"calibrated-{temperature}"
        shutil.copytree(classifier, run, dirs_exist_ok=True)
        for path in run.glob("gen-*/manifest.json"):
            content = json.loads(path.read_text())
            content["calibration"] = {"temperature": temperature}
            if temperature is None:
                del content["calibration"]
            path.write_text(json.dumps(content))
        return run

    return copy


def answers(result) -> list[dict]:
    assert result.returncode == 0, result.stderr.decode()
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


def test_a_training_saves_the_temperature_it_fitted(classifier) -> None:
    fitted = json.loads(manifest(classifier).read_text())["calibration"]
    assert fitted.keys() == {"temperature", "confidence"}
    assert fitted["temperature"] != 1.0
    assert fitted["confidence"] is None


def test_probabilities_are_those_of_the_divided_scores_and_predictions_stay(seqrnn, calibrations) -> None:
    plain, hot = (
        answers(seqrnn("classify", "-m", calibrations(t), "--jsonl", "-k", "3", "--probs", stdin=ROWS))
        for t in (None, 2.5)
    )
    for before, after in zip(plain, hot, strict=True):
        assert [c["prediction"] for c in before["nbest"]] == [c["prediction"] for c in after["nbest"]]
        assert [c["score"] for c in before["nbest"]] == [c["score"] for c in after["nbest"]]
        assert before["probability"] == pytest.approx(np.exp(before["score"]))
        powers = np.exp([c["score"] / 2.5 for c in before["nbest"]])
        wanted = powers / powers.sum()
        assert [c["probability"] for c in after["nbest"]] == pytest.approx(wanted.tolist(), abs=1e-6)
        assert after["probabilities"][after["prediction"]] == pytest.approx(after["probability"])


def test_an_unlikely_answer_is_held_back(seqrnn, calibrations) -> None:
    run = calibrations(20.0)  # nothing is likelier than two in three
    asked = "classify", "-m", run, "--min-probability", "0.7"
    records = answers(seqrnn(*asked, "--jsonl", stdin=ROWS))
    assert [(r["prediction"], r["abstained"]) for r in records] == [(None, True)] * 4
    assert all(0 < r["probability"] < 0.7 and r["nbest"] for r in records)
    assert seqrnn(*asked, stdin=ROWS).stdout == b"\n" * 4
    lines = seqrnn(*asked, "--probs", stdin=ROWS).stdout.decode().splitlines()
    assert [line.split("\t") for line in lines] == [["", f"{r['probability']:.4f}"] for r in records]


def test_a_likely_one_is_given_and_says_so(seqrnn, classifier) -> None:
    sure = answers(seqrnn("classify", "-m", classifier, "--min-probability", "0", "--jsonl", stdin=ROWS))
    plain = answers(seqrnn("classify", "-m", classifier, "--jsonl", stdin=ROWS))
    assert [r.pop("abstained") for r in sure] == [False] * 4
    assert sure == plain


def test_a_table_has_an_empty_cell_for_an_answer_that_is_held_back(seqrnn, calibrations, folder) -> None:
    result = seqrnn("classify", "-m", calibrations(20.0), "train.csv", "--min-probability", "0.7")
    rows = list(csv.DictReader(io.StringIO(result.stdout.decode())))
    assert {row["prediction"] for row in rows} == {""}
    assert all(0 < float(row["probability"]) < 0.7 for row in rows)


def test_evaluate_tells_coverage_and_both_calibration_errors(seqrnn, calibrations, folder) -> None:
    run = calibrations(0.5)
    (told,) = answers(seqrnn("evaluate", "-m", run, "test.tsv", "--json", "--min-probability", "0.9"))
    rows = [line.split("\t") for line in (folder / "test.tsv").read_text().splitlines()]
    found = answers(
        seqrnn("classify", "-m", run, "--jsonl", stdin="".join(f"{t}\n" for t, _ in rows).encode())
    )
    sure = np.array([r["probability"] for r in found])
    right = np.array([r["prediction"] == gold for r, (_, gold) in zip(found, rows, strict=True)])
    assert told["coverage"] == pytest.approx((sure >= 0.9).mean())
    assert told["covered_accuracy"] == pytest.approx(right[sure >= 0.9].mean())
    bins = np.minimum((sure * 15).astype(int), 14)
    error = sum(abs((sure - right)[bins == b].sum()) for b in range(15)) / len(sure)
    assert told["expected_calibration_error"] == pytest.approx(error, abs=1e-6)
    assert told["expected_calibration_error"] != told["expected_calibration_error_uncalibrated"]
    (plain,) = answers(seqrnn("evaluate", "-m", calibrations(None), "test.tsv", "--json"))
    assert plain["expected_calibration_error"] == told["expected_calibration_error_uncalibrated"]
    assert "expected_calibration_error_uncalibrated" not in plain
    assert plain["loss"] == told["loss"]


@pytest.mark.parametrize("temperature", [0.0, -1.0, 1e9, "2", None])
def test_a_temperature_that_is_none_is_refused(seqrnn, calibrations, folder, temperature) -> None:
    run = calibrations(2.5)
    path = manifest(run)
    good = path.read_text()
    path.write_text(json.dumps({**json.loads(good), "calibration": {"temperature": temperature}}))
    for other in set(run.glob("gen-*")) - {path.parent}:
        shutil.rmtree(other)
    result = seqrnn("classify", "-m", run, stdin=ROWS)
    path.write_text(good)
    assert (result.returncode, result.stdout) == (4, b"")
    assert b"'calibration.temperature'" in result.stderr


def test_several_labels_have_no_probability_together(seqrnn, several) -> None:
    result = seqrnn("classify", "-m", several, "--min-probability", "0.5", stdin=ROWS)
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"--min-probability: several labels have no probability together" in result.stderr
    found = answers(seqrnn("classify", "-m", several, "--jsonl", stdin=ROWS))
    assert all(c["probability"] >= 0.5 for r in found for c in r["nbest"])


def test_a_language_model_has_none(seqrnn, storyteller) -> None:
    result = seqrnn("evaluate", "-m", storyteller, "story.txt", "--min-probability", "0.5")
    assert result.returncode == 2
    assert b"--min-probability: its answers have no probability" in result.stderr
