"""Large tables are worked on in blocks of rows, in float64 and in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import DTypeLike

from skae._tables._ambient import predicting

BLOCK = 2**17  # elements of X that are worked on at a time: they fit into a cache


def row_blocks(
    n_samples: int, n_features: int, elements: int = BLOCK
) -> Iterator[slice]:
    """Slices of rows that hold at most so many elements, but at least one row."""
    # scikit-learn's gen_batches inspects its arguments, which is a tenth of the time in
    # which a row is restored.
    size = max(1, elements // n_features)
    for start in range(0, n_samples, size):
        yield slice(start, min(start + size, n_samples))


def has_gaps(X: np.ndarray) -> bool:
    """Tell whether there is a NaN: minima pass it on, in one pass without memory."""
    return bool(np.isnan(X.min()))


def magnitude(X: np.ndarray) -> float:
    """Power of two at the largest absolute value; one if there are only zeros.

    In this unit squares neither overflow nor underflow, and no digit of X is changed.
    """
    largest = max(X.max(), -X.min())
    if largest == 0:
        return 1.0
    largest = max(largest, np.finfo(X.dtype).tiny)
    return float(2.0 ** (np.frexp(largest)[1] - 1))


def spread(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the rows, evenly spread."""
    return rows[:: max(math.ceil(len(rows) / most), 1)]


@predicting()
def map_blocks(
    function: Callable[[np.ndarray], np.ndarray],
    X: np.ndarray,
    n_out: int,
    dtype: DTypeLike | None = None,
    working: DTypeLike = np.float64,
    elements: int = BLOCK,
) -> np.ndarray:
    """Apply `function` to blocks of rows as `working`; return `dtype`, else X's."""
    result = np.empty((len(X), n_out), dtype=dtype or X.dtype)
    for rows in row_blocks(len(X), max(X.shape[1], n_out), elements):
        values = function(X[rows].astype(working, copy=False))
        with np.errstate(over="raise"):
            try:
                result[rows] = values
            except FloatingPointError:
                raise ValueError(
                    f"X is so far from the rows of fit that {result.dtype} has no room "
                    "for what becomes of it; pass X as float64."
                ) from None
    return result
