"""A few mistaken values change little of what a denoiser learns from the others."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.preprocessing import scale

from skae import DenoisingTransformer
from skae.noise import GaussianNoise

TABLE = scale(load_breast_cancer().data[:400])
DIGITS = load_digits().data[:400] / 16
NOISE = GaussianNoise(0.5)


def soiled(X: np.ndarray, value: float) -> np.ndarray:
    X = X.copy()
    X[3, 1] = value
    return X


def denoiser(**params) -> DenoisingTransformer:
    return DenoisingTransformer(max_iter=3, random_state=0, **params)


def error_of(fitted: DenoisingTransformer) -> float:
    noise = np.random.default_rng(0).normal(scale=0.5, size=TABLE[200:].shape)
    return float(np.square(fitted.transform(TABLE[200:] + noise) - TABLE[200:]).mean())


@pytest.mark.parametrize("value", [1e3, -1e6, 1e30])
def test_one_of_them_costs_next_to_nothing(value: float) -> None:
    clean, dirty = (
        error_of(denoiser(noise=NOISE).fit(table))
        for table in (TABLE[:200], soiled(TABLE[:200], value))
    )
    assert dirty < 1.1 * clean


@pytest.mark.parametrize("value", [1e3, 1e30])
def test_one_of_them_among_degraded_rows(value: float) -> None:
    rng = np.random.default_rng(1)
    noisy = TABLE[:200] + rng.normal(scale=0.5, size=TABLE[:200].shape)
    clean, dirty = (
        error_of(denoiser().fit(table, X_clean=TABLE[:200]))
        for table in (noisy, soiled(noisy, value))
    )
    assert dirty < 1.2 * clean


@pytest.mark.parametrize("value", [1e3, -1e6])
def test_noise_and_peak_are_not_set_by_one_value(value: float) -> None:
    clean, dirty = (denoiser().fit(X) for X in (DIGITS, soiled(DIGITS, value)))
    assert clean.data_range_ == 1
    assert dirty.data_range_ == 1
    assert dirty.score(DIGITS) == pytest.approx(clean.score(DIGITS), abs=0.5)


def test_rare_bright_pixels_are_no_mistakes() -> None:
    X = np.zeros((200, 16))
    X[::50, 3] = 1.0
    assert denoiser().fit(X).data_range_ == 1


def test_columns_in_a_larger_unit_are_no_mistakes() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 120))
    X[:, 7] *= 1e4
    fitted = denoiser(noise=GaussianNoise(20.0)).fit(X)
    restored = fitted.transform(X)
    assert np.corrcoef(restored[:, 7], X[:, 7])[0, 1] > 0.99


def test_the_passed_table_is_left_as_it_is() -> None:
    table = soiled(TABLE[:200], 1e6)
    before = table.copy()
    denoiser().fit(table)
    assert np.array_equal(table, before)
