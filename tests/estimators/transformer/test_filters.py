"""Filters: what the units of the first layer multiply the features with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from skae import AutoencoderTransformer
from skae.networks import ConvolutionalNetwork, DenseNetwork
from skae.plotting import FilterDisplay

QUICK = {"max_iter": 2, "cv": None, "random_state": 0}


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return load_digits().data[:300]


@torch.no_grad()
def answers(
    reducer: AutoencoderTransformer, layer: torch.nn.Module, X: np.ndarray
) -> np.ndarray:
    """What a layer returns, before its activation, when rows are encoded."""
    seen = []
    hook = layer.register_forward_hook(lambda *call: seen.append(call[-1][0].numpy()))
    reducer.transform(X)
    hook.remove()
    return np.concatenate(seen)


def first_layer(reducer: AutoencoderTransformer) -> torch.nn.Module:
    encoder = reducer.module_.encoder
    return (encoder if reducer.start is None else encoder.network)[0][0]


@pytest.mark.parametrize(
    "part", [{}, {"connectivity": 0.5}, {"tied_weights": True}], ids=str
)
@pytest.mark.parametrize("start", [None, "pca"])
def test_units_of_a_dense_network_multiply_features_with_their_filters(
    digits: np.ndarray, start: str | None, part: dict[str, float]
) -> None:
    network = DenseNetwork((20,), **part)
    reducer = AutoencoderTransformer(2, start=start, network=network, **QUICK)
    filters = reducer.fit(digits).filters()
    assert filters.shape == (20, 64)
    change = np.diff(answers(reducer, first_layer(reducer), digits), axis=0)
    expected = np.diff(digits, axis=0) @ filters.T
    np.testing.assert_allclose(change, expected, atol=1e-10)


@pytest.mark.parametrize("start", [None, "pca"])
def test_units_of_a_convolution_multiply_their_window_with_the_kernel(
    digits: np.ndarray, start: str | None
) -> None:
    network = ConvolutionalNetwork((8, 8), channels=(5,), hidden_size=None)
    reducer = AutoencoderTransformer(2, start=start, network=network, **QUICK)
    kernels = reducer.fit(digits).filters()
    assert kernels.shape == (5, 4, 4)
    change = np.diff(answers(reducer, first_layer(reducer), digits), axis=0)
    # The second window in both directions begins at the second pixel.
    change = change.reshape(-1, 4, 4, 5)[:, 1, 1]
    window = np.diff(digits.reshape(-1, 8, 8), axis=0)[:, 1:5, 1:5]
    expected = np.einsum("nhw,fhw->nf", window, kernels)
    np.testing.assert_allclose(change, expected, atol=1e-10)


def test_kernels_of_several_channels_have_these_last(
    rng: np.random.RandomState,
) -> None:
    X = rng.uniform(size=(60, 4 * 5 * 3))
    network = ConvolutionalNetwork((4, 5, 3), channels=(6,), kernel_size=3, stride=1)
    reducer = AutoencoderTransformer(2, start=None, network=network, **QUICK).fit(X)
    kernels = reducer.filters()
    assert kernels.shape == (6, 3, 3, 3)
    change = np.diff(answers(reducer, first_layer(reducer), X), axis=0)
    change = change.reshape(59, 4, 5, 6)[:, 1, 1]
    # A frame of one pixel is added, so that the second windows begin at the first.
    window = np.diff(X.reshape(-1, 4, 5, 3), axis=0)[:, :3, :3]
    expected = np.einsum("nhwc,fhwc->nf", window, kernels)
    np.testing.assert_allclose(change, expected, atol=1e-10)


def test_are_drawn_as_they_are(digits: np.ndarray) -> None:
    reducer = AutoencoderTransformer(2, start=None, hidden_layer_sizes=(9,), **QUICK)
    filters = reducer.fit(digits).filters()
    display = FilterDisplay.from_estimator(reducer, image_shape=(8, 8))
    assert np.array_equal(display.filters, filters.reshape(9, 8, 8))


def test_are_of_the_caller(digits: np.ndarray) -> None:
    """Who changes them changes no fit."""
    network = ConvolutionalNetwork((8, 8), channels=(5,), hidden_size=None)
    for spec in (DenseNetwork((9,)), network):
        reducer = AutoencoderTransformer(2, start=None, network=spec, **QUICK)
        codes = reducer.fit_transform(digits)
        filters = reducer.filters()
        filters[:] = 0
        assert np.array_equal(reducer.transform(digits), codes)
        assert reducer.filters().any()


def test_of_a_start_without_a_network_there_are_none(digits: np.ndarray) -> None:
    reducer = AutoencoderTransformer().fit(digits[:10])
    assert not reducer.uses_network_
    with pytest.raises(ValueError, match=r"no filters.* without a network"):
        reducer.filters()
    tuned = AutoencoderTransformer(start=FrozenEstimator(reducer), **QUICK)
    with pytest.raises(ValueError, match="no filters"):
        tuned.fit(digits[:50]).filters()
    with pytest.raises(NotFittedError):
        AutoencoderTransformer().filters()
