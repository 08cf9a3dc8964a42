"""Each model, trained as a user trains it, learns what it must."""

from __future__ import annotations

import random

import numpy as np
import pytest

from seqrnn.answering.labeller import Labeller
from seqrnn.answering.opened_run import open_run
from seqrnn.answering.text_generator import TextGenerator
from seqrnn.catalog import CELLS
from seqrnn.data.record import Record
from seqrnn.run.directory import RunDirectory
from seqrnn.search.generation import Limits, generate
from seqrnn.search.sampling import Sampling
from seqrnn.tasks.task import LabelSelection

THOROUGH = {
    "data.valid_fraction": 0.0,
    "model.hidden_size": 24,
    "model.embedding_size": 12,
    "training.epochs": None,
    "training.steps": 150,
    "training.evaluate_every": 1000,
    "training.learning_rate": 0.02,
    "training.weight_decay": 0.0,
    "training.batch_size": 50,
}
REPEATING = "one fish two fish red fish blue fish\n"


@pytest.fixture(params=CELLS)
def cell(request):
    return request.param


def test_a_character_model_learns_a_repeating_text_and_goes_on_with_it(train, cell, opened):
    settings = {**THOROUGH, "model.cell": cell, "training.segment_length": 37, "training.batch_size": 4}
    settings["training.steps"] = 250
    _, path = train("text", settings, REPEATING * 40)
    _, backend = opened(path)
    continuer = TextGenerator(open_run(path), backend)
    prompt = continuer.tokenizer.encode_batch(["one fish two f"])[0].ids
    start = continuer.start(np.asarray(prompt))
    chosen = generate(continuer.step, start, Limits(fixed_len=60), Sampling(temperature=0))
    text = continuer.tokenizer.decode([int(step.tokens[0]) for step in chosen])
    assert text == (REPEATING * 3)[len("one fish two f") :][:60]


def orders(count, seed):
    """Lines with one `a` and one `b` among other words; only which comes first tells the label."""
    choice = random.Random(seed)
    lines = []
    for _ in range(count):
        words = choice.choices("xyz", k=choice.randint(1, 5))
        first = choice.choice("ab")
        place = choice.randint(0, len(words))
        words.insert(place, first)
        words.insert(choice.randint(place + 1, len(words)), {"a": "b", "b": "a"}[first])
        lines.append((" ".join(words), first))
    return lines


def test_a_classifier_learns_what_only_the_order_of_words_tells(train, cell, opened):
    content = "".join(f"{text}\t{label}\n" for text, label in orders(200, seed=1))
    settings = {**THOROUGH, "model.cell": cell, "training.steps": 200, "training.learning_rate": 0.01}
    _, path = train("tsv", settings, content)
    unseen = orders(200, seed=2)
    answers = Labeller(*opened(path)).answer([Record(text) for text, _ in unseen], LabelSelection())
    right = sum(answer.prediction == label for answer, (_, label) in zip(answers, unseen, strict=True))
    assert right / len(unseen) > 0.95
    assert RunDirectory.open(path).best().step == 200
