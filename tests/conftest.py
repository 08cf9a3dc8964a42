"""What tests of several folders need: a cache of their own, and small trainings on real files."""

from __future__ import annotations

import itertools
import signal

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # how long a call takes is the machine's affair
settings.load_profile("untimed")

EXAMPLES = "".join(
    f"{' '.join(['red', 'blue', 'old', 'new', 'cat', 'dog'][i % 5 : i % 5 + 1 + i % 4])}\t{'abc'[i % 3]}\n"
    for i in range(30)
)
TEXT = "the cat sat on the mat\nand the dog sat on the log\n" * 6
LINES = "".join(f"{'abcdefgh'[i % 4 : 1 + i % 8]}x\n" for i in range(20))
TAGGED_WORDS = ("Ann N", "saw V", "old A", "Bo N", "run V")
TAGGED = "".join("\n".join(TAGGED_WORDS[i % 4 : 1 + i % 6]) + "\n\n" for i in range(40))
CONTENT = {"tsv": EXAMPLES, "text": TEXT, "lines": LINES, "conll": TAGGED}

SMALL = {
    "data.valid_fraction": 0.2,
    "model.hidden_size": 6,
    "model.embedding_size": 5,
    "training.epochs": 2.0,
    "training.batch_size": 4,
    "training.segment_length": 5,
    "training.precision": "fp32",
    "training.device": "cpu",
}
BY_FORMAT = {
    "tsv": {"task": "classification", "data.tokenizer": "word"},
    "text": {"task": "language-model", "data.tokenizer": "char"},
    "lines": {"task": "language-model", "data.tokenizer": "char"},
    "conll": {"task": "tagging", "model.character_size": 3, "model.character_embedding_size": 4},
}


@pytest.fixture(autouse=True, scope="session")
def _interruptible():
    """A shell starts background jobs with SIGINT ignored, and what the tests start would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    needing = [item for item in items if item.get_closest_marker("gpu")]
    if needing and not _has_gpu():
        for item in needing:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device, and there is none"))


def _has_gpu():
    import torch

    return torch.cuda.is_available()


@pytest.fixture(autouse=True)
def _cache_of_the_test(tmp_path, monkeypatch):
    monkeypatch.setenv("SEQRNN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def make_session(tmp_path):
    """A function `(format, settings by dotted key, content of the training file) -> Session`."""
    from seqrnn.catalog import TASKS, load
    from seqrnn.config_file import from_defaults, resolve
    from seqrnn.data.dataset.prepare import prepare
    from seqrnn.training.session import Session

    def make(layout, settings=None, content=None, **more):
        file = tmp_path / f"train.{layout}"
        file.write_text(CONTENT[layout] if content is None else content, encoding="utf-8")
        chosen = {"data.train": (str(file),), "data.format": layout, **SMALL, **BY_FORMAT.get(layout, {})}
        config = resolve([from_defaults({**chosen, **(settings or {})})])
        task = load(TASKS[config.task])(config)
        return Session(config, task, prepare(config.data, task.fields, config.training.seed), **more)

    return make


@pytest.fixture
def train(make_session, tmp_path):
    """A function that trains what `make_session` makes, in a new run directory: `-> (session, path)`."""
    from seqrnn.training.session import RunTarget

    numbers = itertools.count()

    def run(layout, settings=None, content=None):
        session = make_session(layout, settings, content)
        path = tmp_path / f"run{next(numbers)}"
        for _ in session.train(RunTarget(path)):
            pass
        return session, path

    return run


@pytest.fixture
def opened():
    """A function `(path of a run, name of a backend) -> (task, backend)`."""
    from seqrnn.library.opened_model import OpenedModel, Resources

    def open_(path, backend="torch"):
        model = OpenedModel(path, None, Resources(backend, "cpu", 1))
        return model.run.task, model.backend

    return open_
