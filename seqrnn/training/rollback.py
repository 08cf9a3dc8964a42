"""When a training has gone astray: its losses tell, and half the rate from sound weights is the remedy.

AdamW at a rate that is too high for a network either leaves the finite numbers, or saturates the gates and
stays at the loss of counting, from which it does not come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from seqrnn.backends.torch.parameters import expected_arrays, load_model
from seqrnn.errors import NumericError
from seqrnn.run.directory import RunDirectory
from seqrnn.training.events import RolledBack, Stepped
from seqrnn.training.start import share_start
from seqrnn.training.training_arrays import restore_moments

if TYPE_CHECKING:
    from seqrnn.training.trainer import Trainer

ADVICE = "try a lower `training.learning_rate` or a smaller `training.clip`"
MAX_SKIPPED_UPDATES = 10  # in a row, before the training goes back
MAX_ROLLBACKS = 3  # of a training
BLOCK = 50  # updates whose mean loss is looked at
LEARNT = 0.9  # of the loss of counting: below, something was learnt
LOST = 0.99  # of it: above, nothing is left of that
PATIENCE = 6  # blocks at the loss of counting, after which a text is not being learnt
STUCK = 0.97  # of it: above, nothing has been learnt
HIGH_RATE = 1e-3  # below it, a training that has learnt nothing yet is slow


class LossWatch:
    """Looks at the loss of each update; `counting` is that of the best answer without looking at the input.

    Texts are always learnt soon, so one that stays at the loss of counting has gone astray as well. Other
    data may have nothing to be learnt, or keep it for long.
    """

    def __init__(self, counting: float | None, learns_soon: bool) -> None:
        self._counting = counting
        self._learns_soon = learns_soon
        self._sum, self._updates, self._blocks = 0.0, 0, 0
        self._lowest = float("inf")

    def look(self, loss: float, rate: float) -> str | None:
        """Take in the loss of an update, nats a target; say what is wrong, if it is since this update."""
        self._sum, self._updates = self._sum + loss, self._updates + 1
        if self._counting is None or self._updates < BLOCK:
            return None
        mean, self._sum, self._updates = self._sum / self._updates, 0.0, 0
        self._blocks, self._lowest = self._blocks + 1, min(self._lowest, mean)
        level = f"{mean:.3f}, that of counting ({self._counting:.3f})"
        if self._lowest < LEARNT * self._counting and mean > LOST * self._counting:
            return f"the loss has risen from {self._lowest:.3f} to {level}"
        stuck = self._blocks >= PATIENCE and self._lowest > STUCK * self._counting and rate >= HIGH_RATE
        return f"the loss stays at {level}" if stuck and self._learns_soon else None

    def begin_anew(self) -> None:
        """Forget all losses."""
        self._sum, self._updates, self._blocks, self._lowest = 0.0, 0, 0, float("inf")


class Rollback:
    """Notices that a training has gone astray, and takes it back."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self.watch = LossWatch(trainer.task.counting_loss(trainer.train_set), trainer.task.learns_soon)
        self.error: NumericError | None = None  # what is wrong with the training, if anything
        self._start: dict[str, torch.Tensor] | None = None  # the first weights, until some are saved
        self._made = True  # whether an update was made since those

    def keep_start(self) -> None:
        """Keep the weights that the training begins with: none are saved yet."""
        self._made = False
        self._start = {name: tensor.clone() for name, tensor in self._trainer.model.state_dict().items()}

    def forget_start(self) -> None:
        """Free the memory of the first weights: others have been saved."""
        self._start = None

    def note(self, update: Stepped, loss: float | None) -> None:
        """Take note of the loss of an update, None if it was skipped; `error` says what is wrong by now."""
        state = self._trainer.state
        if loss is None:
            if state.skipped_updates >= MAX_SKIPPED_UPDATES:
                self.error = NumericError(
                    f"step {update.step}: the loss was not finite in {MAX_SKIPPED_UPDATES} updates in a row; "
                    f"the best weights so far are kept; {ADVICE}"
                )
            return
        self._made = True
        wrong = self.watch.look(loss, update.learning_rate)
        if wrong and state.rollbacks < MAX_ROLLBACKS:
            self.error = NumericError(f"step {update.step}: {wrong}")

    def go_back(self, run: RunDirectory, error: NumericError) -> RolledBack:
        """Go on with the weights that were saved last, or the first ones, and half the learning rate.

        All updates are over. Raises the error that led to it where that was done too often.
        """
        trainer, state = self._trainer, self._trainer.state
        if state.rollbacks >= MAX_ROLLBACKS:
            raise error
        if self._start is not None:
            self._made = False
            trainer.model.load_state_dict(self._start)
            trainer.average.restart()
            restore_moments({}, trainer.model, trainer.optimizer)
        else:
            newest = run.newest()
            load_model(trainer.model, newest.tensors(expected_arrays(trainer.model)))
            trainer.take_moments(newest)
        trainer.updater.carry, trainer.probe, self.error = None, None, None
        self.watch.begin_anew()
        trainer.schedule.begin_anew(state.step)
        state.lr_scale, state.evaluated = trainer.schedule.scale, state.step
        state.skipped_updates, state.rollbacks = 0, state.rollbacks + 1
        trainer.workers.announce_restart()
        share_start(trainer)
        why = str(error).partition(": ")[2]
        rate = trainer.schedule.highest(trainer.fraction(), state.step)
        return RolledBack(state.step, trainer.saved_step or 0, rate, why.partition(";")[0])

    def require_an_update(self) -> None:
        """Raise NumericError where a training ends with the weights that it began with."""
        step = self._trainer.state.step
        if step and not self._made:
            raise NumericError(f"step {step}: no update has left the loss finite; {ADVICE}")
