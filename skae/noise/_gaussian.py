"""Additive Gaussian noise."""

from __future__ import annotations

from typing import ClassVar

import torch

from skae.noise._noise import Corruption, Noise
from skae.noise._strength import Strength, deviation_range, row_strengths


class GaussianNoise(Noise):
    """Add independent Gaussian noise to every input during training.

    Parameters
    ----------
    strength : float or (float, float), default=0.1
        Standard deviation of the noise; of a range, every row draws its own. The unit
        is the root mean square deviation of the columns of X from their means (for
        standardised columns: one), or that of X itself where a loss forbids scaling, as
        ``"log_loss"`` does.

    See Also
    --------
    skae.AutoencoderTransformer : Takes it as ``noise``.

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, "Extracting and
       composing robust features with denoising autoencoders", ICML 2008.

    Examples
    --------
    >>> from skae.noise import GaussianNoise
    >>> GaussianNoise(0.2)
    GaussianNoise(strength=0.2)
    """

    rotation_invariant: ClassVar[bool] = True

    def __init__(self, strength: Strength = 0.1) -> None:
        self.strength = strength

    def corruption(self, rows: torch.Tensor, zero: torch.Tensor) -> Corruption:
        ends = deviation_range(self.strength)

        def add(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            noise = torch.empty_like(x).normal_(generator=generator)
            return noise.mul_(row_strengths(ends, x, generator)).add_(x)

        return add
