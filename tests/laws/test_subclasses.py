"""Estimators that extend a public one, as scikit-learn's users do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.preprocessing import StandardScaler

from tests.laws._estimators import INSTANCES, each_estimator, outputs, rows


def extended(estimator: type) -> type:
    """Learn something of its own before the fit and after it."""

    class Extended(estimator):
        def fit(self, X, y=None):
            self.scaler_ = StandardScaler().fit(X)
            super().fit(X, y)
            self.n_seen_ = len(X)
            return self

    Extended.__name__ = Extended.__qualname__ = estimator.__name__
    return Extended


@each_estimator
def test_what_a_subclass_learns_stays(estimator: type) -> None:
    """Set before the fit of the base or after it, in a first fit and in a second."""
    params = next(e for e in INSTANCES.values() if type(e) is estimator).get_params(
        deep=False
    )
    own = extended(estimator)(**params)
    plain = estimator(**params)
    for X in (rows(), rows()[:40]):
        own.fit(X)
        assert own.n_seen_ == len(X)
        np.testing.assert_array_equal(own.scaler_.mean_, X.mean(axis=0))
        expected = outputs(clone(plain).fit(X), X)
        for name, value in expected.items():
            np.testing.assert_array_equal(getattr(own, name)(X), value)


@each_estimator
def test_a_fit_that_fails_in_a_subclass_keeps_what_was_learned(
    estimator: type,
) -> None:
    params = next(e for e in INSTANCES.values() if type(e) is estimator).get_params(
        deep=False
    )
    own = extended(estimator)(**params).fit(rows())
    before = outputs(own, rows())
    with pytest.raises(ValueError):
        own.fit(np.full((60, 28), np.inf))
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(own, name)(rows()), value)


@each_estimator
def test_a_parameter_may_end_in_an_underscore(estimator: type) -> None:
    class Named(estimator):
        def __init__(self, lambda_: float = 1.0) -> None:
            super().__init__(max_iter=1, random_state=0)
            self.lambda_ = lambda_

    fitted: BaseEstimator = Named(lambda_=3.0).fit(rows())
    assert fitted.fit(rows()).get_params() == {"lambda_": 3.0}
