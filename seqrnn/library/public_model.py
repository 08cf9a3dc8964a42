"""`seqrnn.load`, and the `Model` that it returns: the methods of the public model."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Unpack, overload

from msgspec.structs import replace

from seqrnn.data.answer import Answer
from seqrnn.data.formats.column_names import field_of
from seqrnn.data.formats.numbers import Features
from seqrnn.errors import UsageError
from seqrnn.library.decoding import DecodingOptions, GenerationOptions
from seqrnn.library.installed import require_training
from seqrnn.library.opened_model import BackendName, OpenedModel, Resources
from seqrnn.library.results import LineScore, RowAnswer
from seqrnn.library.row_answerers import line_scorer, row_explainer, row_generator, row_predictor
from seqrnn.library.row_parts import Answering, Errors, Part, Result, parts_of, results
from seqrnn.library.rows import Refusal, RowAnswerer, read_row, without_surrogates

if TYPE_CHECKING:
    from seqrnn.answering.continuation import Continuation
    from seqrnn.backends.torch.backend import TorchBackend
    from seqrnn.catalog import BleuTokenizer, SaliencyMethod
    from seqrnn.library.explanations import Explanation
    from seqrnn.metrics.evaluation import Evaluation


def load(
    path: str | os.PathLike[str],
    *,
    backend: BackendName = "auto",
    device: str = "auto",
    threads: int = 1,
) -> Model:
    """Open the best weights of a run directory.

    NumPy computes, and PyTorch is not imported, unless the model reads images, `device` names a GPU, or
    `backend` says otherwise. `threads` parts of the rows are answered side by side. Nothing in the directory
    is trusted: raises ModelError where anything is damaged, and UsageError for arguments that do not fit.
    """
    if threads < 1:
        raise UsageError(f"threads {threads}: out of range; give 1 or more")
    return Model(OpenedModel(Path(path), None, Resources(backend, device, threads)))


class Model:
    """A trained model. Its methods may be called in several threads at once.

    Rows are strings, lists of tokens, arrays or paths, as the model reads them. A list, or anything else of
    a known length, is answered by a list. An iterator is answered by an iterator, which takes up to 1,024
    rows at a time and keeps no more, so that it may go on for ever. Answers come in the order of the rows.

    A row that cannot be read raises DataError (`errors="raise"`), or is answered by a result whose `error`
    says why (`errors="return"`). Arguments that the model cannot follow raise UsageError.
    """

    def __init__(self, opened: OpenedModel) -> None:
        self._opened = opened
        self._networks: dict[str, TorchBackend] = {}  # by their devices
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<seqrnn.Model {self.path} ({self.task})>"

    def __reduce__(self) -> tuple[Callable[[Path], Model], tuple[Path]]:
        """Pickle where the model is: another process opens the run directory anew."""
        resources = self._opened.resources
        again = partial(load, backend=resources.backend, device=resources.device, threads=resources.threads)
        return again, (self.path.absolute(),)

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.checkpoint.parent

    @property
    def checkpoint(self) -> Path:
        """The directory in it whose weights were opened: the best ones."""
        return self._opened.run.checkpoint.path

    @property
    def task(self) -> str:
        """The name of what was learnt, such as `classification`."""
        return self._opened.run.task.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels or tags that the model can name, in their order; empty where it names none."""
        return tuple(self._opened.run.task.names)

    @property
    def settings(self) -> Mapping[str, Any]:
        """Every setting of the training, as in the run's `config.yaml`: section, then key."""
        return asdict(self._opened.run.config)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was wrong with the run directory, where an older state had to be opened; mostly nothing."""
        return tuple(self._opened.run.warnings)

    @overload
    def classify(
        self,
        rows: Collection[Any],
        *,
        k: int | None = ...,
        threshold: float | None = ...,
        min_probability: float | None = ...,
        probs: bool = ...,
        errors: Errors = ...,
    ) -> list[RowAnswer]: ...
    @overload
    def classify(
        self,
        rows: Iterator[Any],
        *,
        k: int | None = ...,
        threshold: float | None = ...,
        min_probability: float | None = ...,
        probs: bool = ...,
        errors: Errors = ...,
    ) -> Iterator[RowAnswer]: ...

    def classify(
        self,
        rows: Iterable[Any],
        *,
        k: int | None = None,
        threshold: float | None = None,
        min_probability: float | None = None,
        probs: bool = False,
        errors: Errors = "raise",
    ) -> list[RowAnswer] | Iterator[RowAnswer]:
        """Name a label, several labels, a tag for each token, the next notes, or a number for each row.

        `k` is how many labels `nbest` holds (1; all likely ones if multi-label), `threshold` the lowest
        probability of one (0; 0.5 if multi-label). An answer less likely than `min_probability` has no
        prediction, and has `abstained`. With `probs` the answers have `class_scores`.
        """
        self._require("classify")
        answerer = row_predictor(self._opened, k, threshold, probs, min_probability, part_probs=probs)
        return self._each(rows, self._parts_by(answerer), RowAnswer, errors)

    @overload
    def score(self, rows: Collection[str], *, errors: Errors = ...) -> list[LineScore]: ...
    @overload
    def score(self, rows: Iterator[str], *, errors: Errors = ...) -> Iterator[LineScore]: ...

    def score(
        self, rows: Iterable[str], *, errors: Errors = "raise"
    ) -> list[LineScore] | Iterator[LineScore]:
        """Say how surprising each line is to a language model."""
        answerer = line_scorer(self._opened, "score")
        return self._each(rows, self._parts_by(answerer), LineScore, errors)

    @overload
    def generate(
        self, rows: Collection[Any] = ..., *, errors: Errors = ..., **options: Unpack[GenerationOptions]
    ) -> list[RowAnswer]: ...
    @overload
    def generate(
        self, rows: Iterator[Any], *, errors: Errors = ..., **options: Unpack[GenerationOptions]
    ) -> Iterator[RowAnswer]: ...

    def generate(
        self, rows: Iterable[Any] = ("",), *, errors: Errors = "raise", **options: Unpack[GenerationOptions]
    ) -> list[RowAnswer] | Iterator[RowAnswer]:
        """Generate a sequence for each row or, with a language model, continue each prompt.

        `options` are those of `DecodingOptions`: `max_len`, `fixed_len`, `beam_size`, `n_best`,
        `length_penalty`, `sample`, `temperature`, `top_k`, `top_p`, `repetition_penalty`, `no_repeat_ngram`,
        `seed`. Each row draws for itself: the prompt number n, from 0, with the seed `seed + n`.
        """
        self._require("generate")
        chosen = DecodingOptions.of(options)
        answer = (
            self._parts_by(row_generator(self._opened, chosen))
            if self._writes_rows
            else self._goes_on(chosen)
        )
        return self._each(rows, answer, RowAnswer, errors)

    def stream(self, prompt: str = "", **options: Unpack[GenerationOptions]) -> Iterator[str]:
        """Continue a prompt, and yield the text as it is generated; `options` are those of `generate`.

        The prompt is no part of it. Raises UsageError unless this is a language model.
        """
        self._require("generate")
        if self._writes_rows:
            raise UsageError(
                f"stream: is for language models, and this is one for {self.task}; use `generate()`"
            )
        chosen = DecodingOptions.of(options)
        limits, sampling = chosen.for_prompts()
        text = self._text(prompt, limits)
        return text.stream(sampling)

    @overload
    def explain(
        self, rows: Collection[Any], *, method: SaliencyMethod | None = ..., errors: Errors = ...
    ) -> list[Explanation]: ...
    @overload
    def explain(
        self, rows: Iterator[Any], *, method: SaliencyMethod | None = ..., errors: Errors = ...
    ) -> Iterator[Explanation]: ...

    def explain(
        self, rows: Iterable[Any], *, method: SaliencyMethod | None = None, errors: Errors = "raise"
    ) -> list[Explanation] | Iterator[Explanation]:
        """Say of each row how much each of its tokens matters to the answer, and what else was likely.

        `method` is `gradient` (the gradient of the score times the token's vector, the default for texts) or
        `leave-one-out` (how much the score falls without the token, the default for numbers). PyTorch is
        imported, and computes on the CPU. Raises UsageError for images and for a method that does not fit.
        """
        from seqrnn.library.explanations import Explanation

        answerer = row_explainer(self._opened.run, self._in_torch("cpu"), method)
        return self._each(rows, self._parts_by(answerer), Explanation, errors)

    def evaluate(
        self,
        data: str | os.PathLike[str],
        target: str | os.PathLike[str] | None = None,
        *,
        format: str = "auto",
        text_column: str | None = None,
        label_column: str | None = None,
        encoding: str | None = None,
        streams: int = 1,
        beam_size: int | None = None,
        length_penalty: float | None = None,
        bleu_tokenizer: BleuTokenizer | None = None,
        min_probability: float | None = None,
        dynamic: bool = False,
    ) -> Evaluation:
        """Measure the model on a file that has the answers; `target` is the other side of parallel files.

        The file is read as that of the training was, unless its header or an argument says otherwise.
        `bleu_tokenizer` is how sacrebleu cuts texts (as in training). With `min_probability` the figures have
        the `coverage`, which is the share of answers that are at least so likely, and their
        `covered_accuracy`. With `dynamic` a language model of a text goes on learning from it, each part once
        it has been measured; the model itself stays as it is. PyTorch is imported. Raises DataError for data
        that cannot be read.
        """
        require_training("`evaluate()`")
        from seqrnn.library.measuring import (
            DataArguments,
            evaluation_options,
            find_source,
            measure,
            set_bleu_tokenizer,
            with_fields,
        )

        run = self._opened.run
        beam = beam_size, length_penalty
        options = evaluation_options(
            run.task, str(self.path), streams, beam, min_probability=min_probability, dynamic=dynamic
        )
        layout = format, text_column, label_column, encoding
        if target is None:
            given = DataArguments((os.fspath(data),), (None, None), *layout)
        else:
            given = DataArguments(("-",), (os.fspath(data), os.fspath(target)), *layout)
        task = with_fields(type(run.task)(run.config), run.task.fields)
        task.calibration = run.task.calibration
        set_bleu_tokenizer(task, str(self.path), bleu_tokenizer)
        network = self._in_torch(self._opened.resources.device)
        return measure(network, task, find_source(run.config, given), options)

    def _in_torch(self, device: str) -> TorchBackend:
        """The network in PyTorch, which alone computes losses and gradients."""
        with self._lock:
            if device not in self._networks:
                from seqrnn.backends.torch.backend import TorchBackend, open_backend

                own, resources = self._opened.backend, self._opened.resources
                if isinstance(own, TorchBackend) and device == resources.device:
                    self._networks[device] = own
                else:
                    self._networks[device] = open_backend(self._opened.run, device)
            return self._networks[device]

    @property
    def _writes_rows(self) -> bool:
        return self._opened.run.task.searches

    def _require(self, verb: str) -> None:
        task = self._opened.run.task
        if task.command != verb:
            raise UsageError(f"{self.path}: was trained for {task.name}; use `{task.command}()`")

    def _parts_by(self, answerer: RowAnswerer) -> Answering:
        """Answer the rows of a part together."""
        data = self._opened.run.config.data
        kind, features, column = data.source_kind, Features.of(data), field_of(data.text_column)

        def answered(part: Part) -> list[Answer | Refusal]:
            first, rows = part
            read = partial(read_row, features=features, column=column)
            return answerer([read(row, kind, number) for number, row in enumerate(rows, first)])

        return answered

    def _goes_on(self, options: DecodingOptions) -> Answering:
        """Answer each prompt of a part by itself."""
        limits, sampling = options.for_prompts()

        def answered(part: Part) -> list[Answer | Refusal]:
            first, prompts = part
            return [
                self._text(prompt, limits).answer(replace(sampling, seed=sampling.seed + number))
                if isinstance(prompt, str)
                else Refusal(f"is of type {type(prompt).__name__}; give a string")
                for number, prompt in enumerate(prompts, first)
            ]

        return answered

    def _text(self, prompt: str, limits: Any) -> Continuation:
        from seqrnn.answering.continuation import Continuation
        from seqrnn.answering.text_generator import TextGenerator

        generator = TextGenerator(self._opened.run, self._opened.backend)
        return Continuation(generator, without_surrogates(prompt), limits)

    def _each(
        self, rows: Iterable[Any], answer: Answering, kind: type[Result], errors: Errors
    ) -> list[Result] | Iterator[Result]:
        if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
            raise UsageError(f"rows: give a list of them, not one {type(rows).__name__}")
        if errors not in {"raise", "return"}:
            raise UsageError(f"errors {errors!r}: give 'raise' or 'return'")
        answers = self._opened.side_by_side(answer, parts_of(iter(rows)))
        found = results(answers, kind, errors)
        return list(found) if isinstance(rows, Collection) else found
