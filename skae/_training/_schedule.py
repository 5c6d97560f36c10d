"""Learning rate over the rounds: warm up, hold, and decay once nothing is gained."""

from __future__ import annotations

import math


class Schedule:
    """Warm-up in the first round, then constant until a plateau starts the decay.

    A plateau does not end the training: it starts a linear decay to zero over 30 % of
    the rounds run so far, in which much of the error still falls. The decay starts
    without a plateau when it would otherwise not fit into `max_iter` rounds.
    """

    decay_share = 0.3

    def __init__(
        self, learning_rate: float, max_iter: int, tol: float, n_iter_no_change: int
    ) -> None:
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.n_iter = 0
        self._best = math.inf
        self._best_iter = 0
        self._decay_start: int | None = None
        self._decay_length = 0
        self._plan_decay()

    @property
    def finished(self) -> bool:
        if self._decay_start is None:
            return False
        return self.n_iter >= self._decay_start + self._decay_length

    def rate(self, progress: float) -> float:
        """Learning rate at `progress`, in (0, 1), through the current round."""
        factor = min(1.0, self.n_iter + progress)
        if self._decay_start is not None:
            past = self.n_iter + progress - self._decay_start
            factor *= 1 - past / self._decay_length
        return self.learning_rate * factor

    def update(self, error: float) -> None:
        """Take note of the error at the end of a round."""
        self.n_iter += 1
        if error < self._best * (1 - self.tol):
            self._best, self._best_iter = error, self.n_iter
        self._plan_decay()

    def _plan_decay(self) -> None:
        if self._decay_start is not None:
            return
        length = max(1, round(self.decay_share * self.n_iter))
        left = self.max_iter - self.n_iter
        plateau = self.n_iter - self._best_iter >= self.n_iter_no_change
        if plateau or length >= left:
            self._decay_start, self._decay_length = self.n_iter, min(length, left)
