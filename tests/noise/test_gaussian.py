"""Gaussian noise: its distribution, and what its strength is measured in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator

from skae import (
    AutoencoderTransformer,
    DenoisingTransformer,
    ReconstructionOutlierDetector,
)
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


class TestUnits:
    """How large a strength of one is, as the network sees it."""

    UNITS = Units(x=torch.tensor([0.5, 2.0, 0.0]), std=3.0)

    def corrupted(self, unit: str) -> torch.Tensor:
        nothing = torch.zeros(3)
        corrupt = GaussianNoise(0.4, unit).corruption(
            nothing[None], nothing, self.UNITS
        )
        return corrupt(torch.zeros(1, 50_000, 3), torch.Generator().manual_seed(0))

    @pytest.mark.parametrize(
        "unit, deviations", [("X", [0.2, 0.8, 0.0]), ("std", [1.2, 1.2, 1.2])]
    )
    def test_of_every_feature(self, unit: str, deviations: list[float]) -> None:
        expected = torch.tensor(deviations)
        noise = self.corrupted(unit)[0]
        torch.testing.assert_close(noise.std(0), expected, rtol=0.02, atol=0)

    @pytest.mark.parametrize("unit", ["x", "STD", None, 1])
    def test_bad_unit(self, unit: object) -> None:
        with pytest.raises(ValueError, match=r"^unit must be 'X' or 'std', got"):
            self.corrupted(unit)

    @pytest.mark.parametrize(
        "strength, unit, negligible",
        [
            (0.0099, "std", True),
            (0.0101, "std", False),
            ((0.0, 0.0099), "std", True),
            ((0.0, 0.0101), "std", False),
            # A hundredth of three is 0.03, and the second feature has a unit of two.
            (0.0149, "X", True),
            (0.0151, "X", False),
            # Nothing at all is no mistake.
            (0.0, "X", False),
            (1e-8, "std", False),
        ],
    )
    def test_negligible(
        self, strength: float | tuple[float, float], unit: str, negligible: bool
    ) -> None:
        """Less than a hundredth of the standard deviation, for all features."""
        assert GaussianNoise(strength, unit).negligible(self.UNITS) is negligible


def permuted_columns() -> np.ndarray:
    """Return rows in [0, 1]; the standard deviation of every column is the same."""
    rng = np.random.RandomState(0)
    values = rng.uniform(size=200)
    return np.stack([rng.permutation(values) for _ in range(6)], axis=1)


X = permuted_columns()
STD = float(X[:, 0].std())
QUICK = {"max_iter": 2, "random_state": 0}


def fine_tuning() -> AutoencoderTransformer:
    """Another fit, to rows in other units, is trained on."""
    fitted = AutoencoderTransformer(2, cv=None, **QUICK).fit(5 * X + 1)
    return AutoencoderTransformer(2, start=FrozenEstimator(fitted), cv=None, **QUICK)


ESTIMATORS: dict[str, Callable[[], BaseEstimator]] = {
    "beside PCA": lambda: AutoencoderTransformer(2, cv=None, **QUICK),
    "from random weights": lambda: AutoencoderTransformer(
        2, start=None, cv=None, **QUICK
    ),
    "between bounds": lambda: AutoencoderTransformer(
        2, start=None, loss="log_loss", cv=None, **QUICK
    ),
    "fine-tuned": fine_tuning,
    "detector": lambda: ReconstructionOutlierDetector(core_fraction=1.0, **QUICK),
    "denoiser": lambda: DenoisingTransformer(**QUICK),
}


def losses(estimator: BaseEstimator, noise: GaussianNoise) -> list[float]:
    return clone(estimator).set_params(noise=noise).fit(X).loss_curve_


class TestInEstimators:
    @pytest.fixture(params=ESTIMATORS.values(), ids=ESTIMATORS.keys())
    def estimator(self, request: pytest.FixtureRequest) -> BaseEstimator:
        return request.param()

    def test_both_units_mean_the_same_everywhere(
        self, estimator: BaseEstimator
    ) -> None:
        """A strength in X is one in standard deviations, divided by these.

        What a training does is then the same but for rounding; PCA's standard
        deviation is the unbiased one.
        """
        in_std = losses(estimator, GaussianNoise(0.5, unit="std"))
        in_X = losses(estimator, GaussianNoise(0.5 * STD))
        pca = estimator.get_params().get("start") == "pca"
        tolerance = {"rtol": 5e-3 if pca else 1e-5}
        np.testing.assert_allclose(in_X, in_std, **tolerance)
        with pytest.raises(AssertionError):
            np.testing.assert_allclose(
                losses(estimator, GaussianNoise(0.5)), in_std, **tolerance
            )

    @pytest.mark.parametrize(
        "noise", [GaussianNoise(0.009 * STD), GaussianNoise((0, 0.009), unit="std")]
    )
    def test_what_is_too_small_to_be_noticed_is_told_once(
        self, estimator: BaseEstimator, noise: GaussianNoise
    ) -> None:
        with pytest.warns(UserWarning, match="less than 1 % of the standard") as told:
            clone(estimator).set_params(noise=noise).fit(X)
        (warning,) = told
        assert "raise it" in str(warning.message)
        assert warning.filename == __file__

    @pytest.mark.parametrize(
        "noise", [GaussianNoise(0.1 * STD), GaussianNoise(0.1, unit="std")]
    )
    def test_what_is_not_is_not(
        self, estimator: BaseEstimator, noise: GaussianNoise
    ) -> None:
        """In these tests a warning would be an error."""
        assert np.isfinite(losses(estimator, noise)).all()
