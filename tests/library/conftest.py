"""Small models of every task, trained by the library itself, each once a session and when it is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import seqrnn

PHRASES = {
    "food": ("warm soup", "fresh bread with butter", "sweet plum cake", "fish and rice"),
    "travel": ("the train to the coast", "a slow boat", "two bus tickets", "my bag at the station"),
    "weather": ("rain over the hills", "a cold wind", "bright sun", "snow on the road"),
}
ENDINGS = ("today", "again", "as ever", "for once")
EXAMPLES = [(f"{p} {end}", label) for end in ENDINGS for label, ps in PHRASES.items() for p in ps]
TAGGED_WORDS = ("Ann N", "saw V", "old A", "Bo N", "run V")


def lines(objects) -> str:
    return "".join(json.dumps(item) + "\n" for item in objects)


random = np.random.default_rng(3)
SERIES = [random.normal(size=(3 + i % 4, 2)).round(3) for i in range(30)]
FILES = {
    "classifier": ("train.tsv", "".join(f"{text}\t{label}\n" for text, label in EXAMPLES)),
    "several": (
        "several.jsonl",
        lines({"text": t, "labels": [c, "now"] if "today" in t else [c]} for t, c in EXAMPLES),
    ),
    "tagger": (
        "train.conll",
        "".join("\n".join(TAGGED_WORDS[i % 4 : 1 + i % 6]) + "\n\n" for i in range(30)),
    ),
    "storyteller": ("story.txt", "".join(f"{text}\n" for text, _ in EXAMPLES * 2)),
    "speller": (
        "pairs.tsv",
        "".join(f"{'abcdef'[i % 5 : 1 + i % 6]}x\t{i % 5} {i % 6} 7\n" for i in range(40)),
    ),
    "number": ("numbers.jsonl", lines({"vectors": s.tolist(), "label": float(s.sum())} for s in SERIES)),
    "vector": (
        "vector.jsonl",
        lines({"vector": s[0].tolist(), "label": "ab"[i % 2]} for i, s in enumerate(SERIES)),
    ),
    "music": ("music.jsonl", lines({"notes": [[i % 5, 7], [i % 3], []]} for i in range(20))),
}
SETTINGS = {
    "classifier": {"task": "classification", "steps": 40},
    "several": {"multi_label": True},
    "speller": {"task": "seq2seq"},
    "number": {"task": "regression"},
    "music": {"keys": 12},
}
SMALL = {
    "hidden_size": 12,
    "embedding_size": 12,
    "steps": 8,
    "learning_rate": 0.02,
    "precision": "fp32",
    "threads": 1,
    "device": "cpu",
}


@pytest.fixture(scope="session")
def library_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    for name, content in FILES.values():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def run_of(library_folder):
    """A function `(name in FILES) -> path of its run`."""
    made: dict[str, Path] = {}

    def run(name: str) -> Path:
        if name not in made:
            settings = {**SMALL, **SETTINGS.get(name, {})}
            result = seqrnn.train(library_folder / FILES[name][0], library_folder / f"{name}.run", **settings)
            made[name] = result.path
        return made[name]

    return run


@pytest.fixture
def model_of(run_of):
    """A function `(name in FILES, arguments of load) -> model`."""
    return lambda name, **more: seqrnn.load(run_of(name), **more)
