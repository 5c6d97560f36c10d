"""Held-out errors on the scale of a score: one is perfect, zero is the mean."""

from __future__ import annotations

import numpy as np
import torch

from skae._tables import Coordinates
from skae.losses import Loss


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

    def fit(self, X: np.ndarray) -> HeldOutScore:
        """Measure what the mean and the coordinates leave of held-out rows."""
        mean, coordinates, loss = self._mean, self._coordinates, self._loss
        target = torch.from_numpy(coordinates.transform(X))
        constant = torch.from_numpy(coordinates.transform(mean[None])).expand_as(target)
        error = loss.pointwise(loss.inverse_link(constant), target).mean()

        def left_out(centre: np.ndarray, seen: torch.Tensor) -> float:
            energy = np.square((X - centre) / coordinates.scale).sum()
            return max((energy - float(seen.square().sum())) / seen.numel(), 0.0)

        self._left_out = left_out(coordinates.mean, target)
        self._of_mean = float(error) + left_out(mean, target - constant)
        return self

    def of_rows(self, errors: np.ndarray) -> float:
        """Return the score of rows from the error of each."""
        return self(float(errors.mean()))

    def __call__(self, error: float) -> float:
        error = error + self._left_out
        if self._of_mean == 0:
            return 1.0 if error == 0 else -np.inf
        return float(1 - error / self._of_mean)
