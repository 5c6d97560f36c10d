"""How much of a residual to keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skae._training._engine import held_out_error
from skae._training._problem import Problem


@dataclass(frozen=True)
class Verdict:
    """What held-out rows say of a trained module.

    Attributes
    ----------
    uses_network : bool
        Whether anything of the network is kept.
    start_error, kept_error : float or None
        Mean error of the start alone and of what is kept; None if there is no start, or
        no rows were held out.
    """

    uses_network: bool
    start_error: float | None = None
    kept_error: float | None = None


class Gate:
    """Keep of the network what is best for held-out rows, if that is proved.

    A network that is right in direction but overfitted in size is of use at half its
    size; one whose gain could as well be chance gets no weight at all. The least weight
    that is not significantly worse than the best was tried: where a gain is proved, to
    be that careful costs more than it saves.

    Parameters
    ----------
    standard_errors : float
        By how many standard errors of the mean difference the start alone has to be
        worse than the best weight; by default, the one-sided 5 % level. Zero takes the
        best weight.

    Attributes
    ----------
    weight_ : float
        Weight of the residual, in [0, 1].
    start_error_ : ndarray of shape (n_held_out,)
        Error of each distinct held-out row with the start alone.
    held_out_error_ : ndarray of shape (n_held_out,)
        Error of each distinct held-out row at the chosen weight.
    """

    weights = (0.25, 0.5, 0.75, 1.0)

    def __init__(self, standard_errors: float = 1.645) -> None:
        self.standard_errors = standard_errors

    def fit(self, error_at: Callable[[float], np.ndarray]) -> Gate:
        """Choose the weight from the errors of the same rows at every weight."""
        self.start_error_ = error_at(0.0)
        errors = {0.0: self.start_error_}
        errors |= {weight: error_at(weight) for weight in self.weights}
        best = min(errors, key=lambda weight: errors[weight].mean())
        proven = self._exceeds(self.start_error_, errors[best])
        self.weight_ = best if proven else 0.0
        self.held_out_error_ = errors[self.weight_]
        return self

    def _exceeds(self, error: np.ndarray, least: np.ndarray) -> bool:
        """Tell whether the errors of the same rows are larger by more than chance."""
        excess = error - least
        standard_error = excess.std() / np.sqrt(len(excess))
        return bool(excess.mean() > self.standard_errors * standard_error)


def weigh(problem: Problem[Any], gate: Gate) -> Verdict:
    """Let the held-out rows set the ``weight`` of a gated module."""

    def error_at(weight: float) -> np.ndarray:
        problem.module.weight = weight
        return problem.folds.per_distinct_row(held_out_error(problem))

    problem.module.weight = gate.fit(error_at).weight_
    return Verdict(
        gate.weight_ > 0,
        float(gate.start_error_.mean()),
        float(gate.held_out_error_.mean()),
    )
