"""What pixels are seen relative to, against sums over pixels one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_sample_image
from sklearn.feature_extraction.image import extract_patches_2d

from skae.estimators.denoiser._surroundings import (
    NoSurroundings,
    Surroundings,
    enlarged,
    relative,
    surroundings_of,
)


def images(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def around(x: torch.Tensor, radius: int, function: Callable) -> torch.Tensor:
    """Apply a function to the pixels of every window, as far as it lies within."""
    result = torch.empty_like(x)
    height, width = x.shape[2:4]
    for i in range(height):
        for j in range(width):
            rows = slice(max(i - radius, 0), i + radius + 1)
            columns = slice(max(j - radius, 0), j + radius + 1)
            result[:, :, i, j] = function(x[:, :, rows, columns])
    return result


def share_of_signal(window: torch.Tensor) -> torch.Tensor:
    variance = window.var((2, 3), correction=0)
    return (1 - 0.9 / variance).clamp(min=0)


def test_level_and_gains() -> None:
    x = images(1, 2, 21, 12, 2)
    level, hints = Surroundings(0.9)(x, torch.ones_like(x))
    torch.testing.assert_close(level, around(x, 8, lambda w: w.mean((2, 3))))
    assert len(hints) == Surroundings(0.9).n_hints == 2
    for hint, radius in zip(hints, (2, 8), strict=True):
        torch.testing.assert_close(hint, around(x - level, radius, share_of_signal))


def test_level_is_the_mean_of_what_is_visible() -> None:
    x = images(1, 2, 11, 12, 1)
    gaps = x.masked_fill(images(*x.shape, seed=1) > 0.5, torch.nan)
    level, hints = Surroundings(None)(gaps.nan_to_num(), (~gaps.isnan()).double())
    torch.testing.assert_close(level, around(gaps, 8, lambda w: w.nanmean((2, 3))))
    assert hints == []
    nothing = torch.zeros_like(x)
    assert Surroundings(None)(nothing, nothing)[0].eq(0).all()


def test_a_constant_image_without_noise_has_no_gain() -> None:
    x = torch.full((1, 1, 5, 5, 1), 3.0)
    _, hints = Surroundings(1e-12)(x, torch.ones_like(x))
    assert all(hint.isfinite().all() and (hint >= 0).all() for hint in hints)


def test_enlarged() -> None:
    x = images(2, 3, 4, 2)
    large = enlarged(x, 3)
    assert large.shape == (2, 9, 12, 2)
    for i in range(3):
        for j in range(3):
            assert torch.equal(large[:, i::3, j::3], x)
    assert enlarged(x, 1) is x


def test_relative_pairs_have_lost_the_level_of_the_degraded_image() -> None:
    small, large = images(4, 5, 5, 1), images(4, 10, 10, 1)
    surroundings = Surroundings(None)
    x, y = relative(surroundings, small, large)
    shifted = relative(surroundings, small + 3, large + 3)
    torch.testing.assert_close((x, y), shifted)
    torch.testing.assert_close(enlarged(small - x, 2), large - y)
    rows = images(4, 6), images(4, 6)
    assert all(map(torch.equal, relative(NoSurroundings(), *rows), rows))


@pytest.fixture(scope="module")
def patches() -> torch.Tensor:
    photo = load_sample_image("flower.jpg") / 255
    patches = extract_patches_2d(photo, (16, 16), max_patches=300, random_state=0)
    return torch.from_numpy(patches)


class TestChoice:
    def test_photographs_have_surroundings(self, patches: torch.Tensor) -> None:
        noisy = patches + 0.1 * images(*patches.shape)
        chosen = surroundings_of(noisy, patches)
        assert chosen.noise_variance == pytest.approx(0.01, rel=0.02)
        hidden = patches.masked_fill(images(*patches.shape) > 1, torch.nan)
        small = patches.unflatten(1, (8, 2)).mean(2).unflatten(2, (8, 2)).mean(3)
        for degraded in (hidden, small):
            chosen = surroundings_of(degraded, patches)
            assert isinstance(chosen, Surroundings)
            assert chosen.noise_variance is None

    def test_not_where_a_degradation_changes_the_brightness(
        self, patches: torch.Tensor
    ) -> None:
        dark = patches * (images(*patches.shape) < 0.5)
        for degraded in (dark, 0.5 * patches, 1 - patches, patches + 0.2):
            assert isinstance(surroundings_of(degraded, patches), NoSurroundings)

    def test_strokes_and_rows_are_seen_as_they_are(self) -> None:
        rows = torch.from_numpy(load_digits().data[:500] / 16)
        strokes = rows.view(-1, 8, 8, 1)
        for clean in (rows, strokes):
            noisy = clean + 0.1 * images(*clean.shape)
            assert isinstance(surroundings_of(noisy, clean), NoSurroundings)

    def test_a_single_image_has_no_brightness_of_its_own(self) -> None:
        x = images(1, 5, 5, 1)
        assert isinstance(surroundings_of(x, x), NoSurroundings)

    def test_in_every_unit_alike(self, patches: torch.Tensor) -> None:
        noisy = patches + 0.1 * images(*patches.shape)
        chosen = surroundings_of(noisy, patches).noise_variance
        large = surroundings_of(255 * noisy - 9, 255 * patches - 9).noise_variance
        assert large == pytest.approx(255**2 * chosen)
        assert np.isfinite(large)
