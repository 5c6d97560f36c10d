"""Ridge regression from sums, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import linear_model

from skae._starts._ridge import Ridge


def table(n_samples: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Columns on different scales and far from zero, and what depends on them."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_samples, 5)) * [1, 2, 3, 0.5, 0.1] + 7
    Y = X @ np.random.RandomState(9).normal(size=(5, 3)) - 4
    return X, Y + rng.normal(size=Y.shape)


def blocks(X: np.ndarray, size: int) -> list[np.ndarray]:
    return np.split(X, range(size, len(X), size))


def by_scikit_learn(X, Y, penalty: float) -> linear_model.Ridge:
    unit = np.var(X, axis=0).mean()
    return linear_model.Ridge(alpha=penalty * unit * len(X)).fit(X, Y)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(10, 60), st.integers(1, 30), st.integers(0, 1000))
def test_is_that_of_scikit_learn_whatever_the_blocks(
    n_samples: int, block: int, seed: int
) -> None:
    X, Y = table(n_samples, seed)
    held_out = table(20, seed + 1)
    ridge = Ridge()
    for x, y in zip(blocks(X, block), blocks(Y, block), strict=True):
        ridge.add(x, y)
    ridge.solve([held_out])
    penalties = 10.0 ** -np.arange(7)
    models = [by_scikit_learn(X, Y, penalty) for penalty in penalties]
    errors = [np.square(m.predict(held_out[0]) - held_out[1]) for m in models]
    means = [error.mean() for error in errors]
    # The first penalty after which the error rises.
    rises = [i for i in range(6) if means[i + 1] >= means[i]]
    best = models[rises[0] if rises else 6]
    np.testing.assert_allclose(ridge.weight_.T, best.coef_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ridge.bias_, best.intercept_, rtol=1e-7, atol=1e-7)


def test_without_held_out_rows_the_penalty_is_the_largest() -> None:
    X, Y = table(40)
    ridge = Ridge()
    ridge.add(X, Y)
    expected = by_scikit_learn(X, Y, 1.0)
    np.testing.assert_allclose(ridge.solve([]).weight_.T, expected.coef_)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_constant_inputs_predict_the_mean(value: float) -> None:
    _, Y = table(40)
    ridge = Ridge()
    X = np.full((40, 5), value)
    ridge.add(X, Y)
    ridge.solve([(X[:10], Y[:10])])
    predicted = X @ ridge.weight_ + ridge.bias_
    np.testing.assert_allclose(predicted, np.broadcast_to(Y.mean(axis=0), Y.shape))
