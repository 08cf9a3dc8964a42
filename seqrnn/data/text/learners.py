"""How a vocabulary is learned from texts that come in batches, one kind of token a class."""

from __future__ import annotations

import json
import os
import tempfile
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Protocol

import tokenizers
from tokenizers import models, trainers

from seqrnn.data.text.chunk_ids import ChunkTally
from seqrnn.data.text.counts import CharacterCounts, TokenCounts, WordCounts
from seqrnn.data.text.joined_texts import JoinedTexts
from seqrnn.data.text.vocabulary import (
    SPECIALS,
    Learned,
    TokenizerSettings,
    byte_alphabet,
    in_pieces,
    pipeline,
    shortened,
    text_normalizer,
    word_splitter,
)
from seqrnn.data.text.whole_texts import WholeTextTally
from seqrnn.errors import OutputError

WAITING = 4  # batches of texts


class VocabularyLearner(Protocol):
    """Takes texts, and then knows their vocabulary."""

    def add(self, texts: Sequence[str]) -> None:
        """Take some texts."""

    def learned(self) -> Learned:
        """Return the tokens that follow the specials, most frequent first, and the merges of a bpe.

        Tokens of equal count are in the order of their strings, so the same texts give the same ids.
        """


def vocabulary_learner(settings: TokenizerSettings) -> VocabularyLearner:
    """Return what learns the vocabulary of a kind."""
    counts = token_counts(settings)
    if counts is not None:
        return CountedLearner(settings, counts)
    return ByteLearner() if settings.kind == "byte" else MergeLearner(settings)


def token_counts(settings: TokenizerSettings, directory: Path | None = None) -> TokenCounts | None:
    """Return what counts the tokens of a kind; None where the counts say nothing of the vocabulary.

    What does not fit in memory is put aside in `directory`.
    """
    match settings.kind:
        case "char":
            return CharacterCounts()
        case "word":
            return WordCounts(ChunkTally(), directory)
        case "split-word" | "joined-word":
            return WordCounts(ChunkTally(word_splitter(settings).split), directory)
        case "label":
            return WordCounts(WholeTextTally(), directory)
    return None


def countable(settings: TokenizerSettings) -> Callable[[JoinedTexts], JoinedTexts]:
    """Return what makes texts ready for `token_counts`: none of them too long, and normalised."""
    normalize = text_normalizer(settings)
    return lambda texts: normalize.joined(shortened(texts, settings))


def most_frequent(counts: TokenCounts, settings: TokenizerSettings) -> list[str]:
    """Return the tokens that follow the specials, as many as the settings allow."""
    # Room for the specials' own names, which are dropped where they occur as words of the text.
    found = counts.most_frequent(settings.vocabulary_size, settings.min_count)
    return [token for token in found if token not in SPECIALS][: settings.vocabulary_size - len(SPECIALS)]


class CountedLearner:
    """Takes the tokens that occur most often."""

    def __init__(self, settings: TokenizerSettings, counts: TokenCounts) -> None:
        self._settings = settings
        self._counts = counts
        self._countable = countable(settings)

    def add(self, texts: Sequence[str]) -> None:
        """Count the tokens of some texts. Raises OutputError where those that are put aside find no room."""
        self._counts.add(self._countable(JoinedTexts.of(texts)))
        if self._counts.is_full:
            try:
                self._counts.merge(self._counts.take())
            except OSError as error:  # what was counted is lost: no second try
                what = f"{tempfile.gettempdir()}: {error.strerror}"
                raise OutputError(f"{what}; make room, or set TMPDIR to a directory that has it") from error

    def learned(self) -> Learned:
        """Return the most frequent tokens; see `VocabularyLearner`."""
        return most_frequent(self._counts, self._settings), []


class ByteLearner:
    """Knows all bytes."""

    def add(self, texts: Sequence[str]) -> None:
        """Learn nothing."""

    def learned(self) -> Learned:
        """Return the 256 bytes in their order."""
        return sorted(byte_alphabet(), key=byte_alphabet().__getitem__), []


class MergeLearner:
    """Joins the pair of bytes that occurs most often, again and again.

    The library wants an iterator that it can ask for texts: it does so in a thread of its own.
    """

    def __init__(self, settings: TokenizerSettings) -> None:
        # In parallel, one learner would wait for texts in all threads of the library's only pool: where
        # source and target both have one, the other would never take its own, and nothing would go on.
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        self._kind = settings.kind
        self._tokenizer = pipeline(settings, models.BPE())
        self._texts: Queue[Sequence[str] | None] = Queue(WAITING)
        self._failed: list[BaseException] = []
        trainer = trainers.BpeTrainer(
            vocab_size=settings.vocabulary_size - len(SPECIALS),
            min_frequency=settings.min_count,
            initial_alphabet=list(byte_alphabet()),
            show_progress=False,
        )
        # The thread knows nothing of this object: where it is given up, the thread comes to an end.
        parts = (self._tokenizer, trainer, self._texts, self._failed)
        self._thread = Thread(target=_train, args=parts, daemon=True)
        self._thread.start()
        self._give_up = weakref.finalize(self, _give_up, self._texts)

    def add(self, texts: Sequence[str]) -> None:
        """Hand some texts to the library."""
        self._texts.put(in_pieces(texts, self._kind))

    def learned(self) -> Learned:
        """Return the bytes and what was joined, and the merges; see `VocabularyLearner`."""
        self._give_up.detach()
        self._texts.put(None)
        self._thread.join()
        for error in self._failed:
            raise error
        # The library gives the merges away in its JSON only.
        merges = json.loads(self._tokenizer.to_str())["model"]["merges"]
        vocabulary = self._tokenizer.get_vocab()
        return sorted(vocabulary, key=vocabulary.__getitem__), [(left, right) for left, right in merges]


def _train(
    tokenizer: tokenizers.Tokenizer,
    trainer: trainers.Trainer,
    texts: Queue[Sequence[str] | None],
    failed: list[BaseException],
) -> None:
    try:
        tokenizer.train_from_iterator(chain.from_iterable(iter(texts.get, None)), trainer)
    except BaseException as error:  # noqa: BLE001 (a panic of the library is no Exception)
        failed.append(error)
        for _ in iter(texts.get, None):
            pass  # so that nobody waits for room


def _give_up(texts: Queue[Sequence[str] | None]) -> None:
    """Let the thread end early, with whatever it has."""
    with suppress(Empty):
        while True:
            texts.get_nowait()
    texts.put(None)
