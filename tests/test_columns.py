"""Columns of a table with gaps."""

from __future__ import annotations

import numpy as np
import pytest

from skae.estimators.imputer._columns import Columns

X = np.array([[1.0, 5.0, np.nan], [3.0, 5.0, 2.0], [np.nan, 5.0, 4.0]])
OBSERVED = ~np.isnan(X)


@pytest.fixture
def columns() -> Columns:
    return Columns.of_observed(X, OBSERVED)


def test_gaps_do_not_count(columns: Columns) -> None:
    np.testing.assert_allclose(columns.mean, np.nanmean(X, axis=0))
    np.testing.assert_allclose(columns.scale, [1, 1, 1])
    np.testing.assert_array_equal(columns.low, [1, 5, 2])
    np.testing.assert_array_equal(columns.high, [3, 5, 4])


def test_there_and_back(columns: Columns) -> None:
    rows = columns.standardise(X, OBSERVED)
    np.testing.assert_array_equal(rows[~OBSERVED], 0)
    restored = columns.restore(rows)
    np.testing.assert_allclose(restored[OBSERVED], X[OBSERVED])
    np.testing.assert_allclose(restored[~OBSERVED], np.nanmean(X, axis=0)[[2, 0]])


def test_nothing_leaves_the_range(columns: Columns) -> None:
    rows = columns.standardise(10 * X, OBSERVED)
    np.testing.assert_allclose(columns.restore(rows)[1], [3, 5, 4])
    np.testing.assert_allclose(columns.clip(rows)[1], [1, 0, 1])


def test_rounding_is_no_spread() -> None:
    x = np.float32(0.1) + np.zeros((10, 1), dtype=np.float32)
    columns = Columns.of_observed(x, np.ones(x.shape, dtype=bool))
    assert columns.scale == 1
