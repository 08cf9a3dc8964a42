"""Estimators for scikit-learn: rows are strings, or lists of tokens, instead of vectors.

They take part in pipelines, searches and cross-validation, and can be cloned and pickled: a fitted one holds
the bytes of its run directory. scikit-learn is imported by this module alone.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from seqrnn.errors import OutputError
from seqrnn.library.public_model import Model, load
from seqrnn.library.results import RowAnswer
from seqrnn.library.rows import Refusal, read_row
from seqrnn.library.training import train
from seqrnn.run.location import check_free

__all__ = ["SequenceClassifier", "SequenceTagger"]


class _SequenceEstimator(BaseEstimator):  # type: ignore[misc]
    """What both estimators share: settings, a training on rows in memory, and a model in bytes."""

    run_: dict[str, bytes]

    def __init__(
        self,
        *,
        cell: str | None = None,
        num_layers: int | None = None,
        hidden_size: int | None = None,
        embedding_size: int | None = None,
        bidirectional: bool | None = None,
        dropout: float | None = None,
        epochs: float | None = None,
        steps: int | None = None,
        budget: str | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        valid_fraction: float = 0.0,
        threads: int | None = None,
        settings: Mapping[str, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        """Take settings by the names of the YAML; None leaves a setting to its default.

        `settings` holds any others. All rows are learnt from, unless `valid_fraction` holds some out, by
        which the best weights are chosen. `random_state` is the seed, or a generator that draws it.
        """
        self.cell = cell
        self.num_layers = num_layers
        self.hidden_size = hidden_size
        self.embedding_size = embedding_size
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.epochs = epochs
        self.steps = steps
        self.budget = budget
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.valid_fraction = valid_fraction
        self.threads = threads
        self.settings = settings
        self.random_state = random_state

    def save(self, path: str | Path) -> None:
        """Write the fitted model as a run directory, for `seqrnn.load` and every command.

        Raises UsageError where the path is not free, OutputError where it cannot be written.
        """
        check_is_fitted(self)
        check_free(Path(path))
        try:
            _write(self.run_, Path(path))
        except OSError as error:
            raise OutputError(f"{error.filename or path}: {error.strerror}") from error

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_opened"}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.target_tags.required = True
        return tags

    def _train(self, rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
        own = self.get_params(deep=False)
        settings = {**(own.pop("settings") or {}), **{k: v for k, v in own.items() if v is not None}}
        seed = settings.pop("random_state", None)
        if seed is not None:
            drawn = seed if isinstance(seed, Integral) else check_random_state(seed).randint(2**31 - 1)
            settings["seed"] = int(drawn)
        fixed = {**columns, "format": "jsonl", "source_kind": "text"}
        with tempfile.TemporaryDirectory(prefix="seqrnn-") as folder:
            data, run = Path(folder, "rows.jsonl"), Path(folder, "run")
            with data.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(row, ensure_ascii=True) + "\n" for row in rows)
            train(data, run, **{**settings, **fixed})
            self._opened = load(run)
            self.run_ = _read(run, self._opened.checkpoint)

    def _answers(self, X: Any, **options: Any) -> list[RowAnswer]:
        check_is_fitted(self)
        return self._model().classify(_rows(X), **options)

    def _model(self) -> Model:
        """Return the model of the last fit; it is not pickled, so a copy opens it when it is first asked."""
        if "_opened" not in self.__dict__:
            with tempfile.TemporaryDirectory(prefix="seqrnn-") as folder:
                _write(self.run_, Path(folder, "run"))
                self._opened = load(Path(folder, "run"))
        return self._opened


class SequenceClassifier(ClassifierMixin, _SequenceEstimator):  # type: ignore[misc]
    """Classifies sequences: `fit`, `predict`, `predict_proba` and `score` (accuracy).

    X is a list, or an array of one dimension, of strings or of lists of tokens; y holds a label for each.
    """

    classes_: np.ndarray

    def fit(self, X: Any, y: Any) -> Self:
        """Train on rows and their labels. Raises ValueError for rows or labels that are none."""
        if y is None:
            raise ValueError("SequenceClassifier requires y to be passed, but the target y is None")
        rows, labels = _rows(X), column_or_1d(y, warn=True)
        check_consistent_length(rows, labels)
        check_classification_targets(labels)
        classes, numbers = np.unique(labels, return_inverse=True)
        names = [str(label).strip() for label in classes]
        if len(classes) < 2:
            raise ValueError(f"there are rows of {len(classes)} class; a classifier needs two or more")
        if len(set(names) - {""}) < len(names):
            raise ValueError("labels are blank, or differ in blanks only; rename them")
        pairs = zip(rows, numbers.tolist(), strict=True)
        columns = {"task": "classification", "text_column": "text", "label_column": "label"}
        self._train(({"text": text, "label": names[number]} for text, number in pairs), columns)
        self.classes_ = classes
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the likeliest label of each row, (N,)."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        found: np.ndarray = self.classes_[likeliest]
        return found

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class for each row, (N, K), in the order of `classes_`."""
        check_is_fitted(self)
        columns = {str(label).strip(): column for column, label in enumerate(self.classes_)}
        answers = self._answers(X, k=len(columns))
        found = np.zeros((len(answers), len(columns)))
        for row, answer in enumerate(answers):
            for candidate in answer.nbest:
                found[row, columns[str(candidate.prediction)]] = candidate.probability
        return found


class SequenceTagger(_SequenceEstimator):
    """Gives each token of a sentence a tag: `fit`, `predict`, `predict_proba`, `score` (share of right tags).

    X is a list of sentences, each a list of tokens; y holds a list of as many tags for each.
    """

    classes_: np.ndarray

    def fit(self, X: Any, y: Any) -> Self:
        """Train on sentences and their tags. Raises ValueError where their numbers differ."""
        sentences, tags = _sentences(X), [list(map(str, row)) for row in y]
        check_consistent_length(sentences, tags)
        for number, (tokens, own) in enumerate(zip(sentences, tags, strict=True)):
            if len(tokens) != len(own):
                raise ValueError(f"row {number} has {len(tokens)} tokens and {len(own)} tags")
        columns = {"task": "tagging", "text_column": "tokens", "label_column": "tags"}
        pairs = zip(sentences, tags, strict=True)
        self._train(({"tokens": tokens, "tags": own} for tokens, own in pairs), columns)
        self.classes_ = np.array(self._model().labels)
        return self

    def predict(self, X: Any) -> list[list[str]]:
        """Return the tags of each sentence."""
        return [[str(tag) for tag in _items(answer)] for answer in self._answers(_sentences(X))]

    def predict_proba(self, X: Any) -> list[np.ndarray]:
        """Return the probability of each tag for each token: of a sentence (T, K), K as in `classes_`.

        These are the probabilities of single tags; where a CRF chooses them together, as `predict` says them,
        they need not be the likeliest ones.
        """
        answers = self._answers(_sentences(X), probs=True)
        shape = -1, len(self.classes_)
        return [np.exp(np.array(answer.class_scores, dtype=np.float64)).reshape(shape) for answer in answers]

    def score(self, X: Any, y: Any) -> float:
        """Return the share of tokens whose tag is right, 0 to 1."""
        pairs = zip(self.predict(X), y, strict=True)
        right = [mine == str(theirs) for tags, own in pairs for mine, theirs in zip(tags, own, strict=True)]
        return float(np.mean(right))


def _items(answer: RowAnswer) -> Sequence[Any]:
    return answer.prediction if isinstance(answer.prediction, tuple) else ()


def _rows(X: Any) -> list[str]:
    """Return rows as texts. Raises ValueError for what holds none."""
    if isinstance(X, str | bytes | Mapping) or not isinstance(X, Iterable):
        raise ValueError(f"X should be a list of strings or of lists of tokens, not a {type(X).__name__}")
    rows = [read_row(value, "text", number) for number, value in enumerate(X)]
    for number, row in enumerate(rows):
        if isinstance(row, Refusal):
            raise ValueError(f"X[{number}] {row.reason}")
    if not rows:
        raise ValueError("X holds no rows; a minimum of 1 is required")
    return [row.source for row in rows if not isinstance(row, Refusal)]


def _sentences(X: Any) -> list[list[str]]:
    """Return sentences as lists of tokens. Raises ValueError for what holds none."""
    _rows(X)
    for number, sentence in enumerate(X):
        if isinstance(sentence, str):
            raise ValueError(f"X[{number}] is a string; give a list of tokens")
    return [[str(token) for token in sentence] for sentence in X]


def _read(run: Path, best: Path) -> dict[str, bytes]:
    """Return what answers need of a run directory, by relative paths: settings, what was learnt, weights."""
    names = [path for path in run.iterdir() if path.is_file() and path.name not in {"lock", "metrics.jsonl"}]
    weights = [best / "model.safetensors", best / "manifest.json"]
    return {str(path.relative_to(run)): path.read_bytes() for path in (*names, *weights)}


def _write(files: Mapping[str, bytes], run: Path) -> None:
    for name, content in files.items():
        path = run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
