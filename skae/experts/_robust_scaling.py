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

    def __init__(self, X: np.ndarray) -> None:
        # Column by column, because a percentile takes a copy.
        quartiles = np.array(
            [np.percentile(column.astype(np.float64), [25, 50, 75]) for column in X.T]
        )
        self.centre = quartiles[:, 1]
        spread = (quartiles[:, 2] - quartiles[:, 0]) / _NORMAL_IQR
        # The deviation of a constant column may be no more than rounding of its mean.
        varies = X.max(axis=0) > X.min(axis=0)
        self.scale = spread_or(spread, varies * X.std(axis=0, dtype=np.float64))

    def transform(self, X: np.ndarray) -> np.ndarray:
        return np.arcsinh((X - self.centre) / self.scale)


def spread_or(spread: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """Return `spread`, or `fallback` where it vanishes beside it, or one if both do."""
    scale = np.where(spread > 1e-3 * fallback, spread, fallback)
    return np.where(scale > 0, scale, 1.0)
