"""Noise in the units of X, whatever the coordinates are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skae.estimators.denoiser._examples import Degradation
from skae.noise import GaussianNoise, MaskingNoise, SaltAndPepperNoise


def degraded(spec, X: np.ndarray, mean, unit: float) -> np.ndarray:
    """Rows of X after a noise in coordinates, in the units of X again."""
    rows = torch.from_numpy((X - mean) / unit).unflatten(1, (3, 2, 1))
    degrade = Degradation(spec, rows, np.broadcast_to(mean, 6).copy(), unit)
    y = degrade(rows[None], torch.Generator().manual_seed(0))[0]
    assert y.shape == rows.shape
    return y.flatten(1).numpy() * unit + mean


@pytest.mark.parametrize("unit", [0.01, 1.0, 30.0])
def test_gaussian_is_in_the_units_of_x(unit: float) -> None:
    X = np.full((2000, 6), 5.0)
    drawn = degraded(GaussianNoise(0.2), X, 4.0, unit) - X
    assert drawn.std() == pytest.approx(0.2, rel=0.03)


def test_of_a_range_every_image_draws_one_strength() -> None:
    X = np.zeros((4000, 6))
    deviation = degraded(GaussianNoise((0.0, 1.0)), X, 0.0, 1.0).std(axis=1)
    assert np.quantile(deviation, 0.05) < 0.1
    assert np.quantile(deviation, 0.95) > 0.8


def test_values_are_replaced_by_those_of_x() -> None:
    X = np.random.RandomState(0).uniform(3, 7, size=(50, 6))
    mean = X.mean(axis=0)
    spec = MaskingNoise(0.5)
    changed = degraded(spec, X, mean, 0.3)
    assert np.isclose(changed, 0).any()
    assert (np.isclose(changed, 0) | np.isclose(changed, X)).all()
    changed = degraded(SaltAndPepperNoise(0.5), X, mean, 0.3)
    ends = np.isclose(changed, X.min(axis=0)) | np.isclose(changed, X.max(axis=0))
    assert (ends | np.isclose(changed, X)).all()
