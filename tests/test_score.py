"""The scale on which held-out errors are reported."""

import numpy as np
import pytest
import torch

from skae._tables import Coordinates
from skae.estimators.transformer._score import HeldOutScore
from skae.losses import LOSSES


@pytest.fixture
def X(rng: np.random.RandomState) -> np.ndarray:
    return rng.uniform(size=(50, 4)) ** [1, 2, 3, 4]


@pytest.mark.parametrize("n_coordinates", [2, 4])
@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_squared_error_is_the_share_of_variance_in_all_features(
    X: np.ndarray, n_coordinates: int, shift: float
) -> None:
    """Also in the coordinates of another table, with another mean."""
    mean = X.mean(axis=0) + 0.1
    basis = np.linalg.qr(np.random.RandomState(1).normal(size=(4, 4)))[0]
    coordinates = Coordinates(mean + shift, 2.5, basis[:n_coordinates])
    Y = coordinates.transform(X)
    output = 0.7 * Y
    score = HeldOutScore(X, mean, coordinates, LOSSES["squared_error"])
    restored = coordinates.inverse_transform(output)
    expected = 1 - ((X - restored) ** 2).sum() / ((X - mean) ** 2).sum()
    assert score(((Y - output) ** 2).mean()) == pytest.approx(expected)


@pytest.mark.parametrize("name", LOSSES)
def test_mean_has_zero(X: np.ndarray, name: str) -> None:
    loss, mean = LOSSES[name], X.mean(axis=0)
    coordinates = Coordinates(np.zeros(4), 1.0)
    output = np.broadcast_to(
        np.log(mean / (1 - mean)) if name == "log_loss" else mean, X.shape
    )
    error = loss.pointwise(torch.tensor(output), torch.tensor(X)).mean()
    score = HeldOutScore(X, mean, coordinates, loss)
    assert score(float(error)) == pytest.approx(0, abs=1e-12)
    assert score(0.0) == 1
    assert type(score(0.0)) is float


def test_nothing_to_explain() -> None:
    X = np.full((5, 2), 3.0)
    coordinates = Coordinates(X[0], 1.0)
    assert HeldOutScore(X, X[0], coordinates, LOSSES["squared_error"])(0.0) == 1
