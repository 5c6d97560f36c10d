"""The columns of a table with gaps, standardised by what is observed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Columns:
    """Location, scale and range of the columns that have an observed value.

    Attributes
    ----------
    n_features : int
        Number of columns of the table.
    known : ndarray of int
        Columns with an observed value; what follows is of these.
    mean, scale : ndarray of shape (n_known,)
        Mean and standard deviation of the observed values; the scale of a constant
        column is one.
    low, high : ndarray of shape (n_known,)
        Least and largest observed value.
    limits : ndarray of shape (2, n_known)
        Least and largest value to fill with.
    """

    n_features: int
    known: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    limits: np.ndarray

    @classmethod
    def of(
        cls,
        X: np.ndarray,
        observed: np.ndarray,
        *,
        known: np.ndarray,
        n_features: int,
        limits: np.ndarray,
    ) -> Columns:
        """Measure the known columns; the other numbers are attributes."""
        count = observed.sum(axis=0)
        mean = X.sum(axis=0, where=observed, dtype=np.float64) / count
        centred = np.subtract(X, mean, where=observed, out=np.zeros(X.shape))
        scale = np.sqrt(np.square(centred).sum(axis=0) / count)
        low = X.min(axis=0, where=observed, initial=np.inf).astype(np.float64)
        high = X.max(axis=0, where=observed, initial=-np.inf).astype(np.float64)
        rounding = np.finfo(X.dtype).eps * np.maximum(np.abs(low), np.abs(high))
        scale[(low == high) | (scale <= rounding)] = 1.0
        return cls(n_features, known, mean, scale, low, high, limits)

    def statistics(self, otherwise: float) -> np.ndarray:
        """Means of all columns of the table; a number for those that hold nothing."""
        statistics = np.full(self.n_features, otherwise)
        statistics[self.known] = self.mean
        return statistics

    def standardise(self, X: np.ndarray, observed: np.ndarray) -> torch.Tensor:
        """Return standardised rows of the known columns with zeros in their gaps."""
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
        """Return standardised rows in the units of X, within range and limits."""
        # Once more, because the way there and back ends in rounding.
        restored = (rows.numpy() * self.scale + self.mean).clip(self.low, self.high)
        return restored.clip(*self.limits)


@dataclass(frozen=True)
class GapTable:
    """The known columns of a training table.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_known)
        As they are, with anything in the gaps.
    columns : Columns
    rows, observed : tensor of shape (n_samples, n_known)
        Standardised, and where there are no gaps.
    """

    X: np.ndarray
    columns: Columns
    rows: torch.Tensor
    observed: torch.Tensor

    @classmethod
    def of(cls, table: np.ndarray, missing: np.ndarray, limits: np.ndarray) -> GapTable:
        """Standardise a table; limits are of shape (2, n_features)."""
        known = np.flatnonzero(~missing.all(axis=0))
        X, observed = np.ascontiguousarray(table[:, known]), ~missing[:, known]
        columns = Columns.of(
            X,
            observed,
            known=known,
            n_features=table.shape[1],
            limits=limits[:, known],
        )
        rows = columns.standardise(X, observed)
        return cls(X, columns, rows, torch.from_numpy(observed))
