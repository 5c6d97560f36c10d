"""Additive Gaussian noise."""

from __future__ import annotations

import torch

from skae.noise._noise import Noise


class GaussianNoise(Noise):
    """Add independent Gaussian noise to every input during training.

    Parameters
    ----------
    strength : float, default=0.1
        Standard deviation of the noise. The unit is the root mean square deviation of
        the columns of X from their means (for standardised columns: one), or that of X
        itself where a loss forbids scaling, as ``"log_loss"`` does.

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

    def __init__(self, strength: float = 0.1) -> None:
        self.strength = strength

    def corrupt(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        if not self.strength >= 0:
            raise ValueError(
                f"strength must be a non-negative number, got {self.strength!r}."
            )
        noise = torch.empty_like(x).normal_(0, self.strength, generator=generator)
        return noise.add_(x)
