"""A parameter by the word of another library: one sentence says what to pass here."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPRegressor
from torch import nn

from skae import (
    AutoencoderTransformer,
    DenoisingImputer,
    DenoisingTransformer,
    ReconstructionOutlierDetector,
)
from skae.networks import ConvolutionalNetwork, DenseNetwork
from skae.noise import GaussianNoise
from skae.penalties import L1Sparsity
from tests.laws._estimators import ESTIMATORS, rows

REDUCER, DENOISER = AutoencoderTransformer, DenoisingTransformer
IMPUTER, DETECTOR = DenoisingImputer, ReconstructionOutlierDetector
QUICK = {"max_iter": 1, "random_state": 0}


class Bad:
    """No value of any parameter."""


#: Estimator, parameter, value and what to pass in its place.
WORDS: list[tuple[type, str, Any, str]] = [
    (REDUCER, "noise", "gaussian", "skae.noise.GaussianNoise(...)"),
    (DENOISER, "noise", "masking", "skae.noise.MaskingNoise(...)"),
    (DETECTOR, "noise", "dropout", "skae.noise.MaskingNoise(...)"),
    (DENOISER, "noise", "salt_and_pepper", "skae.noise.SaltAndPepperNoise(...)"),
    (DENOISER, "noise", "s&p", "skae.noise.SaltAndPepperNoise(...)"),
    (REDUCER, "noise", "swap", "skae.noise.SwapNoise(...)"),
    (DENOISER, "noise", 0.2, "skae.noise.GaussianNoise(0.2)"),
    (DENOISER, "noise", GaussianNoise, "GaussianNoise(...), which is an instance"),
    (REDUCER, "activation", "sigmoid", "'logistic'"),
    (IMPUTER, "activation", "swish", "'silu'"),
    (DETECTOR, "activation", "LeakyReLU", "'elu'"),
    (DENOISER, "activation", "linear", "'identity'"),
    (REDUCER, "activation", "ReLU", "'relu'"),
    (REDUCER, "activation", nn.Sigmoid, "'logistic'"),
    (REDUCER, "activation", nn.Tanh(), "'tanh'"),
    (REDUCER, "activation", torch.relu, "'relu'"),
    (REDUCER, "loss", "mse", "'squared_error'"),
    (IMPUTER, "loss", "MAE", "'absolute_error'"),
    (DENOISER, "loss", "l1", "'absolute_error'"),
    (REDUCER, "loss", "bce", "'log_loss'"),
    (REDUCER, "loss", "binary_crossentropy", "'log_loss'"),
    (REDUCER, "loss", nn.MSELoss(), "'squared_error'"),
    (REDUCER, "loss", "huber", "skae.losses.Loss(...)"),
    (DENOISER, "network", "conv", "skae.networks.ConvolutionalNetwork(image_shape="),
    (DETECTOR, "network", "mlp", "'dense'"),
    (REDUCER, "network", nn.Linear(3, 2), "skae.networks.TorchNetwork(...)"),
    (REDUCER, "network", nn.Linear, "skae.networks.TorchNetwork(...)"),
    (REDUCER, "network", DenseNetwork, "DenseNetwork(...), which is an instance"),
    (REDUCER, "penalty", "l1", "skae.penalties.L1Sparsity(...)"),
    (REDUCER, "penalty", "KL", "skae.penalties.KullbackLeiblerSparsity(...)"),
    (REDUCER, "penalty", "contractive", "skae.penalties.Contraction(...)"),
    (REDUCER, "penalty", 0.1, "skae.penalties.L1Sparsity(0.1)"),
    (REDUCER, "start", "PCA", "'pca'"),
    (REDUCER, "start", PCA(), "'pca'"),
    (REDUCER, "start", "random", "None"),
    (REDUCER, "start", REDUCER(), "sklearn.frozen.FrozenEstimator(...) of it"),
    (DENOISER, "start", "Linear", "'linear'"),
    (REDUCER, "pretraining", "layer-wise", "'layerwise'"),
    (REDUCER, "n_components", "mle", "0.95 for as many as explain that fraction"),
    (REDUCER, "batch_size", "Auto", "'auto'"),
    (DETECTOR, "contamination", "AUTO", "'auto'"),
]


@pytest.mark.parametrize("kind, parameter, value, remedy", WORDS)
def test_the_right_word(kind: type, parameter: str, value: Any, remedy: str) -> None:
    message = rf"^{parameter}=.*cannot be used; pass {parameter}={re.escape(remedy)}"
    with pytest.raises(ValueError, match=message) as error:
        kind(**QUICK | {parameter: value}).fit(rows())
    assert isinstance(error.value, TypeError)  # scikit-learn's own is both
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_no_private_names(kind: type) -> None:
    """Whatever is passed to whichever parameter."""
    for parameter in kind().get_params(deep=False):
        with pytest.raises(ValueError, match=rf"The '{parameter}' parameter") as error:
            kind(**{parameter: Bad()}).fit(rows())
        assert not re.search(r"\._\w", str(error.value))


def test_what_an_estimator_does_not_take_is_not_recommended() -> None:
    with pytest.raises(ValueError, match="'loss' parameter of DenoisingImputer must"):
        DenoisingImputer(loss="bce").fit(rows())
    with pytest.raises(ValueError, match="'start' parameter of DenoisingTransformer m"):
        DenoisingTransformer(start="random").fit(rows())


@pytest.mark.parametrize("parameter", ["activation", "code_activation"])
def test_activations_of_specifications(parameter: str) -> None:
    for network in (DenseNetwork(), ConvolutionalNetwork((4, 7))):
        network.set_params(**{parameter: "sigmoid"})
        with pytest.raises(ValueError, match=rf"^{parameter}='sigmoid' .*'logistic'"):
            AutoencoderTransformer(network=network, start=None).fit(rows())


@pytest.mark.parametrize("width", [5, np.int64(5)])
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_number_is_a_single_layer(kind: type, width: int) -> None:
    """As in scikit-learn's multi-layer perceptrons."""
    MLPRegressor(hidden_layer_sizes=width, max_iter=1)._validate_params()

    def weights(estimator: BaseEstimator) -> list[np.ndarray]:
        module = clone(estimator).fit(rows()).module_
        return [weight.numpy() for weight in module.state_dict().values()]

    one = weights(kind(**QUICK, hidden_layer_sizes=(5,)))
    other = weights(kind(**QUICK, hidden_layer_sizes=width))
    np.testing.assert_equal(other, one)
    if kind is not DenoisingImputer:
        network = DenseNetwork(hidden_layer_sizes=width)
        np.testing.assert_equal(weights(kind(**QUICK, network=network)), one)


def test_specifications_that_are_right_are_taken() -> None:
    AutoencoderTransformer(
        **QUICK, noise=GaussianNoise(), penalty=L1Sparsity(), loss="squared_error"
    ).fit(rows())
