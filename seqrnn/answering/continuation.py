"""Text that continues a prompt, as it is generated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from seqrnn.answering.text_generator import TextGenerator
from seqrnn.data.answer import Answer
from seqrnn.data.text.tokenizer import EOS
from seqrnn.search.generation import Limits, generate
from seqrnn.search.sampling import Sampling


class Continuation:
    """Writes continuations of one prompt."""

    def __init__(
        self, generator: TextGenerator, prompt: str, limits: Limits, state: Path | None = None
    ) -> None:
        """Take a prompt, which continues from the state in the file `state`, if one is given."""
        encoded = generator.tokenizer.encode(prompt)
        self.prompt = prompt
        self._continuer = generator
        self._limits = limits
        self._unread = np.empty(0, dtype=np.int64)  # the token that was written last
        self._after = None if state is None else generator.load(state)
        self._score = 0.0  # of what was written last, if it was asked for
        self._ids = encoded.ids
        self.unknown = encoded.unknown
        self.warnings = []
        if encoded.unknown:
            self.warnings.append(
                f"tokens of the prompt that the model does not know, and reads as <unk>: {encoded.unknown:,}"
            )

    def save(self, path: Path) -> None:
        """Save the state after the last text in a file, but for an <eos>."""
        self._continuer.save(path, self._unread)

    def answer(self, sampling: Sampling) -> Answer:
        """Write one continuation; return it with its score, and whether a limit has ended it."""
        text = "".join(self.stream(sampling, scored=True))
        return Answer(text, self._score, truncated=len(self._unread) > 0, unknown=self.unknown)

    def stream(self, sampling: Sampling, scored: bool = False) -> Iterator[str]:
        """Yield one continuation, piece by piece as it comes; its score is computed only if it is wanted."""
        decoder = self._continuer.tokenizer.decoder(self.prompt)
        start = self._continuer.start(self._ids, self._after)
        self._score, ended = 0.0, False
        for chosen in generate(self._continuer.step, start, self._limits, sampling):
            token = chosen.tokens.item()
            if scored:
                self._score += float(chosen.log_probs[0])
            ended = token == EOS
            yield decoder.feed(token)
        self._unread = np.array([] if ended else [token], dtype=np.int64)
        yield decoder.finish()
