"""How far a model's probabilities can be trusted, as fitted on held-out data and saved with its weights."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from seqrnn.strict_json import Strict

MIN_TEMPERATURE: Final = 0.02
MAX_TEMPERATURE: Final = 50.0
MIN_SLOPE: Final = 1e-3  # above 0, so that of two sequences the likelier one stays the likelier one
MAX_SLOPE: Final = 1e3
MAX_OFFSET: Final = 1e3


class Confidence(Strict, frozen=True):
    """How likely a whole sequence is right, by the log-odds of the probability `p` that the network gives it.

    `sigmoid(slope * logit(p) + offset)` (Platt 1999).
    """

    slope: Annotated[float, Meta(ge=MIN_SLOPE, le=MAX_SLOPE)]
    offset: Annotated[float, Meta(ge=-MAX_OFFSET, le=MAX_OFFSET)]


class Calibration(Strict, frozen=True):
    """What turns a network's probabilities into those that are answered; as it is, it changes nothing.

    `temperature` divides the scores of classes, or of a token's tags, before the softmax (Guo et al. 2017).
    `confidence` is of answers that are whole sequences. Neither changes which answer is the likeliest.
    """

    temperature: Annotated[float, Meta(ge=MIN_TEMPERATURE, le=MAX_TEMPERATURE)] = 1.0
    confidence: Confidence | None = None


UNCALIBRATED: Final = Calibration()
