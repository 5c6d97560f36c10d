"""Dates and durations are no numbers, even where numpy would convert them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

import numpy as np

_MOST_NAMES = 5  # columns that a message lists
#: What begins so is a date or a duration, in the names of types of pandas, of polars
#: and of Arrow: "datetime64[ns]", "Date", "timestamp[us][pyarrow]", "period[D]", ...
_DTYPES = ("date", "time", "duration", "period")
#: Of columns that may hold anything.
_ANYTHING = ("object", "category")
#: In front of what an Arrow dictionary holds.
_DICTIONARY = "dictionary<values="
#: Types of single values; those of pandas are derived from them, NaT included.
_VALUES = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    np.datetime64,
    np.timedelta64,
)


@runtime_checkable
class _Frame(Protocol):
    """A data frame of pandas, of polars or of those that look like them."""

    columns: Iterable[Any]
    dtypes: Iterable[Any]


@runtime_checkable
class _ArrowTable(Protocol):
    """A table of Arrow, whose schema has a field for each column."""

    column_names: list[str]
    schema: Any


def check_no_dates(X: Any, name: str = "X") -> None:
    """Raise a ValueError if columns of a table hold dates or durations.

    NaT, a missing one, would pass as the least of all integers.
    """
    found = _dated_columns(X)
    if not found:
        return
    listed = ", ".join(map(repr, found[:_MOST_NAMES]))
    if len(found) > _MOST_NAMES:
        listed += f" and {len(found) - _MOST_NAMES} more"
    columns = "columns" if len(found) > 1 else "column"
    raise ValueError(
        f"{name} has dates or durations in the {columns} {listed}; convert them to "
        "numbers, for instance to days with (dates - origin) / np.timedelta64(1, 'D'), "
        f"or leave the {columns} out."
    )


def _dated_columns(X: Any) -> list[Any]:
    """Names of columns that hold dates, or their numbers."""
    if isinstance(X, np.ndarray):
        return _dated_columns_of_array(X)
    if isinstance(X, _Frame):
        return _dated_columns_of_types(X, list(X.columns), X.dtypes)
    if isinstance(X, _ArrowTable):
        types = (field.type for field in X.schema)
        return _dated_columns_of_types(X, X.column_names, types)
    try:
        array = np.asarray(X)
    except (TypeError, ValueError, RuntimeError):
        return []  # what is no table is refused with a message of its own
    return _dated_columns_of_array(array)


def _dated_columns_of_types(
    X: Any, names: list[Any], types: Iterable[Any]
) -> list[Any]:
    words = [str(dtype).lower().removeprefix(_DICTIONARY) for dtype in types]
    dated = [j for j, word in enumerate(words) if word.startswith(_DTYPES)]
    if not dated and any(word.startswith(_ANYTHING) for word in words):
        dated = _dated_columns_of_array(np.asarray(X))
    return [names[j] for j in dated]


def _dated_columns_of_array(X: np.ndarray) -> list[int]:
    if X.dtype.kind not in "mMO" or X.size == 0:
        return []
    columns = X.reshape(len(X), -1).T if X.ndim > 0 else X.reshape(1, 1)
    if X.dtype.kind in "mM":
        return list(range(len(columns)))
    return [
        j
        for j, column in enumerate(columns)
        if any(map(_is_date, set(map(type, column))))
    ]


def _is_date(kind: type) -> bool:
    # pandas is not imported for its periods, which are derived from nothing.
    return issubclass(kind, _VALUES) or kind.__name__ == "Period"
