"""Values that jump to an end of their range."""

from __future__ import annotations

from functools import partial

import torch

from skae.noise._noise import Corruption, Noise, Units
from skae.noise._strength import Range, Strength, probability_range, row_strengths


class SaltAndPepperNoise(Noise):
    """Set values at random to the least or the largest of their column in training.

    Both are equally likely; for images with pixels from black to white, these are black
    and white.

    Parameters
    ----------
    strength : float or (float, float), default=0.1
        Probability with which each value is replaced, in [0, 1]; of a range, every row
        draws its own.

    See Also
    --------
    MaskingNoise : To zero or the mean of the column instead.
    skae.AutoencoderTransformer : Takes it as ``noise``.
    skae.DenoisingTransformer : Learns to remove it.

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, I. Lajoie, Y. Bengio and P.-A. Manzagol, "Stacked
       denoising autoencoders: learning useful representations in a deep network with a
       local denoising criterion", Journal of Machine Learning Research 11, 2010.

    Examples
    --------
    >>> from skae.noise import SaltAndPepperNoise
    >>> SaltAndPepperNoise(0.2)
    SaltAndPepperNoise(strength=0.2)
    """

    def __init__(self, strength: Strength = 0.1) -> None:
        self.strength = strength

    def corruption(
        self, rows: torch.Tensor, zero: torch.Tensor, units: Units
    ) -> Corruption:
        ends = probability_range(self.strength)
        return partial(_sprinkle, ends, rows.amin(dim=0), rows.amax(dim=0))


def _sprinkle(
    ends: Range,
    least: torch.Tensor,
    largest: torch.Tensor,
    x: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    draws = torch.empty_like(x).uniform_(generator=generator)
    strengths = row_strengths(ends, x, generator)
    salted = torch.where(draws < strengths, largest.to(x), x)
    return torch.where(draws < strengths / 2, least.to(x), salted)
