"""The model card: what was measured, with an author's words kept, and nothing of the data let loose."""

from __future__ import annotations

import json
import shutil

import pytest

import seqrnn
from seqrnn.library.compared_runs import compare, differing
from seqrnn.library.model_card import write_model_card


@pytest.mark.parametrize(
    "name", ["classifier", "tagger", "storyteller", "speller", "number", "vector", "music"]
)
def test_a_training_writes_what_was_measured(run_of, name):
    run = run_of(name)
    card = (run / "README.md").read_text(encoding="utf-8")
    assert "to be written by its author" in card
    best = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    assert f"| loss | {best['loss']:,.4f} |" in card
    assert f"{seqrnn.__version__}" in card
    assert "step 8," in card or "step" in card


def test_what_the_author_wrote_stays(run_of, tmp_path):
    run = shutil.copytree(run_of("classifier"), tmp_path / "run")
    card = run / "README.md"
    mine = (
        card.read_text().replace("_What this model is for", "For fun. _What this model was for")
        + "\nMy end.\n"
    )
    card.write_text(mine.replace("| loss |", "| lost |"))
    write_model_card(run, ["seqrnn", "train", "a|b"])
    again = card.read_text()
    assert "For fun." in again
    assert again.endswith("\nMy end.\n")
    assert again.count("| loss |") == 1
    assert "lost" not in again
    assert "| command | seqrnn train a\\|b |" in again
    card.write_text("# Mine alone\n")
    write_model_card(run)
    assert card.read_text().startswith("# Mine alone\n\n<!-- seqrnn: measured -->\n")
    assert "## Figures" in card.read_text()


def test_labels_are_text_and_no_markup(tmp_path):
    labels = ["<script>x</script>", "[a](b)|c"]
    rows = [{"text": f"w{i % 2} x", "label": labels[i % 2]} for i in range(40)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    small = {"steps": 2, "hidden_size": 4, "embedding_size": 4, "threads": 1, "device": "cpu"}
    seqrnn.train(tmp_path / "data.jsonl", tmp_path / "run", task="classification", **small)
    card = (tmp_path / "run" / "README.md").read_text()
    assert "<script>" not in card
    assert "\\<script\\>x" in card
    assert "\\[a\\](b)\\|c" in card


def test_runs_are_compared_the_best_first_with_the_settings_that_differ(run_of, tmp_path):
    paths = [run_of("several"), run_of("classifier"), run_of("number")]
    found = compare(paths)
    assert [run.task for run in found] == ["classification", "classification", "regression"]
    first, second, _ = found
    assert first.figures["accuracy"] >= second.figures["accuracy"]
    assert all(run.parameters > 0 and run.seconds > 0 for run in found)
    assert "data.multi_label" in differing(found[:2])
    assert differing([first, first]) == {}
