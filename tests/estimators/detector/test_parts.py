"""The core: rows that are surely normal."""

from __future__ import annotations

import numpy as np
import pytest

from skae.estimators.detector._core import core_rows
from skae.estimators.detector._robust_scaling import RobustScaling


def core_of(X: np.ndarray, fraction: float, seed: int = 0) -> np.ndarray:
    return core_rows(X, RobustScaling(X), fraction, np.random.RandomState(seed))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.2])
def test_far_rows_are_left_out(share: float, together: bool, seed: int) -> None:
    """Scattered or all in one place."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(500, 6))
    n_far = round(share * len(X))
    directions = rng.normal(size=(1 if together else n_far, 6))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    X[:n_far] = 20 * directions + 0.3 * rng.normal(size=(n_far, 6))
    core = core_of(X, 0.75, seed)
    assert len(core) == 375
    assert core.min() >= n_far


def test_units_of_the_columns_do_not_matter(rng: np.random.RandomState) -> None:
    X = rng.normal(size=(200, 4))
    X[:20] += 9
    units = np.ldexp(1.0, [-20, 0, 3, 40])
    assert np.array_equal(core_of(X * units, 0.75), core_of(X, 0.75))


@pytest.mark.parametrize("n", [2, 3, 50])
def test_all_rows_are_their_own_core(rng: np.random.RandomState, n: int) -> None:
    assert np.array_equal(core_of(rng.normal(size=(n, 3)), 1.0), np.arange(n))


@pytest.mark.parametrize(
    "n, fraction, size", [(2, 0.01, 2), (3, 0.75, 3), (9, 0.1, 2), (30, 0.75, 23)]
)
def test_has_at_least_two_rows(
    rng: np.random.RandomState, n: int, fraction: float, size: int
) -> None:
    core = core_of(rng.normal(size=(n, 3)), fraction)
    assert len(core) == size
    assert np.array_equal(core, np.unique(core))


def test_of_rows_that_are_all_alike() -> None:
    assert len(core_of(np.ones((40, 3)), 0.75)) == 30
