"""The columns of a table with gaps, standardised by what is observed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Columns:
    """Location, scale and range of each column.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_features,)
        Mean and standard deviation of the observed values; the scale of a constant
        column is one.
    low, high : ndarray of shape (n_features,)
        Least and largest observed value.
    """

    mean: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of_observed(cls, X: np.ndarray, observed: np.ndarray) -> Columns:
        """Columns as they are observed; each has at least one observed value."""
        count = observed.sum(axis=0)
        mean = X.sum(axis=0, where=observed, dtype=np.float64) / count
        centred = np.subtract(X, mean, where=observed, out=np.zeros(X.shape))
        scale = np.sqrt(np.square(centred).sum(axis=0) / count)
        low = X.min(axis=0, where=observed, initial=np.inf).astype(np.float64)
        high = X.max(axis=0, where=observed, initial=-np.inf).astype(np.float64)
        rounding = np.finfo(X.dtype).eps * np.maximum(np.abs(low), np.abs(high))
        scale[(low == high) | (scale <= rounding)] = 1.0
        return cls(mean, scale, low, high)

    def standardise(self, X: np.ndarray, observed: np.ndarray) -> torch.Tensor:
        """Return standardised rows with zeros in their gaps."""
        rows = np.zeros(X.shape)
        np.subtract(X, self.mean, where=observed, out=rows)
        rows /= self.scale
        return torch.from_numpy(rows)

    def clip(self, rows: torch.Tensor) -> torch.Tensor:
        """Return standardised rows within the observed range."""
        low, high = (
            torch.from_numpy((limit - self.mean) / self.scale)
            for limit in (self.low, self.high)
        )
        return rows.clamp(low, high)

    def restore(self, rows: torch.Tensor) -> np.ndarray:
        """Return standardised rows in the units of X, within the observed range."""
        # Once more, because the way there and back ends in rounding.
        return (rows.numpy() * self.scale + self.mean).clip(self.low, self.high)
