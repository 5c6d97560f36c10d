"""Columns on a scale that a few gross values can neither shift nor stretch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from skae._tables import row_blocks

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
        quartiles = np.empty((3, X.shape[1]))
        deviations = np.empty(X.shape[1])
        for block in column_blocks(X):
            columns = columns_of(X, block)
            active_rows = columns[:, active].astype(np.float64)
            quartiles[:, block] = np.percentile(active_rows, [25, 50, 75], axis=1)
            deviations[block] = deviation(columns)
        self.centre = quartiles[1]
        spread = (quartiles[2] - quartiles[0]) / _NORMAL_IQR
        spread[spread <= rounding_of(X.dtype, self.centre)] = 0
        constants = _CHANGE * np.abs(self.centre)
        self.scale = first_positive(spread, deviations, constants)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return np.arcsinh((X - self.centre) / self.scale)


def column_blocks(X: np.ndarray) -> Iterator[slice]:
    """Slices of columns that are worked on at a time: at least one."""
    return row_blocks(X.shape[1], len(X))


def columns_of(X: np.ndarray, block: slice) -> np.ndarray:
    """Return a copy of some columns, each of them a row."""
    return np.array(X[:, block].T, order="C")


def deviation(columns: np.ndarray) -> np.ndarray:
    """Return standard deviations; zero of values that are equal but for rounding.

    Parameters
    ----------
    columns : ndarray of shape (n_columns, n_samples)
    """
    low, high = (
        end.astype(np.float64)[:, None]
        for end in (columns.min(axis=1), columns.max(axis=1))
    )
    extent = high - low
    rounding = rounding_of(columns.dtype, np.maximum(np.abs(low), np.abs(high)))
    constant = extent <= rounding
    # In units of the range, or squares of small numbers would be zero.
    unit = np.where(constant, 1, extent)
    deviations = unit * ((columns - low) / unit).std(axis=1, keepdims=True)
    return np.where(constant, 0, deviations)[:, 0]


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
