"""AutoencoderTransformer: gains over PCA on real rows, and the textbook's networks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler

from skae import AutoencoderTransformer


def unexplained(X: np.ndarray, restored: np.ndarray, mean: np.ndarray) -> float:
    return ((X - restored) ** 2).sum() / ((X - mean) ** 2).sum()


def ratio_to_pca(X: np.ndarray, k: int) -> float:
    """Variance that ours leaves unexplained on held-out rows, divided by PCA's."""
    train, test = train_test_split(X, test_size=0.3, random_state=0)
    pca = PCA(k, svd_solver="full").fit(train)
    ours = AutoencoderTransformer(k, random_state=0).fit(train)
    theirs = pca.inverse_transform(pca.transform(test))
    return unexplained(test, ours.reconstruct(test), pca.mean_) / unexplained(
        test, theirs, pca.mean_
    )


@pytest.mark.parametrize("k", [2, 4, 8])
def test_explains_more_of_digits_than_pca(standardised, k: int) -> None:
    assert ratio_to_pca(standardised("digits"), k) < 0.8


@pytest.mark.parametrize("k", [1, 2])
def test_explains_a_curve(curve: np.ndarray, k: int) -> None:
    assert ratio_to_pca(curve, k) < 0.3


@pytest.mark.parametrize(
    "name, k",
    [
        ("wine", 2),
        ("wine", 6),
        ("iris", 1),
        ("iris", 3),
        ("breast_cancer", 2),
        ("breast_cancer", 8),
        ("diabetes", 2),
        ("diabetes", 9),
    ],
)
def test_is_never_worse_than_pca(standardised, name: str, k: int) -> None:
    assert ratio_to_pca(standardised(name), k) <= 1.001


def test_linear_autoencoder_reaches_the_loss_of_pca(standardised) -> None:
    X = standardised("wine")
    linear = AutoencoderTransformer(
        4, start=None, hidden_layer_sizes=(), max_iter=60, random_state=0
    ).fit(X)
    lost = 1 - PCA(4).fit(X).explained_variance_ratio_.sum()
    # No linear map does better than PCA.
    assert lost - 1e-9 <= 1 - linear.score(X) <= 1.02 * lost


@pytest.mark.parametrize("hidden", [(), (32,)])
def test_textbook_autoencoder_with_log_loss(hidden: tuple[int, ...]) -> None:
    X = load_digits().data / 16
    train, test = train_test_split(X, test_size=0.3, random_state=0)
    textbook = AutoencoderTransformer(
        16,
        start=None,
        loss="log_loss",
        hidden_layer_sizes=hidden,
        activation="relu",
        random_state=0,
    ).fit(train)
    restored = textbook.reconstruct(test)
    assert restored.min() >= 0
    assert restored.max() <= 1
    # The mean image has a score of zero.
    assert textbook.score(test) > 0.7
    assert textbook.inverse_transform(100 * textbook.transform(test)).max() <= 1


def test_log_loss_falls_below_that_of_the_mean_image() -> None:
    X = load_digits().data / 16
    textbook = AutoencoderTransformer(
        16, start=None, loss="log_loss", hidden_layer_sizes=(), random_state=0
    ).fit(X)

    def log_loss(p: np.ndarray) -> float:
        p = np.broadcast_to(p, X.shape).clip(1e-6, 1 - 1e-6)
        return -(X * np.log(p) + (1 - X) * np.log(1 - p)).mean()

    assert log_loss(textbook.reconstruct(X)) < 0.8 * log_loss(X.mean(axis=0))


@pytest.mark.parametrize(
    "loss, centre", [("squared_error", 1.0), ("absolute_error", np.log(2))]
)
def test_loss_decides_what_stands_for_an_unexplained_column(
    loss: str, centre: float
) -> None:
    """The mean of its values or their median."""
    rng = np.random.RandomState(0)
    X = np.column_stack([rng.normal(scale=10, size=500), rng.exponential(size=500)])
    linear = AutoencoderTransformer(
        1, start=None, hidden_layer_sizes=(), loss=loss, max_iter=60, random_state=0
    ).fit(X)
    assert linear.reconstruct(X)[:, 1].mean() == pytest.approx(centre, abs=0.1)


def test_log_loss_takes_what_min_max_scaler_gives() -> None:
    """Rounding leaves some of its values just outside of [0, 1]."""
    X = MinMaxScaler().fit_transform(np.random.RandomState(0).normal(10, size=(99, 9)))
    assert X.max() > 1 or X.min() < 0
    textbook = AutoencoderTransformer(
        2, start=None, loss="log_loss", hidden_layer_sizes=(), max_iter=2
    )
    restored = textbook.fit(X).reconstruct(X)
    assert ((restored >= 0) & (restored <= 1)).all()
