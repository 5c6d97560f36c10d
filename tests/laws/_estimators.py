"""The estimators that the laws hold for: all that the package exports."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    OutlierMixin,
    TransformerMixin,
)
from sklearn.datasets import load_digits
from sklearn.utils import get_tags
from torch import nn

import skae
from skae.networks import ConvolutionalNetwork, DenseNetwork, TorchNetwork
from skae.noise import MaskingNoise
from skae.penalties import Contraction

#: What a fitted estimator returns for rows: names of its methods.
METHODS = {
    "AutoencoderTransformer": ["transform", "reconstruct", "reconstruction_error"],
    "DenoisingTransformer": ["transform"],
    "ReconstructionOutlierDetector": ["score_samples", "explain", "reconstruct"],
}
#: Other settings that take another path through a fit.
VARIANTS = {
    "AutoencoderTransformer": [
        {"start": None},
        {"cv": None},
        {"cv": 2, "noise": None, "loss": "absolute_error"},
        {"start": None, "loss": "log_loss"},
        {
            "network": DenseNetwork((8,), tied_weights=True),
            "hidden_layer_sizes": "auto",
            "noise": MaskingNoise(0.2, fill="mean"),
        },
        {"start": None, "pretraining": "layerwise", "penalty": Contraction(0.1)},
        {
            "network": TorchNetwork(nn.Linear, nn.Linear, encoder__bias=False),
            "hidden_layer_sizes": "auto",
        },
    ],
    "DenoisingTransformer": [
        {"noise": MaskingNoise(0.3, fill="nan"), "loss": "absolute_error"},
        {
            "network": ConvolutionalNetwork((4, 7), channels=(4,)),
            "hidden_layer_sizes": "auto",
            "start": "local",
        },
    ],
    "DenoisingImputer": [{"cv": None}, {"loss": "absolute_error"}],
    "ReconstructionOutlierDetector": [
        {"n_neighbors": None, "contamination": 0.1},
        {"n_estimators": 2, "max_samples": 0.5, "core_fraction": 1.0, "noise": None},
        {"network": TorchNetwork(nn.Linear), "hidden_layer_sizes": "auto"},
    ],
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
#: What fills gaps returns complete rows as they are; its laws are beside its tests.
INSTANCES = {
    name: estimator
    for name, estimator in EVERY_INSTANCE.items()
    if not get_tags(estimator).input_tags.allow_nan
}


def of_kind(kind: type) -> dict[str, BaseEstimator]:
    return {name: e for name, e in INSTANCES.items() if isinstance(e, kind)}


def each(instances: dict[str, BaseEstimator]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "estimator", instances.values(), ids=instances.keys()
    )


TRANSFORMERS = of_kind(TransformerMixin)
#: Transformers whose columns are a code of their own.
REDUCERS = of_kind(ClassNamePrefixFeaturesOutMixin)
DETECTORS = of_kind(OutlierMixin)

each_estimator = pytest.mark.parametrize(
    "estimator", list(dict.fromkeys(map(type, INSTANCES.values())))
)
each_instance = each(INSTANCES)
each_transformer = each(TRANSFORMERS)
each_reducer = each(REDUCERS)
each_detector = each(DETECTORS)


def outputs(fitted: BaseEstimator, X) -> dict[str, np.ndarray]:
    """All that a fitted estimator returns for rows, by the names of its methods."""
    return {name: getattr(fitted, name)(X) for name in METHODS[type(fitted).__name__]}


def assert_same(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> None:
    """The same outputs, bit for bit."""
    assert one.keys() == two.keys()
    for name in one:
        assert np.array_equal(one[name], two[name]), name


def rows(n_samples: int = 60) -> np.ndarray:
    """Real rows in [0, 1], some columns constant, few enough for a fit in no time."""
    X, _ = load_digits(return_X_y=True)
    return X[:n_samples, 2:30] / 16
