"""A noise, for rows in coordinates and for images."""

from __future__ import annotations

import numpy as np
import torch

from skae.noise import Corruption, Noise


class Degradation:
    """A noise in the units of X, for rows in coordinates and for images.

    Parameters
    ----------
    noise : Noise
    clean : tensor of shape (n_samples, *shape)
        Clean rows in coordinates.
    mean : ndarray of shape (n_features,) or (1,)
        What lies at zero of the coordinates.
    unit : float
        Their unit.
    """

    def __init__(
        self, noise: Noise, clean: torch.Tensor, mean: np.ndarray, unit: float
    ) -> None:
        self._unit = unit
        rows = clean.flatten(1) * unit
        zero = -torch.from_numpy(mean).expand(rows.shape[1])
        self._corrupt: Corruption = noise.corruption(rows, zero)

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        degraded = self._corrupt(x.flatten(2) * self._unit, generator) / self._unit
        return degraded.view_as(x)
