"""Additive Gaussian noise."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

import torch

from skae.noise._noise import Corruption, Noise, Units
from skae.noise._strength import Range, Strength, deviation_range, row_strengths

_NEGLIGIBLE = 0.01  # of the standard deviation: nobody learns to remove that
_ROUNDING = 1e-6  # less is nothing at all, in the precision of training


class GaussianNoise(Noise):
    """Add independent Gaussian noise to every input during training.

    Parameters
    ----------
    strength : float or (float, float), default=0.1
        Standard deviation of the noise; of a range, every sample draws its own.
    unit : {"X", "std"}, default="X"
        Unit of the strength, the same in every estimator. ``"X"`` is that of X: where
        pixels go from 0 to 255, a strength of 25 is visible and one of 0.1 is not.
        ``"std"`` is the standard deviation of the features, or the root of their mean
        variance where an estimator does not scale features one by one.

    See Also
    --------
    skae.AutoencoderTransformer : Takes it as ``noise``.
    skae.DenoisingTransformer : Learns to remove it.

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, "Extracting and
       composing robust features with denoising autoencoders", ICML 2008.

    Examples
    --------
    >>> from skae.noise import GaussianNoise
    >>> GaussianNoise(0.2)
    GaussianNoise(strength=0.2)
    >>> GaussianNoise(0.1, unit="std")
    GaussianNoise(unit='std')
    """

    rotation_invariant: ClassVar[bool] = True

    def __init__(
        self, strength: Strength = 0.1, unit: Literal["X", "std"] = "X"
    ) -> None:
        self.strength = strength
        self.unit = unit

    def corruption(
        self, rows: torch.Tensor, zero: torch.Tensor, units: Units
    ) -> Corruption:
        return partial(_add, deviation_range(self.strength), self._size(units))

    def negligible(self, units: Units) -> bool:
        _, high = deviation_range(self.strength)
        largest = high * float(torch.as_tensor(self._size(units)).max())
        return _ROUNDING * units.std < largest < _NEGLIGIBLE * units.std

    def _size(self, units: Units) -> float | torch.Tensor:
        """Unit of the strength, as the network sees it."""
        if self.unit == "X":
            return units.x
        if self.unit == "std":
            return units.std
        raise ValueError(f"unit must be 'X' or 'std', got {self.unit!r}.")


def _add(
    ends: Range,
    size: float | torch.Tensor,
    x: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    noise = torch.empty_like(x).normal_(generator=generator)
    if isinstance(size, torch.Tensor):
        size = size.to(x)
    return noise.mul_(row_strengths(ends, x, generator) * size).add_(x)
