"""Errors, and those of held-out rows on the scale of a score: zero is the mean."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from skae._tables import Coordinates, map_blocks, row_blocks
from skae.losses import Loss


def sums_of_squares(
    deviations: Callable[[np.ndarray], np.ndarray], X: np.ndarray, unit: float = 1.0
) -> np.ndarray:
    """Sum of the squared deviations of each row, in squares of a unit."""
    squares = partial(_sums_of_squares, deviations, unit)
    return map_blocks(squares, X, 1, dtype=np.float64)[:, 0]


def _sums_of_squares(
    deviations: Callable[[np.ndarray], np.ndarray], unit: float, rows: np.ndarray
) -> np.ndarray:
    return np.square(deviations(rows) / unit).sum(axis=1, keepdims=True)


class HeldOutScore:
    """Turns mean held-out errors into ``1 - error / error of the mean``.

    With squared error that is the share of variance explained, in all features: what
    the coordinates leave out counts as an error.

    Parameters
    ----------
    mean : ndarray of shape (n_features,)
        Mean of the training rows.
    coordinates : Coordinates
    loss : Loss
    """

    def __init__(self, mean: np.ndarray, coordinates: Coordinates, loss: Loss) -> None:
        self._mean = mean
        self._coordinates = coordinates
        self._loss = loss

    def fit(self, X: np.ndarray, held_out: np.ndarray) -> HeldOutScore:
        """Measure what the mean and the coordinates leave of held-out rows of X."""
        parts = np.zeros(2)
        for rows in row_blocks(len(held_out), X.shape[1]):
            parts += self._of_block(X[held_out[rows]])
        self._left_out, self._of_mean = parts / (
            len(held_out) * self._coordinates.n_coordinates
        )
        return self

    def _of_block(self, X: np.ndarray) -> np.ndarray:
        """Sums over rows of what the coordinates leave out, and of the mean's error."""
        mean, coordinates, loss = self._mean, self._coordinates, self._loss
        target = torch.from_numpy(coordinates.transform(X))
        constant = torch.from_numpy(coordinates.transform(mean[None])).expand_as(target)
        error = float(loss.pointwise(loss.inverse_link(constant), target).sum())

        def left_out(centre: np.ndarray, seen: torch.Tensor) -> float:
            energy = np.square((X - centre) / coordinates.scale).sum()
            return max(energy - float(seen.square().sum()), 0.0)

        of_mean = error + left_out(mean, target - constant)
        return np.array([left_out(coordinates.mean, target), of_mean])

    def of_rows(self, errors: np.ndarray) -> float:
        """Return the score of rows from the error of each."""
        return self(float(errors.mean()))

    def __call__(self, error: float) -> float:
        error = error + self._left_out
        if self._of_mean == 0:
            return 1.0 if error == 0 else -np.inf
        return float(1 - error / self._of_mean)
