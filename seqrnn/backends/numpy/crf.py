"""A linear-chain conditional random field over tags: its likeliest sequence, and its marginals.

    s(x, y) = start[y_1] + sum_t emissions[t, y_t] + sum_t transitions[y_{t-1}, y_t] + end[y_n]
    log p(y | x) = s(x, y) - log sum_y' exp s(x, y')

Shapes: B batch, T time, K tags. Sequences may have ended: `mask` (B, T) is true where one runs. A probability
is a small difference of sums over all steps, which are therefore added up in float64.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from seqrnn.backends.numpy.weights import Array, Take
from seqrnn.search.step import log_softmax

TINY = np.finfo(np.float32).tiny


class CRF:
    """Scores of neighbouring tags, and of the first and the last tag, beside those of each tag."""

    def __init__(self, take: Take, tags: int) -> None:
        self._transitions = take("transitions", (tags, tags))  # (from, to)
        self._start = take("start", (tags,))
        self._end = take("end", (tags,))

    @cached_property
    def _factor(self) -> tuple[Array, float]:
        """What each step of a sum multiplies by, (K, K) float64, and how far it is shifted: `_log_matmul`."""
        most = self._transitions.max()
        return np.exp(self._transitions.astype(np.float64) - most), most

    def decode(self, emissions: Array, mask: Array) -> tuple[Array, Array]:
        """Return the likeliest tags (B, T), any where a sequence has ended, and their log p (B,).

        The algorithm is Viterbi's.
        """
        emissions = emissions.astype(np.float64)
        best = self._start + emissions[:, :1].sum(axis=1)  # (B, K)
        stay = np.broadcast_to(np.arange(best.shape[1]), best.shape)
        origins = []
        for step in range(1, emissions.shape[1]):
            scores = best[:, :, None] + self._transitions  # (B, K, K)
            runs = mask[:, step, None]
            best = np.where(runs, scores.max(axis=1) + emissions[:, step], best)
            origins.append(np.where(runs, scores.argmax(axis=1), stay))
        final = best + self._end
        tags = [final.argmax(axis=1)]
        for origin in reversed(origins):
            tags.append(np.take_along_axis(origin, tags[-1][:, None], axis=1)[:, 0])
        path = np.stack(tags[::-1], axis=1)[:, : emissions.shape[1]]
        log_prob = final.max(axis=1) - _log_sum(self._forward(emissions, mask)[-1] + self._end)
        return path, (log_prob * mask.any(axis=1)).astype(np.float32)

    def marginals(self, emissions: Array, mask: Array) -> Array:
        """Return `log p(y_t = k | x)`, (B, T, K), by the forward-backward algorithm."""
        emissions = emissions.astype(np.float64)
        factor, most = self._factor
        betas = [np.broadcast_to(self._end, (len(emissions), len(self._end)))]
        for step in range(emissions.shape[1] - 1, 0, -1):
            beta = _log_matmul(betas[-1] + emissions[:, step], factor.T, most)
            betas.append(np.where(mask[:, step, None], beta, betas[-1]))
        both = np.stack(self._forward(emissions, mask), axis=1) + np.stack(betas[::-1], axis=1)
        return log_softmax(both[:, : emissions.shape[1]]).astype(np.float32)

    def _forward(self, emissions: Array, mask: Array) -> list[Array]:
        """Return for each step the log of the sum over all beginnings that end in a tag, each (B, K).

        A sequence that has ended keeps its last one.
        """
        factor, most = self._factor
        alphas = [self._start + emissions[:, :1].sum(axis=1)]
        for step in range(1, emissions.shape[1]):
            alpha = _log_matmul(alphas[-1], factor, most) + emissions[:, step]
            alphas.append(np.where(mask[:, step, None], alpha, alphas[-1]))
        return alphas


def _log_sum(scores: Array) -> Array:
    """Return `log sum exp` over the last axis."""
    most = scores.max(axis=-1)
    total: Array = most + np.log(np.exp(scores - most[..., None]).sum(axis=-1))
    return total


def _log_matmul(scores: Array, factor: Array, most: float) -> Array:
    """Return `log sum_j exp(scores[:, j] + transitions[j, k])`, (B, K), as one product of matrices.

    Both factors are shifted so that their largest entry is 1: `factor` is `exp(transitions - most)`. A sum
    that underflows is kept at the smallest number that there is.
    """
    shift = scores.max(axis=1, keepdims=True)
    total = np.exp(scores - shift) @ factor
    logs: Array = np.log(np.maximum(total, TINY)) + shift + most
    return logs
