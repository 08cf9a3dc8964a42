"""Every kind of model has a page, with the sections of its task."""

from __future__ import annotations

import json

import numpy as np
import pytest
from lxml import html

from seqrnn.library.measuring import DataArguments
from seqrnn.reporting.drawing.environment import environment
from seqrnn.reporting.gathering import Wanted, gather
from seqrnn.reporting.measures.mistakes import Case
from seqrnn.reporting.page import page_numbers, write_page
from seqrnn.reporting.pictures import Picture

RNG = np.random.default_rng(11)


def series(target):
    rows = [RNG.normal(size=(3 + n % 4, 2)).round(3).tolist() for n in range(24)]
    lines = (json.dumps({"vectors": steps, "label": target(n, steps)}) for n, steps in enumerate(rows))
    return "\n".join(lines) + "\n"


def vectors(target):
    rows = [RNG.normal(size=3).round(3).tolist() for _ in range(24)]
    return "\n".join(json.dumps({"vector": row, "label": target(n)}) for n, row in enumerate(rows)) + "\n"


MUSIC = "\n".join(json.dumps({"notes": [[3 + n % 3], [5], [], [3, 7]]}) for n in range(12)) + "\n"
PAIRS = "".join(f"{'abcd'[n % 4 :]} x\t{'dcba'[n % 4 :]}{n % 3}\n" for n in range(24))
OF_NUMBERS = {"data.source_kind": "vectors"}
OF_VECTORS = {"data.source_kind": "vector"}
CHAR = {"data.tokenizer": "char", "data.target_tokenizer": "char"}
CASES = {
    "classification": ("tsv", {}, None, {"classes", "mistakes", "saliency"}),
    "tagging": ("conll", {}, None, {"tagged", "classes"}),
    "a long text": ("text", {}, None, {"surprisal"}),
    "lines": ("lines", {}, None, {"surprisal"}),
    "pairs": ("tsv", {"task": "seq2seq", **CHAR}, PAIRS, {"edits", "mistakes"}),
    "series": (
        "jsonl",
        {"task": "classification", **OF_NUMBERS},
        series(lambda n, _: "ab"[n % 2]),
        {"classes", "saliency"},
    ),
    "numbers": (
        "jsonl",
        {"task": "regression", **OF_NUMBERS},
        series(lambda _, steps: str(steps[0][0])),
        {"numbers", "saliency"},
    ),
    "vectors": (
        "jsonl",
        {"task": "classification", **OF_VECTORS},
        vectors(lambda n: "ab"[n % 2]),
        {"classes", "saliency"},
    ),
    "vectors to texts": (
        "jsonl",
        {"task": "seq2seq", **OF_VECTORS, **CHAR},
        vectors(lambda n: f"ab{n % 3}"),
        {"edits", "mistakes"},
    ),
    "music": ("jsonl", {"task": "polyphony", "data.source_kind": "notes"}, MUSIC, {"music"}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_model_has_a_page(train, tmp_path, case) -> None:
    layout, settings, content, sections = CASES[case]
    _, run = train(layout, settings, content)
    data = DataArguments((str(tmp_path / f"train.{layout}"),))
    subject, _ = gather(run, Wanted(data, device="cpu"))
    tree = html.fromstring(write_page(subject))
    found = {section.get("id") for section in tree.xpath("//section")}
    assert sections | {"summary"} <= found
    legends = [item.text_content() for item in tree.xpath("//ul[@class='legend'][1]/li")]
    assert ("feature 2" in legends) == (case in {"series", "numbers"})
    assert json.loads(json.dumps(page_numbers(subject), allow_nan=False))["figures"]


@pytest.mark.parametrize(
    ("predicted", "told"), [("a cat", "should be a dog or dogs"), (["cat"], "should be a dog, dogs")]
)
def test_of_several_right_texts_one_is_asked_for_and_of_labels_all(predicted, told) -> None:
    case = Case("rows.tsv:1", Picture("x"), ["a dog", "dogs"], predicted, False, 0.5, [])
    shown = html.fromstring(str(environment().get_template("parts.html").module.cases([case])))
    assert told in " ".join(shown.text_content().split())
