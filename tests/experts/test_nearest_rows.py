"""The local expert against its definition, written as loops."""

from __future__ import annotations

import numpy as np
import pytest

from skae.estimators.detector._nearest_rows import NearestRows
from skae.estimators.detector._robust_scaling import RobustScaling


def expert_of(rows: np.ndarray, n_neighbors: int = 5) -> NearestRows:
    return NearestRows(rows, RobustScaling(rows), n_neighbors)


def nearest(rows: np.ndarray, point: np.ndarray, k: int) -> tuple[list, list]:
    """Distances and indices of the k rows that are nearest to a point."""
    distances = [np.sqrt(((row - point) ** 2).sum()) for row in rows]
    order = np.argsort(distances, kind="stable")[:k]
    return [distances[i] for i in order], list(order)


def to_its_own(rows: np.ndarray, i: int, k: int) -> float:
    """Mean distance of a row to its neighbours."""
    return float(np.mean(nearest(np.delete(rows, i, axis=0), rows[i], k)[0]))


@pytest.mark.parametrize("k", [1, 3, 5])
def test_errors(rng: np.random.RandomState, k: int) -> None:
    rows, X = rng.normal(size=(40, 3)), rng.normal(scale=3, size=(25, 3))
    rows *= [1, 1e3, 1e-3]
    X *= [1, 1e3, 1e-3]
    scaling = RobustScaling(rows)
    scaled_rows, scaled_X = scaling.transform(rows), scaling.transform(X)
    expected = np.empty_like(X)
    for i, x in enumerate(scaled_X):
        _, neighbors = nearest(scaled_rows, x, k)
        squared = np.mean([(x - scaled_rows[j]) ** 2 for j in neighbors], axis=0)
        apart = np.mean([to_its_own(scaled_rows, j, k) for j in neighbors])
        expected[i] = squared / apart
    np.testing.assert_allclose(expert_of(rows, k).errors(X), expected)


def test_training_rows_are_judged_as_if_they_were_new(
    rng: np.random.RandomState,
) -> None:
    """Neighbours of a row are others, though how far these are apart is known."""
    rows, k = rng.normal(size=(40, 3)), 4
    expert = expert_of(rows, k)
    scaled = RobustScaling(rows).transform(rows)
    errors = []
    for i in range(len(rows)):
        others = np.delete(np.arange(len(rows)), i)
        distances, order = nearest(scaled[others], scaled[i], k)
        apart = np.mean([to_its_own(scaled, others[j], k) for j in order])
        errors.append(np.mean(np.square(distances)) / apart)
    order = np.argsort(errors)
    np.testing.assert_allclose(expert.surprise.errors, np.array(errors)[order])


@pytest.mark.parametrize("n", [2, 3, 5])
def test_fewer_rows_than_neighbors(rng: np.random.RandomState, n: int) -> None:
    rows = rng.normal(size=(n, 2))
    expert = expert_of(rows, 5)
    assert np.isfinite(expert.errors(rows)).all()


def test_a_local_outlier_is_worse_than_a_row_among_sparse_ones(
    rng: np.random.RandomState,
) -> None:
    dense, sparse = rng.normal(scale=0.01, size=(200, 2)), rng.normal(size=(200, 2))
    expert = expert_of(np.concatenate([dense, sparse + 5]))
    near_dense, among_sparse = expert.errors(np.array([[0.3, 0.3], [5.3, 5.3]]))
    assert near_dense.sum() > 3 * among_sparse.sum()


def test_copies_of_rows(rng: np.random.RandomState) -> None:
    rows = np.repeat(rng.normal(size=(10, 3)), 20, axis=0)
    expert = expert_of(rows)
    assert not expert.errors(rows).any()
    new = expert.errors(rows + 1e-3)
    assert np.isfinite(new).all()
    assert (new > 0).all()
