"""How much of a residual to keep."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


class Gate:
    """Keep as much of the network as serves held-out rows best, or nothing of it.

    A network that is right in direction but overfitted in size is of use at half its
    size; one whose gain could as well be chance is dropped.

    Attributes
    ----------
    weight_ : float
        Weight of the residual, in [0, 1]. It is zero unless the mean gain over the
        start is significant at the one-sided 5 % level.
    start_error_ : ndarray of shape (n_held_out,)
        Error of each held-out row with the start alone.
    held_out_error_ : ndarray of shape (n_held_out,)
        Error of each held-out row at the chosen weight.
    """

    weights = (0.25, 0.5, 0.75, 1.0)
    standard_errors = 1.645

    def fit(self, error_at: Callable[[float], np.ndarray]) -> Gate:
        """Choose the weight from the errors of the same rows at every weight."""
        self.weight_ = 0.0
        self.start_error_ = self.held_out_error_ = error_at(0.0)
        errors = {weight: error_at(weight) for weight in self.weights}
        best = min(errors, key=lambda weight: errors[weight].mean())
        gain = self.start_error_ - errors[best]
        if gain.mean() > self.standard_errors * gain.std() / np.sqrt(len(gain)):
            self.weight_, self.held_out_error_ = best, errors[best]
        return self
