"""Numbers that can be computed with: no NaN where none is taken, none too large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils import check_array

from skae._base._dates import check_no_dates
from skae._base._sklearn import feature_names
from skae._tables import has_gaps, row_blocks

#: Far beyond any measurement, and so small that sums of squares do not overflow; of
#: float32, so small that sums of values do not.
LARGEST = {np.dtype(np.float64): 1e100, np.dtype(np.float32): 1e36}


def check_magnitude(
    X: np.ndarray,
    name: str = "X",
    columns: Sequence[str] | None = None,
    *,
    missing: np.ndarray | None = None,
    dtype: np.dtype | None = None,
) -> None:
    """Raise a ValueError that names column and value of what is too large.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        A table; NaN is let through.
    name : str
        Of the argument.
    columns : sequence of str or None
        Names of the columns, if they have any.
    missing : ndarray of bool of the shape of X, or None
        Cells that stand for a gap, whatever number they hold.
    dtype : dtype or None
        In which it is computed with; that of X by default.
    """
    largest = LARGEST[dtype or X.dtype]
    counts = True if missing is None else ~missing
    if (
        np.fmin.reduce(X, axis=None, where=counts, initial=0.0) >= -largest
        and np.fmax.reduce(X, axis=None, where=counts, initial=0.0) <= largest
    ):
        return
    table = X.reshape(len(X), -1)
    if missing is not None:
        table = np.where(missing, 0.0, table)
    cell = _first(table, partial(_beyond, largest))
    raise ValueError(
        f"{name} holds {table[cell]:.6g} in {_named(cell, columns)}; values beyond "
        f"{largest:.0e} cannot be computed with: correct it, or divide the column."
    )


def check_numbers(X: Any, name: str = "X", **checks: Any) -> np.ndarray:
    """Return an array beside the table that an estimator was fitted to."""
    check_no_dates(X, name)
    table: np.ndarray = check_array(
        X, dtype=[np.float64, np.float32], order="C", input_name=name, **checks
    )
    check_magnitude(table, name, feature_names(X))
    return table


def place_of_gap(X: np.ndarray, columns: Sequence[str] | None = None) -> str | None:
    """Name column and row of the first NaN of a table; None if there is none."""
    if not has_gaps(X):
        return None
    return _named(_first(X, np.isnan), columns)


def _beyond(largest: float, rows: np.ndarray) -> np.ndarray:
    return np.abs(rows) > largest


def _first(
    table: np.ndarray, at: Callable[[np.ndarray], np.ndarray]
) -> tuple[int, int]:
    """Row and column of the first cell of which something is true, as it is of one."""
    for rows in row_blocks(*table.shape):
        found = at(table[rows])
        if found.any():
            break
    row, column = np.unravel_index(found.argmax(), found.shape)
    return rows.start + int(row), int(column)


def _named(cell: tuple[int, int], columns: Sequence[str] | None) -> str:
    row, column = cell
    named = str(column) if columns is None else repr(columns[column])
    return f"column {named}, row {row}"
