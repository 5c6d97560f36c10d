"""From features to components and back, around a module."""

import numpy as np
import pytest
import torch
from torch import nn

from skae._tables import Coordinates
from skae.estimators.transformer._prediction import Codec
from skae.losses import LOSSES


class Doubling(nn.Module):
    """Keeps the first two inputs, in codes of twice the size."""

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x[..., :2]

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return nn.functional.pad(z / 2, (0, 1))


@pytest.fixture
def X(rng: np.random.RandomState) -> np.ndarray:
    return rng.normal(size=(20, 3))


def test_components_are_codes_in_their_units(X: np.ndarray) -> None:
    coordinates = Coordinates(np.array([1.0, 2, 3]), 10.0)
    unit = np.array([5.0, 7])
    codec = Codec(coordinates, Doubling(), unit, LOSSES["squared_error"])
    expected = 2 * (X[:, :2] - [1, 2]) / 10 * unit
    np.testing.assert_allclose(codec.encode(X), expected)
    restored = codec.decode(expected)
    np.testing.assert_allclose(restored[:, :2], X[:, :2])
    np.testing.assert_allclose(restored[:, 2], 3)
    np.testing.assert_allclose(codec.reconstruct(X), restored)


def test_link_is_applied_to_what_is_decoded(X: np.ndarray) -> None:
    coordinates = Coordinates(np.zeros(3), 1.0)
    codec = Codec(coordinates, Doubling(), np.ones(2), LOSSES["log_loss"])
    kept = np.column_stack([X[:, :2], np.zeros(len(X))])
    np.testing.assert_allclose(codec.reconstruct(X), 1 / (1 + np.exp(-kept)))
