"""Errors of restored rows in training on the scale of the score."""

from __future__ import annotations

import numpy as np

from skae._training import Problem
from skae.estimators.denoiser._module import Restorer
from skae.estimators.denoiser._prediction import Restoration
from skae.estimators.denoiser._start import errors_of_hidden


class ScoreOfRestored:
    """Turns squared errors of held-out rows into their score.

    Parameters
    ----------
    problem : Problem
        Tells where rows had gaps.
    restoration : Restoration
        Knows the units of the training and the peak.
    """

    def __init__(self, problem: Problem[Restorer], restoration: Restoration) -> None:
        self._problem = problem
        self._restoration = restoration

    def __call__(self, errors: np.ndarray) -> float:
        squared = errors_of_hidden(self._problem, errors)
        return self._restoration.score_of_training(squared)
