"""`seqrnn inspect`: what a run is, without its data and without torch."""

from __future__ import annotations

import json
import shutil

import pytest
from rich.cells import cell_len
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
    first = seqrnn("inspect", "-m", classifier).stdout.decode().split("\n\n")[0]
    shown = dict(line.split("  ", 1) for line in first.splitlines())
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


def test_data_settings_and_history_are_those_of_the_run(seqrnn, classifier) -> None:
    facts = json.loads(seqrnn("inspect", classifier, "--json").stdout)
    assert (facts["format"], facts["valid_fraction"], facts["validated_on"]) == ("tsv", 0.1, [])
    assert facts["columns"] == {}
    assert facts["labels"] == ["food", "travel", "weather"]
    tokenizer = json.loads((classifier / "tokenizer.json").read_text())
    assert facts["vocabularies"] == {"source": len(tokenizer["model"]["vocab"])}
    assert facts["settings"]["training.steps"] == 60
    assert facts["settings"]["model.hidden_size"] == 12
    assert not {"model.cell", "training.seed", "data.train"} & set(facts["settings"])
    logged = [json.loads(line) for line in (classifier / "metrics.jsonl").read_text().splitlines()]
    assert facts["history"] == logged


def test_columns_are_told_where_they_were_chosen(seqrnn, folder, small) -> None:
    made = seqrnn("train", "train.csv", "-o", "by-columns", "--steps", "1", *small)
    assert made.returncode == 0, made.stderr
    facts = json.loads(seqrnn("inspect", "by-columns", "--json").stdout)
    assert facts["columns"] == {"read": "text", "answer": "label"}
    assert b"columns: read text; answer label" in seqrnn("inspect", "by-columns").stdout


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_the_network_and_its_learning_are_drawn(seqrnn, classifier, columns) -> None:
    shown = seqrnn("inspect", classifier, COLUMNS=str(columns), LC_ALL="C.UTF-8").stdout.decode()
    _, network, data, settings, history = shown.split("\n\n")
    assert "[h_1] ⇄ [h_2] ⇄ ... ⇄ [h_T]" in network
    above, _, _, _, below = network.splitlines()[1:]
    assert above.split() == ["label"]
    assert below.split() == ["x_1", "x_2", "...", "x_T"]
    assert "train.tsv, read as tsv" in data
    assert "training.steps: 60" in settings
    assert history.startswith("History of 3 evaluations\n")
    assert history.count("●") > columns / 3
    assert "○" in history
    sections = (network, data, settings, history)
    assert all(cell_len(line) <= columns for section in sections for line in section.splitlines())
    in_ascii = seqrnn("inspect", classifier, COLUMNS=str(columns), LC_ALL="C").stdout
    assert in_ascii.isascii()
    assert b"[h_1] <-> [h_2]" in in_ascii


def test_a_damaged_history_is_said_to_be_so_and_the_rest_is_shown(seqrnn, classifier, folder) -> None:
    shutil.copytree(classifier, folder / "damaged-history")
    (folder / "damaged-history" / "metrics.jsonl").write_text("{}\n")
    result = seqrnn("inspect", "damaged-history")
    assert (result.returncode, result.stderr.count(b"\n")) == (0, 1)
    assert b"metrics.jsonl:1: has no step" in result.stderr
    assert b"History" not in result.stdout
    assert b"[h_T]" in result.stdout
