"""The same random_state gives the same bits, however the work is spread."""

# ruff: noqa: NPY002, the legacy global state is what one of the laws is about.

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import cross_validate
from threadpoolctl import threadpool_limits

from tests.laws._estimators import each_estimator, each_instance, rows


@pytest.fixture
def restored_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def fit(estimator: BaseEstimator, **params) -> np.ndarray:
    return clone(estimator).set_params(**params).fit(rows()).transform(rows())


@each_instance
def test_twice(estimator: BaseEstimator) -> None:
    fitted = clone(estimator).fit(rows())
    first = fitted.transform(rows())
    assert np.array_equal(fit(estimator), first)
    assert np.array_equal(fitted.fit(rows()).transform(rows()), first)
    assert np.array_equal(clone(estimator).fit_transform(rows()), first)


@each_instance
def test_random_state_matters(estimator: BaseEstimator) -> None:
    # Without held-out rows, so that no gate can return the start both times.
    first, second = (fit(estimator, cv=None, random_state=seed) for seed in (0, 1))
    assert not np.allclose(first, second)


@each_estimator
def test_any_number_of_threads(estimator: type, restored_threads: None) -> None:
    """Wide enough for every product to be worth spreading over threads."""
    X = rows(1000)
    outputs = []
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        with threadpool_limits(n_threads):
            fitted = estimator(8, max_iter=1, random_state=0).fit(X)
            outputs.append([fitted.transform(X), fitted.reconstruct(X)])
    assert fitted.uses_network_
    for one, two in zip(*outputs, strict=True):
        assert np.array_equal(one, two)


@each_estimator
def test_any_number_of_workers(estimator: type) -> None:
    X = rows(200)
    quick = estimator(4, max_iter=2, random_state=0)
    alone, together = (
        cross_validate(quick, X, cv=3, n_jobs=n_jobs, return_estimator=True)
        for n_jobs in (1, 2)
    )
    assert np.array_equal(alone["test_score"], together["test_score"])
    for one, two in zip(alone["estimator"], together["estimator"], strict=True):
        assert np.array_equal(one.transform(X), two.transform(X))


@each_instance
def test_random_state_instance_moves_on(estimator: BaseEstimator) -> None:
    shared = np.random.RandomState(3)
    first, second = (fit(estimator, cv=None, random_state=shared) for _ in range(2))
    assert not np.allclose(first, second)
    again = np.random.RandomState(3)
    assert np.array_equal(fit(estimator, cv=None, random_state=again), first)


@each_instance
def test_none_is_numpys_global_state(estimator: BaseEstimator) -> None:
    state = np.random.get_state()
    try:
        outputs = []
        for _ in range(2):
            np.random.seed(7)
            outputs.append(fit(estimator, cv=None, random_state=None))
        outputs.append(fit(estimator, cv=None, random_state=None))
    finally:
        np.random.set_state(state)
    assert np.array_equal(outputs[0], outputs[1])
    assert not np.allclose(outputs[1], outputs[2])


@each_instance
def test_global_seeds_are_not_read(estimator: BaseEstimator) -> None:
    torch.manual_seed(0)
    first = fit(estimator)
    torch.manual_seed(1)
    assert np.array_equal(fit(estimator), first)
