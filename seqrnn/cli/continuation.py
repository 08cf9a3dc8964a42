"""Text that goes on from a prompt, as it comes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from seqrnn.data.text.tokenizer import EOS
from seqrnn.errors import SeqrnnError
from seqrnn.search.generation import Limits, generate
from seqrnn.search.sampling import Sampling

if TYPE_CHECKING:
    from seqrnn.answering.continuer import Continuer
    from seqrnn.cli.stdio import Output


GLANCE = 0.01  # seconds in which nobody sees whether one token came or several


class Text:
    """Writes continuations of one prompt."""

    def __init__(self, continuer: Continuer, prompt: str, limits: Limits, state: Path | None = None) -> None:
        """Take a prompt, which goes on from what was written to the file `state`, if one is given."""
        encoded = continuer.tokenizer.encode(prompt)
        self.prompt = prompt
        self._continuer = continuer
        self._limits = limits
        self._unread = np.empty(0, dtype=np.int64)  # the token that was written last
        self._after = None if state is None else continuer.load(state)
        self._score = 0.0  # of what was written last, if it was asked for
        self._ids = encoded.ids
        self.unknown = encoded.unknown
        self.warnings = []
        if encoded.unknown:
            self.warnings.append(
                f"tokens of the prompt that the model does not know, and reads as <unk>: {encoded.unknown:,}"
            )

    def write_all(self, sampling: Sampling, count: int, out: Output, as_json: bool, stream: bool) -> None:
        """Write continuations to `out`, each with a seed of its own: as JSON, token by token, or as lines."""
        for number in range(count):
            draw = replace(sampling, seed=sampling.seed + number)
            if as_json:
                out.write_json([{"id": number, "prompt": self.prompt, **self.record(draw)}])
            elif stream:
                out.write_text(self.prompt)
                for text in gather(self.pieces(draw)):
                    out.write_text(text)
                out.write_text("\n")
            else:
                out.write_lines([self.prompt + "".join(self.pieces(draw))])

    def save(self, path: Path) -> None:
        """Keep in a file where the text stands, with all that was written last, but for an <eos>."""
        self._continuer.save(path, self._unread)

    def record(self, sampling: Sampling) -> dict[str, object]:
        """Write one continuation; return it with what is known of it."""
        text = "".join(self.pieces(sampling, scored=True))
        return {
            "prediction": text,
            "score": self._score,
            "truncated": len(self._unread) > 0,
            "unknown": self.unknown,
            "error": None,
        }

    def pieces(self, sampling: Sampling, scored: bool = False) -> Iterator[str]:
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


def gather(pieces: Iterable[str]) -> Iterator[str]:
    """Join pieces that come within a hundredth of a second: writing one takes as long as finding it."""
    waiting: list[str] = []
    written = -math.inf
    try:
        for piece in pieces:
            waiting.append(piece)
            now = monotonic()
            if now - written >= GLANCE:
                yield "".join(waiting)
                waiting.clear()
                written = now
    except SeqrnnError:
        yield "".join(waiting)
        raise
    yield "".join(waiting)
