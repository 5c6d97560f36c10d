"""The range of values, and what lies so far outside that it must be a mistake.

A single value of 1e6 would otherwise set the unit of a noise, of a network or of a
score, which would be meaningless for all other values.
"""

from __future__ import annotations

import numpy as np

from skae._tables import row_blocks, spread

_SAMPLE = 2**17  # values that tell where nearly all are
# How far a value may be from nearly all others, in ranges of these. Images and most
# tables hold none beyond the first number; one beyond the second is a mistake.
_FAR, _WRONG = 2.0, 10.0


def value_range(X: np.ndarray) -> float:
    """Largest less least value of a table, without what is far from nearly all."""
    low, high = _bounds(X, 1, _FAR)
    ends = float(X.min()), float(X.max())
    if low <= ends[0] and ends[1] <= high:
        return ends[1] - ends[0]
    parts = (X[rows] for rows in row_blocks(*X.shape))
    near = [part[(low <= part) & (part <= high)] for part in parts]
    return float(
        max(x.max() for x in near if x.size) - min(x.min() for x in near if x.size)
    )


def without_mistakes(X: np.ndarray) -> np.ndarray:
    """Return a table in which no value is far from nearly all, nor from its column.

    Such a value is replaced by the nearest one that is not. Columns in a larger unit
    than the others are left as they are, and so are pixels that are rarely lit.
    """
    low, high = _bounds(X, 1, _WRONG)
    # Maxima of columns, or comparing all values would take the memory of a table.
    outside = np.flatnonzero((X.min(axis=0) < low) | (X.max(axis=0) > high))
    if len(outside) == 0:
        return X
    X = X.copy()
    for column in outside:
        values = X[:, column]
        first, last = _bounds(values, 5, _WRONG)
        values.clip(min(low, first), max(high, last), out=values)
    return X


def _bounds(X: np.ndarray, end: float, far: float) -> tuple[float, float]:
    """Least and largest value that is not far from nearly all values.

    Parameters
    ----------
    end : float
        Percentage of the values at either end that are not among nearly all.
    far : float
        In ranges of nearly all values. Of nearly constant values, each of the others
        may be right, and nothing is far.
    """
    sample = spread(X, max(_SAMPLE // X[0].size, 1))
    low, high = np.percentile(sample.astype(np.float64), [end, 100 - end])
    width = far * (high - low) or np.inf
    return float(low - width), float(high + width)
