"""What the training of a denoiser begins at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from skae._training import Folds, RestorationObjective, Tensors, held_out_error
from skae.estimators.denoiser._module import Restorer
from skae.estimators.denoiser._trial import choose_start
from skae.losses import LOSSES

_ROUNDING = 1e-6  # of float32, in which the network is trained


@dataclass(frozen=True)
class Beginning:
    """An untrained network beside the start that was chosen.

    Attributes
    ----------
    start : str
        Name of the start.
    module : Restorer
    errors : ndarray
        Mean squared errors of held-out rows with the start alone.
    improvable : bool
        Whether there is a gain to make, and rows that could prove it.
    """

    start: str
    module: Restorer
    errors: np.ndarray
    improvable: bool


def begin(
    starts: dict[str, nn.Module],
    untrained: Restorer,
    objective: RestorationObjective,
    tensors: Tensors,
    folds: Folds,
    **training: Any,
) -> Beginning:
    """Choose the start from which a short training comes farthest."""
    rest = objective, tensors, folds
    restorers = {name: untrained.with_start(start) for name, start in starts.items()}
    errors = {name: squared_errors(restorers[name], *rest) for name in starts}
    units = {name: _root_mean(error) for name, error in errors.items()}
    if {"identity", "local"} <= set(starts):
        # One is among the filters that the other was chosen from: two of a kind.
        del restorers[max("identity", "local", key=units.get)]
    improvable = min(units.values()) > _ROUNDING
    if improvable:
        for name, restorer in restorers.items():
            restorer.unit, restorer.weight = units[name], 1.0
        best = choose_start(restorers, *rest, **training)
    else:
        best = min(restorers, key=units.get)
    return Beginning(best, restorers[best], errors[best], improvable)


def squared_errors(
    module: Restorer,
    objective: RestorationObjective,
    tensors: Tensors,
    folds: Folds,
) -> np.ndarray:
    """Mean squared error of each held-out row, whatever the loss.

    Where there can be gaps, it is that of what was hidden; rows without any are left
    out.
    """
    if len(folds.held_out_rows) == 0:
        return np.empty(0)
    squared = RestorationObjective(LOSSES["squared_error"], gaps=objective.gaps)
    errors = held_out_error(module, squared, tensors, folds)
    if not objective.gaps:
        return errors
    hidden = tensors["input"][folds.held_out_rows].isnan().flatten(1)
    share = hidden.double().mean(dim=1).numpy()
    return errors[share > 0] / share[share > 0]


def _root_mean(errors: np.ndarray) -> float:
    """Root of the mean of squared errors; zero if there are none."""
    return float(np.sqrt(errors.mean())) if len(errors) else 0.0
