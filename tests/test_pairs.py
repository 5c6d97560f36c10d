"""Pairs of degraded and clean rows, given or made by a noise."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch

from skae.estimators.denoiser._examples import Pairs, given_pairs, noisy_pairs
from skae.noise import GaussianNoise, MaskingNoise

ROWS = np.arange(0, 30, 2)


def table(n_features: int = 6, seed: int = 0) -> np.ndarray:
    rng = np.random.RandomState(seed)
    return rng.normal(size=(30, n_features)) * 3 + np.arange(n_features)


def noisy(X: np.ndarray, noise, held_out=ROWS, shape=None) -> Pairs:
    generator = torch.Generator().manual_seed(0)
    return noisy_pairs(X, shape or X.shape[1:], noise, held_out, generator)


def in_units_of_x(x: torch.Tensor, pairs: Pairs, view: int) -> np.ndarray:
    rows = x.flatten(1).double().numpy()
    return pairs.views[view].inverse_transform(rows)


def test_given() -> None:
    X, clean = table(6), table(24, seed=1)
    pairs = given_pairs(X, clean, ((2, 3, 1), (4, 6, 1)))
    assert pairs.shapes == ((2, 3, 1), (4, 6, 1))
    assert pairs.degrade is None
    assert not pairs.gaps
    np.testing.assert_allclose(in_units_of_x(pairs.degraded, pairs, 0), X, atol=1e-5)
    np.testing.assert_allclose(in_units_of_x(pairs.clean, pairs, 1), clean, atol=1e-5)
    # Both tables are seen in units of their own.
    for x in (pairs.degraded, pairs.clean):
        assert x.mean() == pytest.approx(0, abs=1e-6)
        assert x.std(correction=0) == pytest.approx(1, abs=1e-6)


def test_columns_of_a_table_are_centred_and_keep_their_units() -> None:
    X = table()
    pairs = given_pairs(X, X, ((6,), (6,)))
    np.testing.assert_allclose(pairs.clean.mean(dim=0), np.zeros(6), atol=1e-6)
    ratio = pairs.clean.std(dim=0, correction=0).numpy() / X.std(axis=0)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)


def test_blocks_are_given_once_or_degraded_anew() -> None:
    X, clean = table(), table(seed=1)
    generator = torch.Generator().manual_seed(0)
    given = given_pairs(X, clean, ((6,), (6,)))
    ((x, y),) = given.blocks(ROWS, 3, generator)
    assert torch.equal(x, given.degraded[ROWS])
    assert torch.equal(y, given.clean[ROWS])

    pairs = noisy(X, GaussianNoise(0.2))
    draws = [x for x, _ in pairs.blocks(ROWS, 3, generator)]
    assert len(draws) == 3
    for one, other in combinations([*draws, pairs.degraded[ROWS]], 2):
        assert not torch.equal(one, other)
    for pair in (given, pairs):
        ((x, y),) = pair.as_given(ROWS)
        assert torch.equal(x, pair.degraded[ROWS])
        assert torch.equal(y, pair.clean[ROWS])


@pytest.mark.parametrize("shape", [(60,), (6, 5, 2)])
@pytest.mark.parametrize("strength", [0.01, 0.3, 50.0])
def test_rows_that_are_held_out_are_degraded_once(shape, strength: float) -> None:
    """By as much as is asked for, in units of X, also by more than X itself varies."""
    X = table(60)
    pairs = noisy(X, GaussianNoise(strength), shape=shape)
    assert pairs.views[0] is pairs.views[1]
    added = in_units_of_x(pairs.degraded - pairs.clean, pairs, 0)
    added -= pairs.views[0].mean
    rest = np.setdiff1d(np.arange(30), ROWS)
    assert not added[rest].any()
    assert added[ROWS].std() == pytest.approx(strength, rel=0.1)
    assert pairs.degraded[ROWS].square().mean() < 2
    again = noisy(X, GaussianNoise(strength), shape=shape)
    assert torch.equal(again.degraded, pairs.degraded)


def test_hidden_values_are_gaps() -> None:
    pairs = noisy(table(60), MaskingNoise(0.3, fill="nan"))
    assert pairs.gaps
    hidden = pairs.degraded[ROWS].isnan()
    assert hidden.double().mean() == pytest.approx(0.3, abs=0.05)
    clean = pairs.clean[ROWS].masked_fill(hidden, torch.nan)
    torch.testing.assert_close(pairs.degraded[ROWS], clean, equal_nan=True)
    assert not noisy(table(60), MaskingNoise(0.3)).gaps


@pytest.mark.parametrize("noise", [GaussianNoise(0.1), MaskingNoise(fill="nan")])
def test_nothing_held_out_is_nothing_degraded(noise) -> None:
    pairs = noisy(table(), noise, held_out=np.arange(0))
    assert torch.equal(pairs.degraded, pairs.clean)
