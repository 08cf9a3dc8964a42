"""Continuations of a prompt, written as they are generated."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from seqrnn.errors import SeqrnnError

if TYPE_CHECKING:
    from seqrnn.answering.continuation import Continuation
    from seqrnn.cli.stdio import OutputStream
    from seqrnn.data.answer import Answer
    from seqrnn.search.sampling import Sampling


FLUSH_INTERVAL = 0.01  # seconds in which nobody sees whether one token came or several


def write_all(
    text: Continuation, sampling: Sampling, count: int, out: OutputStream, as_json: bool, stream: bool
) -> None:
    """Write continuations to `out`, each with a seed of its own: as JSON, token by token, or as lines."""
    for number in range(count):
        draw = replace(sampling, seed=sampling.seed + number)
        if as_json:
            out.write_json([continuation_record(number, text.prompt, text.answer(draw))])
        elif stream:
            out.write_text(text.prompt)
            for piece in gather(text.stream(draw)):
                out.write_text(piece)
            out.write_text("\n")
        else:
            out.write_lines([text.prompt + "".join(text.stream(draw))])


def continuation_record(
    number: int, prompt: str, answer: Answer | None, error: str | None = None
) -> dict[str, Any]:
    """Return a continuation as JSON has it, or the error of a prompt that has none."""
    return {
        "id": number,
        "prompt": prompt,
        "prediction": answer.prediction if answer else None,
        "score": answer.score if answer else None,
        "truncated": answer is not None and answer.truncated,
        "unknown": answer.unknown if answer else 0,
        "error": error,
    }


def gather(pieces: Iterable[str]) -> Iterator[str]:
    """Join pieces that come within a hundredth of a second: writing one takes as long as finding it."""
    waiting: list[str] = []
    written = -math.inf
    try:
        for piece in pieces:
            waiting.append(piece)
            now = monotonic()
            if now - written >= FLUSH_INTERVAL:
                yield "".join(waiting)
                waiting.clear()
                written = now
    except SeqrnnError:
        yield "".join(waiting)
        raise
    yield "".join(waiting)
