"""Robust scaling: centre and spread of the middle half, whatever the rest is."""

from __future__ import annotations

import numpy as np
import pytest

from skae.estimators.detector._robust_scaling import RobustScaling, deviation, spread_or


def test_normal_columns_are_standardised(rng: np.random.RandomState) -> None:
    X = rng.normal([3.0, -100.0], [2.0, 1e-3], size=(20_000, 2))
    scaling = RobustScaling(X)
    np.testing.assert_allclose(scaling.centre, [3, -100], atol=0.05)
    np.testing.assert_allclose(scaling.scale, [2, 1e-3], rtol=0.03)
    np.testing.assert_allclose(
        scaling.transform(X), np.arcsinh((X - scaling.centre) / scaling.scale)
    )


@pytest.mark.parametrize("value", [1e3, -1e30])
def test_gross_values_neither_shift_nor_stretch(
    rng: np.random.RandomState, value: float
) -> None:
    X = rng.normal(size=(1000, 2))
    clean = RobustScaling(X)
    X[:100, 0] = value
    soiled = RobustScaling(X)
    np.testing.assert_allclose(soiled.centre, clean.centre, atol=0.2)
    np.testing.assert_allclose(soiled.scale, clean.scale, rtol=0.2)
    # Compressed, a value of 1e30 is about a hundred units away.
    assert np.abs(soiled.transform(X)).max() < 100


def test_column_that_is_constant_in_its_middle_half() -> None:
    X = np.repeat([[0.0], [5.0]], [90, 10], axis=0)
    scaling = RobustScaling(X)
    assert scaling.centre == [0]
    assert scaling.scale == pytest.approx(X.std())


@pytest.mark.parametrize("value", [0.0, 0.1, 0.3, -1e6 - 0.1, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_column_keeps_its_units(value: float, dtype: type) -> None:
    """Its computed deviation is not always zero, but rounding of its mean."""
    X = np.full((300, 1), value, dtype)
    scaling = RobustScaling(X)
    assert scaling.scale == [1]
    assert not scaling.transform(X).any()


def test_float32_is_scaled_as_float64(rng: np.random.RandomState) -> None:
    X = rng.lognormal(sigma=3, size=(500, 3)).astype(np.float32)
    single, double = RobustScaling(X), RobustScaling(X.astype(np.float64))
    assert np.array_equal(single.centre, double.centre)
    np.testing.assert_allclose(single.scale, double.scale)


def test_deviation_of_equal_values_is_zero() -> None:
    assert np.full(300, 0.1).std() > 0
    assert deviation(np.full(300, 0.1)) == 0
    assert deviation(np.array([1.0, 2.0, 6.0])) == np.std([1, 2, 6])


def test_spread_or_its_fallback() -> None:
    spread = np.array([2.0, 0.0, 1e-9, 0.0])
    fallback = np.array([5.0, 5.0, 1e30, 0.0])
    assert spread_or(spread, fallback).tolist() == [2, 5, 1e-9, 1]
