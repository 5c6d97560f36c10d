"""Errors of fills on the scale of a score: one is perfect, zero is the mean."""

from __future__ import annotations

import numpy as np
import torch

from skae._training import Problem

_TINY = float(np.finfo(np.float64).tiny)


class ScoreOfFills:
    """Turns mean held-out errors into ``1 - error / error of the column means``.

    Parameters
    ----------
    error_of_mean : float
        Loss of filling the hidden values of held-out rows with the column means.
    """

    def __init__(self, error_of_mean: float) -> None:
        self._error_of_mean = max(error_of_mean, _TINY)

    @classmethod
    def of(cls, problem: Problem) -> ScoreOfFills:
        """Measure the error of the means, which are zero in standardised columns."""
        rows, tensors = torch.from_numpy(problem.folds.held_out_rows), problem.tensors
        truth = tensors["target"][rows] + tensors["input"][rows]
        error = problem.objective.loss.pointwise(torch.zeros_like(truth), truth)
        return cls(float((error * tensors["weight"][rows]).mean()))

    def of_rows(self, errors: np.ndarray) -> float:
        """Return the score of rows from the error of each."""
        return self(float(errors.mean()))

    def __call__(self, error: float) -> float:
        return float(1 - error / self._error_of_mean)
