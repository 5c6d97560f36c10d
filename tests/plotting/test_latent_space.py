"""LatentSpaceDisplay: which points are drawn, and in which colours."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.manifold import TSNE

from skae import AutoencoderTransformer
from skae.plotting import LatentSpaceDisplay


@pytest.fixture(scope="module")
def y() -> np.ndarray:
    return np.arange(300) % 4


def test_codes_of_two_components(
    reducer: AutoencoderTransformer, digits: np.ndarray
) -> None:
    display = LatentSpaceDisplay.from_estimator(reducer, digits)
    codes = reducer.transform(digits)
    assert np.array_equal(display.points, codes)
    (points,) = display.scatters_
    assert np.array_equal(points.get_offsets(), codes)
    assert display.ax_.get_legend() is None
    assert display.ax_.get_xlabel() == "Component 1"
    assert display.ax_.get_ylabel() == "Component 2"
    assert display.figure_ is display.ax_.figure


@pytest.mark.parametrize("n_classes", [2, 10, 13])
def test_classes(
    reducer: AutoencoderTransformer, digits: np.ndarray, n_classes: int
) -> None:
    y = np.array([f"class {i % n_classes:02d}" for i in range(300)])
    display = LatentSpaceDisplay.from_estimator(reducer, digits, pd.Series(y))
    codes = reducer.transform(digits)
    assert len(display.scatters_) == n_classes
    for i, points in enumerate(display.scatters_):
        assert points.get_label() == f"class {i:02d}"
        assert np.array_equal(points.get_offsets(), codes[i::n_classes])
    colors = {tuple(points.get_facecolor()[0]) for points in display.scatters_}
    assert len(colors) == n_classes
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == [points.get_label() for points in display.scatters_]


def test_wider_codes_are_embedded() -> None:
    X, y = load_wine(return_X_y=True)
    pca = PCA(5).fit(X)
    display = LatentSpaceDisplay.from_estimator(pca, X[:60], y[:60], random_state=3)
    # A quarter of the rows, where the default of 30 would be too many.
    tsne = TSNE(perplexity=15, random_state=3).fit_transform(pca.transform(X[:60]))
    np.testing.assert_allclose(display.points, tsne, rtol=1e-4)
    assert display.ax_.get_xlabel() == "t-SNE 1 of 5 components"
    assert display.ax_.get_ylabel() == "t-SNE 2 of 5 components"


@pytest.mark.parametrize("n_rows", [2, 5])
def test_few_rows_with_wider_codes(digits: np.ndarray, n_rows: int) -> None:
    pca = PCA(8).fit(digits)
    display = LatentSpaceDisplay.from_estimator(pca, digits[:n_rows], random_state=0)
    assert display.points.shape == (n_rows, 2)
    assert np.isfinite(display.points).all()


def test_data_frame_out(digits: np.ndarray, y: np.ndarray) -> None:
    pca = PCA(2).fit(digits)
    codes = pca.transform(digits)
    pca.set_output(transform="pandas")
    display = LatentSpaceDisplay.from_estimator(pca, digits, y)
    assert np.array_equal(display.points, codes)


def test_axes_and_style_that_are_given(
    reducer: AutoencoderTransformer, digits: np.ndarray, y: np.ndarray
) -> None:
    figure, ax = plt.subplots()
    display = LatentSpaceDisplay.from_estimator(
        reducer, digits, y, ax=ax, s=3, marker="x"
    )
    assert display.ax_ is ax
    assert plt.get_fignums() == [figure.number]
    assert {float(points.get_sizes()[0]) for points in display.scatters_} == {3}
    other = display.plot()
    assert other is display
    assert display.ax_ is not ax


def test_a_single_component_is_refused(digits: np.ndarray) -> None:
    with pytest.raises(ValueError, match="This PCA has a single component"):
        LatentSpaceDisplay.from_estimator(PCA(1).fit(digits), digits)
    assert not plt.get_fignums()


def test_bad_input(
    reducer: AutoencoderTransformer, digits: np.ndarray, y: np.ndarray
) -> None:
    with pytest.raises(ValueError, match=r"y must hold a class .* got continuous"):
        LatentSpaceDisplay.from_estimator(reducer, digits, digits[:, 5] / 7)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        LatentSpaceDisplay.from_estimator(reducer, digits, y[:-1])
    with pytest.raises(NotFittedError):
        LatentSpaceDisplay.from_estimator(AutoencoderTransformer(), digits)
    assert not plt.get_fignums()
