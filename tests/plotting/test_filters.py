"""FilterDisplay: a filter is what a unit multiplies the features with."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError

from skae import AutoencoderTransformer
from skae.networks import ConvolutionalNetwork, DenseNetwork
from skae.plotting import FilterDisplay

QUICK = {"max_iter": 2, "cv": None, "random_state": 0}


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


@pytest.mark.parametrize(
    "part", [{}, {"connectivity": 0.5}, {"tied_weights": True}], ids=str
)
@pytest.mark.parametrize("start", [None, "pca"])
def test_units_of_a_dense_network_multiply_features_with_their_filters(
    digits: np.ndarray, start: str | None, part: dict[str, float]
) -> None:
    network = DenseNetwork((20,), **part)
    reducer = AutoencoderTransformer(2, start=start, network=network, **QUICK)
    encoder = reducer.fit(digits).module_.encoder
    layer = (encoder if start is None else encoder.network)[0][0]
    display = FilterDisplay.from_estimator(reducer, image_shape=(8, 8))
    assert display.filters.shape == (20, 8, 8)
    change = np.diff(answers(reducer, layer, digits), axis=0)
    expected = np.diff(digits, axis=0) @ display.filters.reshape(20, 64).T
    np.testing.assert_allclose(change, expected, atol=1e-10)


@pytest.mark.parametrize("start", [None, "pca"])
def test_units_of_a_convolution_multiply_their_window_with_the_kernel(
    digits: np.ndarray, start: str | None
) -> None:
    network = ConvolutionalNetwork((8, 8), channels=(5,), hidden_size=None)
    reducer = AutoencoderTransformer(2, start=start, network=network, **QUICK)
    encoder = reducer.fit(digits).module_.encoder
    layer = (encoder if start is None else encoder.network)[0][0]
    display = FilterDisplay.from_estimator(reducer)
    assert display.filters.shape == (5, 4, 4)
    change = np.diff(answers(reducer, layer, digits), axis=0).reshape(-1, 4, 4, 5)
    # The second window in both directions begins at the second pixel.
    window = np.diff(digits.reshape(-1, 8, 8), axis=0)[:, 1:5, 1:5]
    expected = np.einsum("nhw,fhw->nf", window, display.filters)
    np.testing.assert_allclose(change[:, 1, 1], expected, atol=1e-10)


def test_coloured_images(rng: np.random.RandomState) -> None:
    X = rng.uniform(size=(60, 4 * 5 * 3))
    dense = AutoencoderTransformer(2, start=None, **QUICK).fit(X)
    display = FilterDisplay.from_estimator(dense, image_shape=(4, 5, 3))
    assert display.filters.shape[1:] == (4, 5, 3)
    network = ConvolutionalNetwork((4, 5, 3), channels=(6,), kernel_size=3)
    reducer = AutoencoderTransformer(2, start=None, network=network, **QUICK).fit(X)
    display = FilterDisplay.from_estimator(reducer, image_shape=(4, 5, 3))
    assert display.filters.shape == (6, 3, 3, 3)


def test_the_largest_are_drawn_each_on_its_own_scale(
    rng: np.random.RandomState,
) -> None:
    filters = (
        rng.normal(size=(7, 3, 4)) * np.array([3, 0, 9, 1, 5, 8, 2])[:, None, None]
    )
    display = FilterDisplay(filters=filters).plot(max_filters=5)
    assert len(display.images_) == len(display.axes_) == 5
    order = np.argsort(-np.square(filters).sum(axis=(1, 2)))[:5]
    for drawn, weights in zip(display.images_, filters[order], strict=True):
        values = drawn.get_array()
        assert max(values.max(), 1 - values.min()) == pytest.approx(1)
        np.testing.assert_allclose(
            (values - 0.5) * 2 * np.abs(weights).max(), weights, atol=1e-12
        )
    display.plot()
    assert len(display.images_) == 7
    assert (display.images_[-1].get_array() == 0.5).all()  # a filter of zeros


def test_axes_and_style_that_are_given(reducer: AutoencoderTransformer) -> None:
    figure, (ax, other) = plt.subplots(1, 2)
    display = FilterDisplay.from_estimator(
        reducer, image_shape=(8, 8), max_filters=7, ax=ax, cmap="viridis"
    )
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    # Seven in a square of nine cells.
    assert set(ax.child_axes) == set(display.axes_)
    assert len(ax.child_axes) == 7
    assert not other.child_axes
    assert display.images_[0].get_cmap().name == "viridis"


def test_image_shape_is_needed_for_a_dense_network(
    reducer: AutoencoderTransformer,
) -> None:
    with pytest.raises(ValueError, match="image_shape is needed"):
        FilterDisplay.from_estimator(reducer)
    with pytest.raises(ValueError, match=r"image_shape.*72 features, but there are 64"):
        FilterDisplay.from_estimator(reducer, image_shape=(8, 9))
    assert not plt.get_fignums()


def test_no_network_is_refused(digits: np.ndarray) -> None:
    reducer = AutoencoderTransformer().fit(digits[:10])
    assert not reducer.uses_network_
    with pytest.raises(ValueError, match="has no filters to draw"):
        FilterDisplay.from_estimator(reducer, image_shape=(8, 8))
    with pytest.raises(NotFittedError):
        FilterDisplay.from_estimator(AutoencoderTransformer(), image_shape=(8, 8))
