"""Labels and tags that training did not have, through the commands; conlleval, written anew, checks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SENTENCES = ("Ana B-per\nmet O\nIvo B-per\nLee I-per\n", "we O\nsaw O\nAna B-per\n")
TRAIN = "\n".join(SENTENCES * 30)
ODD = TRAIN.replace("met O", "met 0", 1)
TEST = "Ana B-per\nmet O\nRome B-loc\n\nwe O\nsaw Z\nNew B-loc\nYork I-loc\n"
TAGGER = ("--steps", "40", "--evaluate-every", "20", "--dropout", "0", "--embedding-dropout", "0")


@pytest.fixture(scope="module")
def spotter(seqrnn, folder, small) -> Path:
    """A tagger of names with an odd tag, whose validation data have tags that training did not have."""
    (folder / "odd.conll").write_text(ODD, encoding="utf-8")
    (folder / "names.test.conll").write_text(TEST, encoding="utf-8")
    arguments = ("odd.conll", "--valid", "names.test.conll", "-o", "spotter", *TAGGER, *small)
    result = seqrnn("train", *arguments)
    assert result.returncode == 0, result.stderr.decode()
    lines = result.stderr.decode().splitlines()
    warning = "the tag '0' (tokens: 1) is read as O, outside of all spans; fix it if it is a slip"
    assert f"warning: odd.conll:2: {warning}" in lines
    unknown = "'B-loc' (2, first at names.test.conll:3), 'Z' (1, first at names.test.conll:6), "
    unknown += "'I-loc' (1, first at names.test.conll:8)"
    assert f"validation: 4 labels that training did not have, counted as wrong: {unknown}" in lines
    assert any("span F1" in line for line in lines)
    return folder / "spotter"


def spans_of(tags: list[str]) -> set[tuple[str, int, int]]:
    """Read BIO as conlleval does: a span begins at B, and at I after another type or O."""
    spans, begun = set(), None
    for place, tag in enumerate([*tags, "O"]):
        letter, kind = (tag[0], tag[2:]) if tag[0] in "BI" else ("O", "")
        if begun and (letter != "I" or kind != begun[0]):
            spans.add((*begun, place))
            begun = None
        if letter != "O" and begun is None:
            begun = (kind, place)
    return spans


def test_figures_of_tags_that_training_did_not_have_are_those_of_conlleval(seqrnn, spotter):
    result = seqrnn("evaluate", "-m", spotter, "names.test.conll", "--json")
    assert result.returncode == 0
    assert b"4 labels that training did not have, counted as wrong: 'B-loc' (2, first at" in result.stderr
    figures = json.loads(result.stdout)
    blocks = [[line.split() for line in block.splitlines()] for block in TEST.split("\n\n")]
    words = "\n".join(" ".join(word for word, _ in block) for block in blocks)
    answers = seqrnn("classify", "-m", spotter, "--jsonl", stdin=words.encode()).stdout.splitlines()
    actual = [[tag for _, tag in block] for block in blocks]
    chosen = [json.loads(answer)["prediction"] for answer in answers]
    pairs = [pair for sides in zip(actual, chosen, strict=True) for pair in zip(*sides, strict=True)]
    truth, claimed = (
        {(row, *span) for row, tags in enumerate(side) for span in spans_of(tags)}
        for side in (actual, chosen)
    )
    assert figures["unknown_labels"] == 4
    assert figures["accuracy"] == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))
    assert figures["span_f1"] == pytest.approx(2 * len(truth & claimed) / (len(truth) + len(claimed)))
    table = seqrnn("evaluate", "-m", spotter, "names.test.conll", "-q").stdout.decode()
    assert [line.split()[-1] for line in table.splitlines() if line.startswith("loc")] == ["2"]


def test_a_classifier_counts_unknown_labels_as_wrong(seqrnn, classifier, folder):
    rows = ["warm soup\tfood", "a slow boat\ttravel", "a cat\tpets", "a dog\tpets", "a bone\tpets"]
    (folder / "pets.tsv").write_text("\n".join(rows), encoding="utf-8")
    result = seqrnn("evaluate", "-m", classifier, "pets.tsv", "--json")
    figures = json.loads(result.stdout)
    assert figures["unknown_labels"] == 3
    assert figures["accuracy"] == figures["micro_f1"] == pytest.approx(0.4)
    note = "seqrnn: 3 labels that training did not have, counted as wrong: 'pets' (3, first at pets.tsv:3)"
    assert note in result.stderr.decode().splitlines()
    shown = seqrnn("evaluate", "-m", classifier, "pets.tsv").stdout.decode().splitlines()
    assert next(line.split()[-1] for line in shown if line.startswith("pets")) == "3"


def test_unknown_tokens_of_a_text_are_counted(seqrnn, storyteller, folder):
    (folder / "strange.txt").write_text("warm soup\nžšč\n", encoding="utf-8")
    result = seqrnn("evaluate", "-m", storyteller, "strange.txt", "--json")
    figures = json.loads(result.stdout)
    assert figures["unknown_tokens"] == 3

    assert "tokens that training did not have, and read as <unk>: 3 of " in result.stderr.decode()
