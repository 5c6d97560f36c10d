"""Columns on a scale that a few gross values can neither shift nor stretch."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

_NORMAL_IQR = 1.349  # interquartile range of a normal distribution in units of its sd
_CHANGE = 1e-4  # of a constant: the unit of its changes; float32 rounds to 6e-8


class RobustScaling:
    """Subtract the median, divide by the interquartile range, compress by arcsinh.

    A column whose middle half is constant is divided by its standard deviation:
    dropping it would hide the rows in which it is different. A column that is constant
    as a whole is divided by a small part of what it holds: a change is the same event
    in every unit, and rounding to float32 is none.

    Attributes
    ----------
    centre, scale : ndarray of shape (n_features,)
    """

    def fit(self, X: np.ndarray, idle: np.ndarray) -> RobustScaling:
        """Measure the columns of a table; its quartiles are those of active rows."""
        active = np.full(len(X), True) if idle.all() else ~idle
        # Column by column, because a percentile takes a copy.
        quartiles = np.array(
            [np.percentile(c[active].astype(np.float64), [25, 50, 75]) for c in X.T]
        )
        self.centre = quartiles[:, 1]
        spread = (quartiles[:, 2] - quartiles[:, 0]) / _NORMAL_IQR
        spread[spread <= rounding_of(X.dtype, self.centre)] = 0
        deviations = [deviation(column) for column in X.T]
        constants = _CHANGE * np.abs(self.centre)
        self.scale = first_positive(spread, deviations, constants)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return np.arcsinh((X - self.centre) / self.scale)


def deviation(column: np.ndarray) -> float:
    """Return the standard deviation; zero of values that are equal but for rounding."""
    low, high = float(column.min()), float(column.max())
    if high - low <= rounding_of(column.dtype, max(abs(low), abs(high))):
        return 0.0
    # In units of the range, or squares of small numbers would be zero.
    return (high - low) * float(((column - low) / (high - low)).std(dtype=np.float64))


def rounding_of(dtype: DTypeLike, value: ArrayLike) -> np.ndarray:
    """Return by how much equal values of some size may differ once computed."""
    return 4 * float(np.finfo(dtype).eps) * np.abs(value)


def first_positive(*scales: ArrayLike) -> np.ndarray:
    """Return the first scale of each column that is not zero, or one.

    However small a scale is beside the next, it is kept: a single gross value makes a
    standard deviation as large as you like.
    """
    scale = np.ones(np.shape(scales[0]))
    for candidate in reversed(scales):
        scale = np.where(np.asarray(candidate) > 0, candidate, scale)
    return scale
