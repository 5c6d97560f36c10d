"""Gaussian noise."""

import pytest
import torch

from skae.noise import GaussianNoise


def corrupt(
    noise: GaussianNoise, x: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    return noise.corruption(x[0], torch.zeros(x.shape[-1]))(x, generator)


def test_moments_and_independence() -> None:
    x = torch.full((2, 20_000, 3), 5.0)
    noise = corrupt(GaussianNoise(0.3), x, torch.Generator().manual_seed(0)) - x
    flat = noise.permute(0, 2, 1).flatten(0, 1)
    covariance = torch.cov(flat)
    torch.testing.assert_close(covariance, 0.09 * torch.eye(6), atol=3e-3, rtol=0)
    torch.testing.assert_close(flat.mean(1), torch.zeros(6), atol=1e-2, rtol=0)


def test_input_is_left_as_it_is() -> None:
    x = torch.zeros(1, 10, 3)
    corrupt(GaussianNoise(0.3), x, torch.Generator())
    assert not x.any()


def test_comes_from_the_generator_alone() -> None:
    x, noise = torch.zeros(1, 10, 3), GaussianNoise(0.3)
    state = torch.get_rng_state()
    first = corrupt(noise, x, torch.Generator().manual_seed(3))
    second = corrupt(noise, x, torch.Generator().manual_seed(3))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)


def test_no_strength_is_no_noise() -> None:
    x = torch.randn(1, 10, 3)
    assert torch.equal(corrupt(GaussianNoise(0), x, torch.Generator()), x)


@pytest.mark.parametrize("strength", [-0.1, float("nan")])
def test_bad_strength(strength: float) -> None:
    with pytest.raises(ValueError, match="strength must be a non-negative number"):
        GaussianNoise(strength).corruption(torch.zeros(10, 3), torch.zeros(3))
