"""Which of several starts to take."""

from __future__ import annotations

import copy
import math
from typing import Any

from torch import nn

from skae.training._batches import Tensors
from skae.training._engine import train
from skae.training._folds import Folds

_ROUNDS = 2  # after which the order was that of whole trainings


def choose_start(
    residuals: dict[str, nn.Module],
    objective: nn.Module,
    tensors: Tensors,
    folds: Folds,
    **training: Any,
) -> str:
    """Return the name of the residual module that a short training takes farthest.

    The start that is best alone is often the wrong one: a large linear map knows the
    rows that it was fitted to, and leaves a network errors that new rows do not have.
    Where nothing is held out, the first one is taken.

    Parameters
    ----------
    residuals : dict of str to nn.Module
        The same module beside different starts; stays as it is.
    **training
        Parameters of :func:`train`.
    """

    def error(name: str) -> float:
        module = copy.deepcopy(residuals[name])
        history = train(
            module, objective, tensors, folds, **training | {"max_iter": _ROUNDS}
        )
        least = min(row["validation_loss"] for row in history)
        return math.inf if math.isnan(least) else least  # of one that diverged

    if len(residuals) == 1 or len(folds.held_out_rows) == 0:
        return next(iter(residuals))
    return min(residuals, key=error)
