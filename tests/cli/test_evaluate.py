"""`seqrnn evaluate`, held against scikit-learn and against what `seqrnn classify` answers."""

from __future__ import annotations

import json
import math

import pytest
from sklearn.metrics import accuracy_score, f1_score
from sklearn.preprocessing import MultiLabelBinarizer


def figures(result) -> dict:
    assert (result.returncode, result.stderr) == (0, b"")
    (line,) = result.stdout.splitlines()
    return json.loads(line)


@pytest.fixture(scope="module")
def told(seqrnn, classifier) -> dict:
    """The figures of the test file."""
    return figures(seqrnn("evaluate", "-m", classifier, "test.tsv", "--json"))


@pytest.fixture(scope="module")
def answers(seqrnn, classifier, folder):
    """The labels of the test file, and those that classify gives."""
    rows = [line.split("\t") for line in (folder / "test.tsv").read_text().splitlines()]
    texts = "".join(f"{text}\n" for text, _ in rows).encode()
    labelled = seqrnn("classify", "-m", classifier, stdin=texts)
    return [label for _, label in rows], labelled.stdout.decode().split()


def test_the_figures_are_those_of_scikit_learn_on_the_answers(told, answers) -> None:
    assert (told["task"], told["examples"], told["tokens"]) == ("classification", 42, 42)
    assert told["accuracy"] == pytest.approx(accuracy_score(*answers))
    for average in ("macro", "micro"):
        assert told[f"{average}_f1"] == pytest.approx(f1_score(*answers, average=average))
    assert told.keys() == {
        "task",
        "examples",
        "tokens",
        "loss",
        "accuracy",
        "macro_f1",
        "micro_f1",
        "unknown_labels",
        "expected_calibration_error",
        "expected_calibration_error_uncalibrated",
    }


def test_the_loss_is_the_mean_of_the_scores_that_classify_gives(told, seqrnn, classifier, folder) -> None:
    rows = [line.split("\t") for line in (folder / "test.tsv").read_text().splitlines()]
    lines = "".join(json.dumps({"text": text, "gold": gold}) + "\n" for text, gold in rows).encode()
    answered = seqrnn("classify", "-m", classifier, "--jsonl", "-k", "3", stdin=lines)
    scores = [
        next(entry["score"] for entry in record["nbest"] if entry["prediction"] == record["gold"])
        for record in map(json.loads, answered.stdout.splitlines())
    ]
    assert told["loss"] == pytest.approx(-sum(scores) / len(scores), abs=1e-6)


def test_the_way_the_data_come_in_changes_nothing(seqrnn, classifier, folder) -> None:
    from_file = figures(seqrnn("evaluate", "-m", classifier, "train.jsonl", "--json"))
    parallel = ["--src", "train.source", "--tgt", "train.target"]
    assert figures(seqrnn("evaluate", "-m", classifier, "--json", *parallel)) == from_file
    stdin = (folder / "train.tsv").read_bytes()
    assert figures(seqrnn("evaluate", "--json", stdin=stdin, SEQRNN_MODEL=str(classifier))) == from_file


def test_a_person_sees_figures_classes_and_confusions(seqrnn, classifier, folder) -> None:
    (folder / "wrong.tsv").write_text("warm soup\tfood\nwarm soup\ttravel\nrain over the hills\tweather\n")
    result = seqrnn("evaluate", "-m", classifier, "wrong.tsv")
    assert (result.returncode, result.stderr) == (0, b"")
    summary, classes, confusions = result.stdout.decode().split("\n\n")
    assert dict(line.rsplit(maxsplit=1) for line in summary.splitlines())["accuracy"] == "66.67%"
    names = [line.split()[0] for line in classes.splitlines()]
    assert names == ["label", "food", "travel", "weather"]
    assert len({len(line) for line in classes.splitlines()}) == 1  # columns stand under each other
    assert confusions.splitlines()[-1].split() == ["travel", "food", "1"]


def test_multi_label_figures_are_those_of_scikit_learn(seqrnn, several, folder) -> None:
    told = figures(seqrnn("evaluate", "-m", several, "several.tsv", "--json"))
    rows = [line.split("\t") for line in (folder / "several.tsv").read_text().splitlines()]
    texts = "".join(f"{text}\n" for text, _ in rows).encode()
    answered = seqrnn("classify", "-m", several, stdin=texts).stdout.decode().splitlines()
    binary = MultiLabelBinarizer().fit([labels.split(",") for _, labels in rows])
    actual = binary.transform([labels.split(",") for _, labels in rows])
    chosen = binary.transform([line.split("\t") if line else [] for line in answered])
    assert told["accuracy"] == pytest.approx(accuracy_score(actual, chosen))
    assert told["macro_f1"] == pytest.approx(f1_score(actual, chosen, average="macro", zero_division=0))
    assert told["macro_f1"] > 0.5


def test_figures_of_a_language_model_agree_with_each_other(seqrnn, storyteller) -> None:
    told = figures(seqrnn("evaluate", "-m", storyteller, "story.txt", "--json"))
    assert told.keys() == {
        "task",
        "examples",
        "tokens",
        "loss",
        "perplexity",
        "bits_per_character",
        "unknown_tokens",
    }
    assert told["perplexity"] == pytest.approx(math.exp(told["loss"]))
    assert told["bits_per_character"] == pytest.approx(told["loss"] / math.log(2))  # a token is a character
    assert 0.5 < told["loss"] < math.log(30)


def test_a_file_for_the_answers_is_written_instead_of_stdout(seqrnn, classifier, folder) -> None:
    result = seqrnn("evaluate", "-m", classifier, "test.tsv", "--json", "-o", "figures.json")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert json.loads((folder / "figures.json").read_bytes())["task"] == "classification"


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["test.tsv", "--src", "train.source", "--tgt", "train.target"], 2, "--src and --tgt name the data"),
        (["--src", "train.source"], 2, "--src and --tgt go together"),
        (["absent.tsv"], 3, "absent.tsv: No such file"),
        (["train.source"], 3, "no label"),
        (["test.tsv", "--label-col", "9"], 3, "test.tsv:1: no column 9"),
    ],
)
def test_what_cannot_be_measured_is_one_line(seqrnn, classifier, args, code, words) -> None:
    result = seqrnn("evaluate", "-m", classifier, *args)
    assert (result.returncode, result.stdout) == (code, b"")
    assert result.stderr.count(b"\n") == 1
    assert words in result.stderr.decode()


def test_lines_are_scored_in_order_and_nonsense_ranks_last(seqrnn, storyteller):
    lines = ["rain over the hills today", "", "zqx vvw kkj qqzx", "a slow boat"]
    result = seqrnn("evaluate", "-m", storyteller, "--per-line", stdin="\n".join(lines).encode())
    assert result.returncode == 0
    rows = [row.split("\t") for row in result.stdout.decode().splitlines()]
    assert [text for _, text in rows] == lines
    scores = [float(score) for score, _ in rows]
    assert max(scores[0], scores[3]) < scores[2]
    told = seqrnn(
        "evaluate", "-m", storyteller, "--per-line", "--json", stdin=b'{"text": "a slow boat", "n": 7}\n'
    )
    record = json.loads(told.stdout)
    assert (record["text"], record["n"], record["error"]) == ("a slow boat", 7, None)
    assert record["prediction"] == pytest.approx(scores[3], abs=1e-3)
    assert record["score"] == pytest.approx(-record["prediction"] * len("a slow boat\n"), rel=1e-5)


def test_only_a_language_model_scores_lines(seqrnn, classifier):
    result = seqrnn("evaluate", "-m", classifier, "--per-line", stdin=b"snow\n")
    assert result.returncode == 2
    assert b"language model" in result.stderr


@pytest.mark.parametrize(
    "options",
    [("--label-col", "2"), ("--format", "tsv"), ("--beam-size", "3"), ("--streams", "2"), ("--dynamic",)],
)
def test_scores_of_lines_refuse_what_would_be_of_no_use(seqrnn, storyteller, options):
    result = seqrnn("evaluate", "-m", storyteller, "--per-line", *options, stdin=b"snow\n")
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode().startswith(f"seqrnn: error: {options[0]}: --per-line reads")


def test_only_a_long_text_is_read_in_streams(seqrnn, classifier):
    result = seqrnn("evaluate", "-m", classifier, "test.tsv", "--streams", "3")
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(b"seqrnn: error: --streams: ")
    assert result.stderr.endswith(b"classifier was not trained on one long text; leave it out\n")


def test_a_model_may_learn_from_the_text_that_it_is_measured_on(seqrnn, storyteller, tmp_path):
    text = tmp_path / "story.txt"
    text.write_text("zq zq zq xw. " * 2000)
    asked = ["evaluate", "-m", storyteller, text, "--json"]
    found = [json.loads(seqrnn(*asked, *more).stdout)["loss"] for more in ([], ["--dynamic"], [])]
    assert found[1] < 0.95 * found[0]
    assert found[2] == found[0]


@pytest.mark.parametrize("option", [("--beam-size", "3"), ("--bleu-tokenizer", "zh")])
def test_options_of_writers_are_refused_where_nothing_is_written(seqrnn, classifier, option):
    result = seqrnn("evaluate", "-m", classifier, "test.tsv", *option)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(f"seqrnn: error: {option[0]}: {classifier} was trained for".encode())
