"""Text that goes on from a prompt, as it comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqrnn.data.tokenizer import EOS
from seqrnn.search.generation import Limits, generate
from seqrnn.search.sampling import Sampling

if TYPE_CHECKING:
    from seqrnn.answering.continuer import Continuer
    from seqrnn.cli.stdio import Output


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
                out.write_json([{"id": number, "prompt": self.prompt, **self.write(draw, _nowhere)}])
            elif stream:
                out.write_text(self.prompt)
                self.write(draw, out.write_text)
                out.write_text("\n")
            else:
                out.write_lines([self.prompt + str(self.write(draw, _nowhere)["prediction"])])

    def save(self, path: Path) -> None:
        """Keep in a file where the text stands, with all that was written last, but for an <eos>."""
        self._continuer.save(path, self._unread)

    def write(self, sampling: Sampling, sink: Callable[[str], None]) -> dict[str, object]:
        """Write one continuation, each piece to `sink` as it comes; return it with what is known of it."""
        decoder = self._continuer.tokenizer.decoder()
        pieces, score, ended = [], 0.0, False
        start = self._continuer.start(self._ids, self._after)
        for chosen in generate(self._continuer.step, start, self._limits, sampling):
            token = int(chosen.tokens[0])
            score += float(chosen.log_probs[0])
            ended = token == EOS
            pieces.append(decoder.feed(token))
            sink(pieces[-1])
        pieces.append(decoder.finish())
        sink(pieces[-1])
        self._unread = np.array([] if ended else [token], dtype=np.int64)
        return {
            "prediction": "".join(pieces),
            "score": score,
            "truncated": not ended,
            "unknown": self.unknown,
            "error": None,
        }


def _nowhere(piece: str) -> None:
    """Drop a piece of text that is needed only as a whole."""
