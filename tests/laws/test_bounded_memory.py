"""What is asked of a large table is worked on in blocks of rows."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

from tests.laws._estimators import ESTIMATORS, INSTANCES, rows
from tests.laws._tables import fitted_to_rows

#: Methods that return a number, or one for each row.
SMALL = ("score", "score_samples", "reconstruction_error")


def large(copies: int = 2_000) -> np.ndarray:
    return np.tile(rows(), (copies, 1))


def taken(function, *args) -> int:
    """Most memory, in bytes, that numpy held during a call."""
    tracemalloc.start()
    try:
        function(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "name, method",
    [
        (estimator.__name__, method)
        for estimator in ESTIMATORS
        for method in SMALL
        if estimator.__name__ in INSTANCES and hasattr(estimator, method)
    ],
)
def test_small_answers_take_little(name: str, method: str) -> None:
    X = large()
    assert taken(getattr(fitted_to_rows(name), method), X) < X.nbytes


def test_scores_of_folds_take_little() -> None:
    estimator: BaseEstimator = clone(INSTANCES["AutoencoderTransformer"])
    X = large(500) + np.random.RandomState(0).normal(size=(30_000, rows().shape[1]))
    assert taken(estimator.set_params(cv=2, max_iter=1).fit, X) < 1.5 * X.nbytes
