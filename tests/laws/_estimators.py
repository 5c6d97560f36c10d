"""The estimators that the laws hold for: all that the package exports."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits

import skae

#: Other settings that take another path through a fit.
VARIANTS = {
    "AutoencoderTransformer": [
        {"start": None},
        {"cv": None},
        {"cv": 2, "noise": None, "loss": "absolute_error"},
        {"start": None, "loss": "log_loss"},
    ],
    "DenoisingImputer": [{"cv": None}, {"loss": "absolute_error"}],
}
#: Laws need every step of a fit, but not its result.
QUICK = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}

ESTIMATORS = [
    estimator
    for name in skae.__all__
    if isinstance(estimator := getattr(skae, name), type)
    and issubclass(estimator, BaseEstimator)
]
#: Name of a test: what to fit.
EVERY_INSTANCE = {
    "-".join([estimator.__name__, *(f"{k}={v}" for k, v in params.items())]): estimator(
        **(QUICK | params)
    )
    for estimator in ESTIMATORS
    for params in ({}, *VARIANTS.get(estimator.__name__, []))
}
#: Estimators that encode and decode, which most laws speak of.
INSTANCES = {
    name: estimator
    for name, estimator in EVERY_INSTANCE.items()
    if isinstance(estimator, skae.AutoencoderTransformer)
}

each_estimator = pytest.mark.parametrize("estimator", [skae.AutoencoderTransformer])
each_instance = pytest.mark.parametrize(
    "estimator", INSTANCES.values(), ids=INSTANCES.keys()
)


def rows(n_samples: int = 60) -> np.ndarray:
    """Real rows in [0, 1], some columns constant, few enough for a fit in no time."""
    X, _ = load_digits(return_X_y=True)
    return X[:n_samples, 2:30] / 16
