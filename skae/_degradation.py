"""Pairs of degraded and clean rows, to learn from and to be judged on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from skae._blocks import row_blocks
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


@dataclass(frozen=True)
class Pairs:
    """Degraded and clean rows of one table.

    Attributes
    ----------
    degraded, clean : tensor of shape (n_samples, *shape)
        In coordinates.
    degrade : Degradation or None
        Degrades clean rows anew; None where the degraded rows are given.
    """

    degraded: torch.Tensor
    clean: torch.Tensor
    degrade: Degradation | None = None

    def blocks(
        self, rows: np.ndarray, passes: int, generator: torch.Generator
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Blocks of rows, degraded anew in each of so many passes.

        Where degraded rows are given, one pass holds all there is.
        """
        width = max(self.degraded[0].numel(), self.clean[0].numel())
        for _ in range(passes if self.degrade else 1):
            for part in row_blocks(len(rows), width):
                block = torch.from_numpy(rows[part])
                clean = self.clean[block]
                if self.degrade is None:
                    yield self.degraded[block], clean
                else:
                    yield self.degrade(clean[None], generator)[0], clean

    def given(self, rows: np.ndarray) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Blocks of rows as they were degraded once."""
        return Pairs(self.degraded, self.clean).blocks(rows, 1, torch.Generator())
