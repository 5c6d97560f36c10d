"""A warning points to the line of the user that brought it about."""

from __future__ import annotations

import linecache
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skae import (
    AutoencoderTransformer,
    DenoisingImputer,
    DenoisingTransformer,
    ReconstructionOutlierDetector,
)
from skae.noise import GaussianNoise

QUICK = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}
NO_STEP = QUICK | {"learning_rate_init": 1e30}
DIVERGING = [
    AutoencoderTransformer(1, **NO_STEP),
    AutoencoderTransformer(1, start=None, pretraining="layerwise", **NO_STEP),
    DenoisingImputer(**NO_STEP),
    DenoisingTransformer(**NO_STEP),
    ReconstructionOutlierDetector(**NO_STEP),
]
LITTLE = GaussianNoise(0.005)
UNNOTICED = [
    AutoencoderTransformer(1, noise=LITTLE, **QUICK),
    DenoisingTransformer(noise=LITTLE, **QUICK),
    ReconstructionOutlierDetector(noise=LITTLE, **QUICK),
]


def name(estimator: BaseEstimator) -> str:
    return type(estimator).__name__


@pytest.fixture
def X(rng: np.random.RandomState) -> np.ndarray:
    return rng.normal(size=(60, 4))


@contextmanager
def pointing_here(category: type[Warning], call: str, times: int = 1) -> Iterator[None]:
    """Every warning within points to a line of this file that holds the call."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        yield
    assert [warning.category for warning in told] == [category] * times
    for warning in told:
        assert warning.filename == __file__
        assert call in linecache.getline(warning.filename, warning.lineno)


@pytest.mark.parametrize("estimator", DIVERGING, ids=name)
def test_of_a_fit_that_diverges(estimator: BaseEstimator, X: np.ndarray) -> None:
    layers = getattr(estimator, "pretraining", None) is not None
    times = 3 if layers else 1  # layer by layer, and all of them together
    with pointing_here(ConvergenceWarning, "clone(estimator).fit(X)", times):
        clone(estimator).fit(X)
    with pointing_here(ConvergenceWarning, "pipeline.fit(X)", times):
        pipeline = make_pipeline(StandardScaler(), clone(estimator))
        pipeline.fit(X)
    if hasattr(estimator, "fit_transform"):
        with pointing_here(ConvergenceWarning, "fit_transform(X)", times):
            clone(estimator).fit_transform(X)


def test_of_a_fit_in_a_search(X: np.ndarray) -> None:
    search = GridSearchCV(DIVERGING[0], {"n_components": [1, 2]}, cv=2)
    with pointing_here(ConvergenceWarning, "search.fit(X)", times=2 * 2 + 1):
        search.fit(X)


@pytest.mark.parametrize("estimator", UNNOTICED, ids=name)
def test_of_noise_that_nobody_will_notice(
    estimator: BaseEstimator, X: np.ndarray
) -> None:
    with pointing_here(UserWarning, "clone(estimator).fit(X)"):
        clone(estimator).fit(X)


def test_of_columns_that_are_dropped(X: np.ndarray) -> None:
    X[:, 2] = np.nan
    imputer = DenoisingImputer(**QUICK).fit(X)
    with pointing_here(UserWarning, "imputer.transform(X)"):
        imputer.transform(X)
    with pointing_here(UserWarning, "clone(imputer).fit_transform(X)"):
        clone(imputer).fit_transform(X)
    pipeline = make_pipeline(FunctionTransformer(), clone(imputer)).fit(X)
    with pointing_here(UserWarning, "pipeline.transform(X)"):
        pipeline.transform(X)
    imputer.set_output(transform="pandas")
    with pointing_here(UserWarning, "imputer.transform(X)"):
        imputer.transform(X)
