"""What the networks of a detector learn from: the core, with features hidden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from skae._tables import row_blocks
from skae._training import Folds, Tensors
from skae.estimators.detector._core import core_rows, idle_rows
from skae.estimators.detector._robust_scaling import (
    RobustScaling,
    column_blocks,
    columns_of,
    deviation,
    first_positive,
)
from skae.noise import Corruption

_MAX_REFERENCE = 4096  # rows that new rows are compared with
_LARGEST = 1e100  # standardised value: its square is finite, and any event is as clear


@dataclass(frozen=True)
class View:
    """Columns standardised on the core, as the networks see them.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_features,)
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, core: np.ndarray, scale: np.ndarray) -> View:
        """Standardise by the core; columns that are constant there by another scale."""
        mean, sd = np.empty((2, X.shape[1]))
        for block in column_blocks(X):
            columns = columns_of(X, block)[:, core].astype(np.float64)
            # Of equal values, the mean may be another by rounding.
            ends = columns.min(axis=1), columns.max(axis=1)
            mean[block] = columns.mean(axis=1).clip(*ends)
            sd[block] = deviation(columns)
        return cls(mean, first_positive(sd, scale))

    def inputs(self, X: np.ndarray) -> torch.Tensor:
        """Return rows of X as a batch for all members."""
        standardised = (X - self.mean) / self.scale
        return torch.from_numpy(standardised.clip(-_LARGEST, _LARGEST))[None]

    def restore(self, rows: torch.Tensor) -> np.ndarray:
        """Return standardised rows in the units of X."""
        return rows.numpy() * self.scale + self.mean


@dataclass(frozen=True)
class Rows:
    """The training rows of a detector.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
    core : ndarray of int
        Rows that the networks train on.
    reference : ndarray of int
        Rows that new rows and their errors are compared with.
    scaling : RobustScaling
        How rows are compared.
    view : View
        How the networks see them.
    """

    X: np.ndarray
    core: np.ndarray
    reference: np.ndarray
    scaling: RobustScaling
    view: View

    @classmethod
    def of(
        cls, X: np.ndarray, core_fraction: float, random_state: np.random.RandomState
    ) -> Rows:
        """Find the core of a table and draw the reference rows."""
        idle = idle_rows(X, random_state)
        scaling = RobustScaling().fit(X, idle)
        core = core_rows(X, scaling, core_fraction, random_state, idle=idle)
        reference = random_state.permutation(len(X))[:_MAX_REFERENCE]
        return cls(X, core, reference, scaling, View.of(X, core, scaling.scale))

    def tensors(self) -> Tensors:
        """Return the core, in the precision of training."""
        inputs = np.empty((len(self.core), self.X.shape[1]), dtype=np.float32)
        view = self.view
        for rows in row_blocks(*inputs.shape):
            inputs[rows] = (self.X[self.core[rows]] - view.mean) / view.scale
        x = torch.from_numpy(inputs)
        return {"input": x, "target": x}

    def samples(
        self, members: int, fraction: float, generator: torch.Generator
    ) -> Folds:
        """Draw rows of the core for each member; none are held out."""
        n_rows = len(self.core)
        n_drawn = max(round(fraction * n_rows), 1)
        drawn = [
            torch.randperm(n_rows, generator=generator)[:n_drawn].numpy()
            for _ in range(members)
        ]
        return Folds(drawn, [drawn[0][:0]] * members)


class HiddenFeatures:
    """Prepares batches: hides features of every row, whose prediction alone counts.

    How many are hidden is drawn for each row, uniformly from none to all: the network
    learns to predict a feature from any set of the others. Rows that are judged are
    left to the module, which predicts every feature without seeing it.

    Parameters
    ----------
    corruption : callable or None
        Noise on the visible features.
    """

    def __init__(self, corruption: Corruption | None) -> None:
        self._corrupt = corruption

    def __call__(self, batch: Tensors, generator: torch.Generator | None) -> Tensors:
        if generator is None:
            return batch
        x = batch["input"]
        shares = torch.empty_like(x[..., :1]).uniform_(generator=generator)
        draws = torch.empty_like(x).uniform_(generator=generator)
        visible = (draws < shares).to(x.dtype)
        if self._corrupt is not None:
            x = self._corrupt(x, generator)
        return batch | {"input": x, "visible": visible, "weight": 1 - visible}
