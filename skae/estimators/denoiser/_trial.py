"""Which of several starts to take."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from torch import nn

from skae._training import Folds, Tensors, held_out_error, train

_ROUNDS = 2  # after which, of images, the order was that of whole trainings


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
    A training that diverges takes a start nowhere. Where nothing is held out, the first
    one is taken.

    Parameters
    ----------
    residuals : dict of str to nn.Module
        The same module beside different starts; stays as it is.
    **training
        Parameters of :func:`train`.
    """

    def error(name: str) -> float:
        module = copy.deepcopy(residuals[name]).float()  # as in training, for speed
        start = held_out_error(module, objective, tensors, folds).mean()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            history = train(
                module, objective, tensors, folds, **training | {"max_iter": _ROUNDS}
            )
        losses = [row["validation_loss"] for row in history]
        return min([start, *filter(math.isfinite, losses)])

    if len(residuals) == 1 or len(folds.held_out_rows) == 0:
        return next(iter(residuals))
    return min(residuals, key=error)
