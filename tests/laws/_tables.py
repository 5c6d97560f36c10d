"""Tables that hypothesis draws, and how exact a law has to be."""

from __future__ import annotations

from functools import cache

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone

from tests.laws._estimators import INSTANCES, rows

few = settings(max_examples=15, deadline=None, derandomize=True, database=None)
#: Rounding of float64, and nothing more.
TIGHT = {"rtol": 1e-9, "atol": 1e-9}
#: Rounding that the steps of a training have multiplied.
TRAINED = {"rtol": 0, "atol": 0.05}
seeds = st.integers(0, 2**32 - 1)


@cache
def fitted_to_rows(name: str) -> BaseEstimator:
    return clone(INSTANCES[name]).fit(rows())


@st.composite
def new_rows(draw: st.DrawFn, dtype: type = np.float64) -> np.ndarray:
    """Rows like the training rows, some of them blown up far beyond these."""
    rng = np.random.RandomState(draw(seeds))
    X = rows(80)[rng.randint(80, size=draw(st.integers(1, 40)))]
    factor = draw(st.sampled_from([1.0, 1.0, 3.0, 1e4]))
    return (X * rng.uniform(0, factor, size=(len(X), 1))).astype(dtype)


@st.composite
def small_tables(draw: st.DrawFn, min_rows: int = 1) -> np.ndarray:
    """Up to 50 rows of 1 to 8 columns, with copies, constants and linear relations."""
    n_samples, n_features = draw(st.integers(min_rows, 50)), draw(st.integers(1, 8))
    rng = np.random.RandomState(draw(seeds))
    X = rng.normal(size=(n_samples, n_features))
    if draw(st.booleans()):
        X = X[rng.randint(n_samples, size=n_samples)]
    if draw(st.booleans()):
        X[:, rng.randint(n_features)] = draw(st.sampled_from([0.0, -7.0, 1e6]))
    if draw(st.booleans()):
        X[:, 0] = X[:, -1]
    return X * draw(st.sampled_from([1e-30, 1e-3, 1.0, 1e30]))
