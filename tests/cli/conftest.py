"""Data files and trained models for the tests of the commands, made once a session by the commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from forked import Forker, kind_of

Result = subprocess.CompletedProcess[bytes]
Program = Callable[..., Result]

PHRASES = {
    "food": ("warm soup", "fresh bread with butter", "sweet plum cake", "fish and rice"),
    "travel": ("the train to the coast", "a slow boat", "two bus tickets", "my bag at the station"),
    "weather": ("rain over the hills", "a cold wind", "bright sun", "snow on the road"),
}
ENDINGS = ("today", "again", "as ever", "for once", "", "they said so")
EXAMPLES = [
    (f"{phrase} {ending}".strip(), label)
    for turn in range(4)
    for ending in ENDINGS
    for label, phrases in PHRASES.items()
    for phrase in phrases[turn:] + phrases[:turn]
]
SMALL = ("--hidden-size", "12", "--embedding-size", "12", "--precision", "fp32", "--threads", "1")
SMALL += ("--learning-rate", "0.02")
AFTER_START = frozenset({"COLUMNS", "TERM", "NO_COLOR", "SEQRNN_CACHE"})
"""Variables of the environment that nobody reads before a command begins."""
CLASSIFIER = ("--steps", "60", "--evaluate-every", "20", *SMALL)


def table(examples: list[tuple[str, str]]) -> str:
    return "".join(f"{text}\t{label}\n" for text, label in examples)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Where all commands run: the same examples in every layout, and a text."""
    folder = tmp_path_factory.mktemp("commands")
    objects = [json.dumps({"text": text, "label": label}) for text, label in EXAMPLES]
    files = {
        "train.tsv": table(EXAMPLES),
        "test.tsv": table(EXAMPLES[::7]),
        "train.csv": "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in EXAMPLES),
        "train.jsonl": "\n".join(objects),
        "train.fasttext": "".join(f"__label__{label} {text}\n" for text, label in EXAMPLES),
        "train.source": "".join(f"{text}\n" for text, _ in EXAMPLES),
        "train.target": "".join(f"{label}\n" for _, label in EXAMPLES),
        "several.tsv": table([(t, f"{c},now" if "today" in t else c) for t, c in EXAMPLES]),
        "story.txt": "\n".join(text for text, _ in EXAMPLES) + "\n",
    }
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    """Options of a network that learns the examples in no time."""
    return SMALL


@pytest.fixture(scope="session")
def options() -> tuple[str, ...]:
    """Options that the classifier was trained with."""
    return CLASSIFIER


@pytest.fixture(scope="session")
def environment(folder) -> dict[str, str]:
    """The environment of every command: a cache of its own, and no terminal to guess at."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SEQRNN_")}
    return {**kept, "SEQRNN_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def forker(environment, tmp_path_factory):
    """Runs commands in processes that have imported PyTorch already."""
    forker = Forker(environment, tmp_path_factory.mktemp("forker"))
    yield forker
    forker.close()


@pytest.fixture(scope="session")
def answering_forker(environment, tmp_path_factory):
    """Runs commands in processes that have imported what answers without PyTorch."""
    forker = Forker(environment, tmp_path_factory.mktemp("forker"), "numpy")
    yield forker
    forker.close()


@pytest.fixture(scope="session")
def seqrnn(folder, environment, forker, answering_forker) -> Program:
    """Runs `seqrnn` with arguments, in the folder; `stdin` are bytes, other keywords environment.

    Most commands are forked from a process that has imported what they need. An interpreter of their own is
    for help, and for an environment that Python reads when it starts.
    """

    def run(*args: str | Path, stdin: bytes = b"", **env: str) -> Result:
        arguments = [*map(str, args)]
        kind = kind_of(arguments, folder)
        if kind == "torch":
            return forker.run(arguments, stdin, {**environment, **env}, folder)
        if kind == "numpy" and env.keys() <= AFTER_START:
            return answering_forker.run(arguments, stdin, {**environment, **env}, folder)
        return subprocess.run(
            [sys.executable, "-m", "seqrnn", *arguments],
            input=stdin,
            env={**environment, **env},
            cwd=folder,
            capture_output=True,
            check=False,
            timeout=60,
        )

    return run


@pytest.fixture(scope="session")
def shell(folder, environment) -> Program:
    """Runs a line of bash in the folder, in which `seqrnn` is the command."""

    def run(line: str) -> Result:
        prelude = f'seqrnn() {{ "{sys.executable}" -m seqrnn "$@"; }}; '
        command = ["bash", "-c", prelude + line]
        return subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, check=False, timeout=60
        )

    return run


def weights(run: Path) -> bytes:
    """The newest weights of a run, as they are on disk."""
    return max(run.glob("gen-*")).joinpath("model.safetensors").read_bytes()


@pytest.fixture(scope="session")
def newest_weights(folder) -> Callable[[str], bytes]:
    return lambda name: weights(folder / name)


def _train(seqrnn: Program, *args: str) -> Result:
    result = seqrnn("train", *args)
    assert result.returncode == 0, result.stderr.decode()
    return result


@pytest.fixture(scope="session")
def training(seqrnn) -> Result:
    """What the training of the classifier, in the folder's run `classifier`, has printed."""
    return _train(seqrnn, "train.tsv", "-o", "classifier", *CLASSIFIER)


@pytest.fixture(scope="session")
def classifier(training, folder) -> Path:
    return folder / "classifier"


@pytest.fixture(scope="session")
def several(seqrnn, folder) -> Path:
    """A multi-label classifier."""
    _train(seqrnn, "several.tsv", "--multi-label", "-o", "several", "--steps", "200", *SMALL)
    return folder / "several"


@pytest.fixture(scope="session")
def storyteller(seqrnn, folder) -> Path:
    """A character language model."""
    _train(seqrnn, "story.txt", "-o", "storyteller", "--steps", "40", *SMALL)
    return folder / "storyteller"
