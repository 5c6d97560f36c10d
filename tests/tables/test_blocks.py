"""Prediction in blocks."""

import numpy as np
import pytest

from skae._tables import BLOCK, map_blocks


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


def test_dtype_of_the_result_can_be_another() -> None:
    X = np.full((3, 2), 1e30, np.float32)
    squares = map_blocks(np.square, X, 2, dtype=np.float64)
    np.testing.assert_allclose(squares, 1e60)
