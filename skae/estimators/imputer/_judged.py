"""Hidden values that are judged: how far off they are at any weight of the network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from skae._training import Folds, Gate, Problem, Verdict, held_out_output
from skae.estimators.imputer._module import GapNetwork
from skae.estimators.imputer._residual_quantiles import ResidualQuantiles
from skae.estimators.imputer._start import Gaussian
from skae.losses import Loss


@dataclass(frozen=True)
class JudgedFills:
    """Corrections of rows by networks that were not trained on them.

    A correction is proportional to the weight of the network, so that one pass tells
    the errors at every weight.

    Attributes
    ----------
    target, correction : tensor of shape (n_rows, n_features)
        By how much values differ from the fill of the start, and what the network makes
        of that.
    observed, hidden : tensor of bool of shape (n_rows, n_features)
        What the network saw, and what was hidden from it.
    """

    target: torch.Tensor
    correction: torch.Tensor
    observed: torch.Tensor
    hidden: torch.Tensor

    @classmethod
    def of(cls, problem: Problem[GapNetwork], otherwise: np.ndarray) -> JudgedFills:
        """Correct the held-out examples or, where there are none, others."""
        if not problem.provable:
            folds = Folds(problem.folds.training, [otherwise])
            problem = replace(problem, folds=folds)
        problem.module.weight = 1.0
        rows, tensors = problem.folds.held_out_rows, problem.tensors
        return cls(
            tensors["target"][rows].double(),
            torch.from_numpy(held_out_output(problem)),
            tensors["observed"][rows].bool(),
            tensors["weight"][rows].bool(),
        )

    def verdict(self, loss: Loss, folds: Folds) -> tuple[float, Verdict]:
        """Return how much of the network to keep, and what that is worth.

        The networks are averaged, from which each gains more than it shows when it is
        judged alone: no significance is asked for.
        """

        def error_at(weight: float) -> np.ndarray:
            error = loss.pointwise(weight * self.correction, self.target) * self.hidden
            return folds.per_distinct_row(error.mean(1).numpy())

        gate = Gate(standard_errors=0).fit(error_at)
        errors = (gate.start_error_.mean(), gate.held_out_error_.mean())
        return gate.weight_, Verdict(gate.weight_ > 0, *map(float, errors))

    def residuals(self, weight: float, gaussian: Gaussian) -> ResidualQuantiles:
        """How the hidden values lie around their fills."""
        return ResidualQuantiles.of(
            (self.target - weight * self.correction).numpy(),
            gaussian.deviation(self.observed).numpy(),
            self.hidden.numpy(),
        )
