"""What a user should know of a training, told once, from its events alone."""

from __future__ import annotations

from collections.abc import Iterator

from seqrnn.training.events import Evaluated, Event, Started, Stepped

RISING = 3  # evaluations in a row without a lower validation loss, while that of the training falls
MARGIN = 0.02  # share by which the validation loss must be above its lowest
TOO_HIGH = 1.5  # times its lowest that the mean training loss of an evaluation's updates may be
FEW_TOKENS = 5_000  # of a pass over the data
PARAMETERS_PER_TOKEN = 20


class Adviser:
    """Looks at every event, and says what is worth saying, each thing once."""

    def __init__(self) -> None:
        self._parameters = 0
        self._tokens: int | None = 0  # of the first pass, until it is over
        self._skipped = 0
        self._said: set[str] = set()
        self._evaluations: list[tuple[float, float, float]] = []  # epoch, training and validation loss

    def look(self, event: Event) -> Iterator[str]:
        """Yield what is to be said after an event."""
        match event:
            case Started():
                self._parameters = event.parameters - event.hashed_parameters
                self._tokens = 0 if event.step == 0 else None
            case Stepped():
                yield from self._after_step(event)
            case Evaluated():
                yield from self._after_evaluation(event)

    def _once(self, name: str, text: str) -> Iterator[str]:
        if name not in self._said:
            self._said.add(name)
            yield text

    def _after_step(self, event: Stepped) -> Iterator[str]:
        self._skipped += event.skipped
        if self._skipped >= RISING:
            yield from self._too_high(f"{RISING} updates had no finite loss")
        if self._tokens is None:
            return
        self._tokens += event.tokens
        if event.epoch >= 1.0:
            tokens, self._tokens = self._tokens, None
            if tokens < FEW_TOKENS and self._parameters > PARAMETERS_PER_TOKEN * tokens:
                yield from self._once(
                    "few",
                    f"the data are few for {self._parameters:,} parameters; expect "
                    "over-fitting, and try `folds` to see how much figures vary",
                )

    def _after_evaluation(self, event: Evaluated) -> Iterator[str]:
        loss = event.metrics.get("loss")
        if not isinstance(loss, float):
            return
        self._evaluations.append((event.epoch, event.train_loss, loss))
        lowest = min(train for _, train, _ in self._evaluations)
        if event.train_loss > TOO_HIGH * lowest and event.train_loss - lowest > MARGIN:
            yield from self._too_high(
                f"the training loss has risen from {lowest:.3f} to {event.train_loss:.3f}"
            )
        yield from self._over_fitting()

    def _too_high(self, why: str) -> Iterator[str]:
        yield from self._once(
            "rate", f"the learning rate may be too high: {why}; try a lower `training.learning_rate`"
        )

    def _over_fitting(self) -> Iterator[str]:
        """Say so where the validation loss has stayed above its lowest while the training loss fell on."""
        best = min(range(len(self._evaluations)), key=lambda number: self._evaluations[number][2])
        later = self._evaluations[best + 1 :]
        epoch, train, valid = self._evaluations[best]
        if len(later) < RISING or min(loss for _, _, loss in later) < (1 + MARGIN) * valid:
            return
        if later[-1][1] < train:
            yield from self._once(
                "over-fitting",
                f"over-fitting since epoch {epoch:.2f}: the validation loss rises ({valid:.3f} to "
                f"{later[-1][2]:.3f}) while the training loss falls; the best weights "
                "are kept; more data, more `model.dropout` or `training.early_stopping` would help",
            )
