"""Gaussian noise."""

import pytest
import torch

from skae.noise import Corruption, GaussianNoise, Units


def corruption(strength: float | tuple[float, float]) -> Corruption:
    return GaussianNoise(strength).corruption(
        torch.zeros(4, 3), torch.zeros(3), Units()
    )


def test_moments_and_independence() -> None:
    x = torch.full((2, 20_000, 3), 5.0)
    noise = corruption(0.3)(x, torch.Generator().manual_seed(0)) - x
    flat = noise.permute(0, 2, 1).flatten(0, 1)
    covariance = torch.cov(flat)
    torch.testing.assert_close(covariance, 0.09 * torch.eye(6), atol=3e-3, rtol=0)
    torch.testing.assert_close(flat.mean(1), torch.zeros(6), atol=1e-2, rtol=0)


def test_of_a_range_every_row_draws_its_own_deviation() -> None:
    x = torch.zeros(2, 400, 2000)
    noise = corruption((0.2, 0.8))(x, torch.Generator().manual_seed(0))
    deviations = noise.std(dim=-1).flatten()
    # Uniform between the ends: so are the mean and the extremes of 800 draws.
    assert 0.19 < deviations.min() < 0.21
    assert 0.79 < deviations.max() < 0.83
    assert abs(deviations.mean() - 0.5) < 4 * 0.6 / (12 * 800) ** 0.5


def test_input_is_left_as_it_is() -> None:
    x = torch.zeros(1, 10, 3)
    corruption(0.3)(x, torch.Generator())
    assert not x.any()


@pytest.mark.parametrize("strength", [0.3, (0.1, 0.5)])
def test_comes_from_the_generator_alone(strength: float | tuple[float, float]) -> None:
    x, corrupt = torch.zeros(1, 10, 3), corruption(strength)
    state = torch.get_rng_state()
    first = corrupt(x, torch.Generator().manual_seed(3))
    second = corrupt(x, torch.Generator().manual_seed(3))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)


def test_no_strength_is_no_noise() -> None:
    x = torch.randn(1, 10, 3)
    assert torch.equal(corruption(0)(x, torch.Generator()), x)


@pytest.mark.parametrize(
    "strength",
    [-0.1, float("nan"), float("inf"), "0.1", None, (0.1,), (0.2, 0.1), (-0.1, 0.1)],
)
def test_bad_strength(strength: object) -> None:
    with pytest.raises(ValueError, match=r"^strength must be a non-negative number or"):
        corruption(strength)


def test_means_the_same_in_every_basis() -> None:
    assert GaussianNoise.rotation_invariant
