"""The same random_state gives the same bits, however the work is spread."""

# ruff: noqa: NPY002, the legacy global state is what one of the laws is about.

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from skae import AutoencoderTransformer, DenoisingTransformer
from skae.networks import ConvolutionalNetwork
from tests.laws._estimators import (
    assert_same,
    each_estimator,
    each_instance,
    outputs,
    rows,
)


@pytest.fixture
def restored_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def fit(estimator: BaseEstimator, **params) -> dict[str, np.ndarray]:
    return outputs(clone(estimator).set_params(**params).fit(rows()), rows())


def ungated(estimator: BaseEstimator) -> BaseEstimator:
    """Without held-out rows no gate can return the same start for two seeds."""
    gated = "cv" in estimator.get_params()
    return clone(estimator).set_params(cv=None) if gated else estimator


def close(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> bool:
    return all(np.allclose(one[name], two[name]) for name in one)


@each_instance
def test_twice(estimator: BaseEstimator) -> None:
    fitted = clone(estimator).fit(rows())
    first = outputs(fitted, rows())
    assert_same(fit(estimator), first)
    assert_same(outputs(fitted.fit(rows()), rows()), first)


@each_instance
def test_random_state_matters(estimator: BaseEstimator) -> None:
    first, second = (fit(ungated(estimator), random_state=seed) for seed in (0, 1))
    assert not close(first, second)


@each_estimator
def test_any_number_of_threads(estimator: type, restored_threads: None) -> None:
    """Wide enough for every product to be worth spreading over threads."""
    X = rows(1000)
    fits = []
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        with threadpool_limits(n_threads):
            fitted = estimator(max_iter=1, random_state=0).fit(X)
            fits.append(outputs(fitted, X) | {"loss": fitted.loss_curve_})
    assert_same(*fits)


WIDE = {
    "images restored": DenoisingTransformer(
        network=ConvolutionalNetwork((32, 32)), max_iter=1, random_state=0
    ),
    "images encoded": AutoencoderTransformer(
        network=ConvolutionalNetwork((32, 32)), max_iter=1, random_state=0
    ),
    "rows encoded": AutoencoderTransformer(
        start=None, hidden_layer_sizes=(256,), max_iter=1, random_state=0
    ),
}


@pytest.mark.parametrize("estimator", WIDE.values(), ids=WIDE.keys())
def test_any_number_of_threads_for_wide_rows(
    estimator: BaseEstimator, restored_threads: None
) -> None:
    """Whose products torch would share among threads, with other last bits."""
    digits, _ = load_digits(return_X_y=True)
    X = np.kron(digits[:300].reshape(-1, 8, 8) / 16, np.ones((4, 4)))
    X = X.reshape(len(X), -1)
    fits = []
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        with threadpool_limits(n_threads):
            fitted = clone(estimator).fit(X)
            fits.append(outputs(fitted, X) | {"loss": fitted.loss_curve_})
    assert_same(*fits)


@each_estimator
def test_any_number_of_workers(estimator: type) -> None:
    X = rows(200)
    quick = estimator(max_iter=2, random_state=0)
    alone, together = (
        Parallel(n_jobs)(delayed(clone(quick).fit)(X[i::3]) for i in range(3))
        for n_jobs in (1, 2)
    )
    for one, two in zip(alone, together, strict=True):
        assert_same(outputs(one, X), outputs(two, X))


@each_instance
def test_random_state_instance_moves_on(estimator: BaseEstimator) -> None:
    estimator = ungated(estimator)
    shared = np.random.RandomState(3)
    first, second = (fit(estimator, random_state=shared) for _ in range(2))
    assert not close(first, second)
    again = np.random.RandomState(3)
    assert_same(fit(estimator, random_state=again), first)


@each_instance
def test_none_is_numpys_global_state(estimator: BaseEstimator) -> None:
    estimator = ungated(estimator)
    state = np.random.get_state()
    try:
        fits = []
        for _ in range(2):
            np.random.seed(7)
            fits.append(fit(estimator, random_state=None))
        fits.append(fit(estimator, random_state=None))
    finally:
        np.random.set_state(state)
    assert_same(fits[0], fits[1])
    assert not close(fits[1], fits[2])


@each_instance
def test_global_seeds_are_not_read(estimator: BaseEstimator) -> None:
    torch.manual_seed(0)
    first = fit(estimator)
    torch.manual_seed(1)
    assert_same(fit(estimator), first)
