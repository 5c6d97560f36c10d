"""Prediction in blocks."""

import numpy as np
import pytest

from skae._tables import BLOCK, has_gaps, map_blocks, spread


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [1, 20, 21, 100])
@pytest.mark.parametrize("working", [np.float32, np.float64])
def test_blocks(dtype: type, n_rows: int, working: type) -> None:
    """Bounded blocks in one precision, put together in the dtype of the rows."""
    X = np.random.RandomState(0).normal(size=(n_rows, 3)).astype(dtype)
    seen = []

    def function(rows: np.ndarray) -> np.ndarray:
        seen.append(rows)
        return np.column_stack([rows, rows.sum(axis=1), rows[:, 0] ** 2])

    result = map_blocks(function, X, 5, working=working, elements=100)
    assert result.dtype == dtype
    # Twenty rows of five outputs.
    assert len(seen) == -(-n_rows // 20)
    assert all(len(rows) <= 20 and rows.dtype == working for rows in seen)
    assert np.array_equal(result, function(X.astype(working)).astype(dtype))


def test_blocks_in_float64_are_the_default() -> None:
    seen = []

    def function(rows: np.ndarray) -> np.ndarray:
        seen.append(rows)
        return rows

    map_blocks(function, np.ones((3 * BLOCK // 4, 8), np.float32), 8)
    assert {rows.dtype for rows in seen} == {np.dtype(np.float64)}
    assert [rows.size for rows in seen] == 6 * [BLOCK]


@pytest.mark.parametrize("n_features, n_out", [(1000, 2), (2, 1000)])
def test_rows_wider_than_a_block(n_features: int, n_out: int) -> None:
    def ones(rows: np.ndarray) -> np.ndarray:
        assert len(rows) == 1
        return np.ones((1, n_out))

    assert map_blocks(ones, np.ones((3, n_features)), n_out, elements=100).all()


def test_no_rows_are_no_block() -> None:
    def refused(rows: np.ndarray) -> np.ndarray:
        raise AssertionError("there is nothing to work on")

    result = map_blocks(refused, np.empty((0, 3), np.float32), 2)
    assert result.shape == (0, 2)
    assert result.dtype == np.float32


def test_dtype_of_the_result_can_be_another() -> None:
    X = np.full((3, 2), 1e30, np.float32)
    squares = map_blocks(np.square, X, 2, dtype=np.float64)
    np.testing.assert_allclose(squares, 1e60)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gaps_are_found_wherever_they_are(dtype: type) -> None:
    X = np.array([[-np.inf, 1.0], [2.0, np.inf]], dtype)
    assert has_gaps(X) is False
    for i in np.ndindex(X.shape):
        gappy = X.copy()
        gappy[i] = np.nan
        assert has_gaps(gappy) is True


@pytest.mark.parametrize("n, most", [(10, 3), (10, 10), (10, 100), (1000, 7), (7, 1)])
def test_spread(n: int, most: int) -> None:
    rows = np.arange(5, 5 + n)
    chosen = spread(rows, most)
    assert 1 <= len(chosen) <= most
    assert len(np.unique(np.diff(chosen))) <= 1
    assert 2 * len(chosen) >= min(n, most)
    assert set(chosen) <= set(rows)
    # Where there is room for all of them, all are taken.
    assert n > most or len(chosen) == n


def test_nothing_spread_is_nothing() -> None:
    assert len(spread(np.arange(0), 5)) == 0
