"""`seqrnn inspect`: what a run is, without its data and without torch."""

from __future__ import annotations

import json

import pytest
from safetensors.numpy import load_file


def test_the_facts_are_those_of_the_run(seqrnn, classifier) -> None:
    result = seqrnn("inspect", "-m", classifier, "--json")
    assert (result.returncode, result.stderr) == (0, b"")
    facts = json.loads(result.stdout)
    told = {key: facts[key] for key in ("task", "cell", "layers", "hidden_size", "tokenizer", "metric")}
    assert told == {
        "task": "classification",
        "cell": "lstm",
        "layers": 1,
        "hidden_size": 12,
        "tokenizer": "word",
        "metric": "accuracy",
    }
    assert facts["trained_on"] == ["train.tsv"]
    weights = load_file(classifier / f"gen-{facts['step']:08d}" / "model.safetensors")
    assert facts["parameters"] == sum(tensor.size for tensor in weights.values())
    logged = [json.loads(line) for line in (classifier / "metrics.jsonl").read_text().splitlines()]
    assert facts["value"] == max(line["accuracy"] for line in logged)


def test_a_person_sees_the_metric_by_its_name(seqrnn, classifier) -> None:
    lines = seqrnn("inspect", "-m", classifier).stdout.decode().splitlines()
    shown = dict(line.split("  ", 1) for line in lines)
    assert shown["accuracy"].strip().endswith("%")
    assert shown["trained on"].strip() == "train.tsv"


def test_only_what_can_read_both_ways_says_whether_it_does(seqrnn, classifier, storyteller) -> None:
    for run, told in [(classifier, True), (storyteller, None)]:
        facts = json.loads(seqrnn("inspect", "-m", run, "--json").stdout)
        assert facts["bidirectional"] is told


def test_the_settings_are_printed_as_they_were_saved(seqrnn, classifier) -> None:
    result = seqrnn("inspect", "-m", classifier, "--config")
    assert result.stdout == (classifier / "config.yaml").read_bytes()


@pytest.mark.parametrize(
    ("path", "words"), [("absent", "no such run"), ("train.tsv", "is a file"), (".", "runs")]
)
def test_what_is_no_run_is_refused(seqrnn, classifier, path: str, words: str) -> None:
    result = seqrnn("inspect", "-m", path)
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (4, b"", 1)
    assert words in result.stderr.decode()


def test_the_run_is_an_argument_or_an_option(seqrnn, classifier, storyteller) -> None:
    expected = seqrnn("inspect", "-m", classifier).stdout
    assert seqrnn("inspect", classifier).stdout == expected
    assert seqrnn("inspect", classifier, SEQRNN_MODEL=str(storyteller)).stdout == expected
    assert seqrnn("inspect", SEQRNN_MODEL=str(classifier)).stdout == expected
    for arguments, words in [
        ([classifier, "-m", storyteller], b"exclude each other; give one of them"),
        ([], b"nothing to inspect; name a data file, or a run directory that training made"),
    ]:
        result = seqrnn("inspect", *arguments)
        assert (result.returncode, result.stderr.count(b"\n")) == (2, 1)
        assert words in result.stderr
