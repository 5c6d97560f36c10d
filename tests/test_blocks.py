"""Prediction in blocks."""

import numpy as np
import pytest

from skae import _blocks
from skae._blocks import map_blocks


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [1, 20, 21, 100])
def test_blocks(monkeypatch: pytest.MonkeyPatch, dtype: type, n_rows: int) -> None:
    """Bounded blocks in float64, put together in the dtype of the rows."""
    monkeypatch.setattr(_blocks, "BLOCK", 100)
    X = np.random.RandomState(0).normal(size=(n_rows, 3)).astype(dtype)
    seen = []

    def function(rows: np.ndarray) -> np.ndarray:
        seen.append(rows)
        return np.column_stack([rows, rows.sum(axis=1), rows[:, 0] ** 2])

    result = map_blocks(function, X, 5)
    assert result.dtype == dtype
    assert np.array_equal(result, function(X.astype(np.float64)).astype(dtype))
    # Twenty rows of five outputs.
    assert all(len(rows) <= 20 and rows.dtype == np.float64 for rows in seen[:-1])


@pytest.mark.parametrize("n_features, n_out", [(1000, 2), (2, 1000)])
def test_rows_wider_than_a_block(
    monkeypatch: pytest.MonkeyPatch, n_features: int, n_out: int
) -> None:
    monkeypatch.setattr(_blocks, "BLOCK", 100)
    X = np.ones((3, n_features))
    assert map_blocks(lambda rows: np.ones((len(rows), n_out)), X, n_out).all()


def test_dtype_of_the_result_can_be_another() -> None:
    X = np.full((3, 2), 1e30, np.float32)
    squares = map_blocks(np.square, X, 2, dtype=np.float64)
    np.testing.assert_allclose(squares, 1e60)
