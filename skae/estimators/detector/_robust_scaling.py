"""Columns on a scale that a few gross values can neither shift nor stretch."""

from __future__ import annotations

import numpy as np

_NORMAL_IQR = 1.349  # interquartile range of a normal distribution in units of its sd


class RobustScaling:
    """Subtract the median, divide by the interquartile range, compress by arcsinh.

    A column whose middle half is constant is divided by its standard deviation:
    dropping it would hide the rows in which it is different.

    Attributes
    ----------
    centre, scale : ndarray of shape (n_features,)
    """

    def fit(self, X: np.ndarray) -> RobustScaling:
        """Measure the columns of a table."""
        # Column by column, because a percentile takes a copy.
        quartiles = np.array(
            [np.percentile(column.astype(np.float64), [25, 50, 75]) for column in X.T]
        )
        self.centre = quartiles[:, 1]
        spread = (quartiles[:, 2] - quartiles[:, 0]) / _NORMAL_IQR
        self.scale = spread_or(spread, np.array([deviation(c) for c in X.T]))
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return np.arcsinh((X - self.centre) / self.scale)


def deviation(column: np.ndarray) -> float:
    """Return the standard deviation, of equal values zero and no rounding of it."""
    equal = column.min() == column.max()
    return 0.0 if equal else float(column.std(dtype=np.float64))


def spread_or(spread: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """Return `spread`, or `fallback` where it is zero, or one where both are.

    However small the spread is beside the fallback, it is kept: a single gross value
    makes the fallback as large as you like.
    """
    scale = np.where(spread > 0, spread, fallback)
    return np.where(scale > 0, scale, 1.0)
