"""Values that are hidden."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch

from skae.noise._noise import Corruption, Noise, Units
from skae.noise._strength import Range, Strength, probability_range, row_strengths


class MaskingNoise(Noise):
    """Hide values at random during training.

    With ``fill="zero"`` this is the dropout of inputs [2]_, except that the values that
    stay are not enlarged.

    Parameters
    ----------
    strength : float or (float, float), default=0.3
        Probability with which each value is hidden, in [0, 1]; of a range, every row
        draws its own.
    fill : {"zero", "mean", "nan"}, default="zero"
        What a hidden value becomes: zero, or the mean of its column of X. On centred
        columns both are the same. ``"nan"`` leaves a gap, which only
        :class:`~skae.DenoisingTransformer` takes: it fills the gaps of new rows.

    See Also
    --------
    SaltAndPepperNoise : To the least or the largest value of the column instead.
    SwapNoise : To the value of another row instead.
    skae.AutoencoderTransformer : Takes it as ``noise``.
    skae.DenoisingTransformer : Learns to undo it.

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, "Extracting and
       composing robust features with denoising autoencoders", ICML 2008.
    .. [2] N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov,
       "Dropout: a simple way to prevent neural networks from overfitting", Journal of
       Machine Learning Research 15, 2014.

    Examples
    --------
    >>> from skae.noise import MaskingNoise
    >>> MaskingNoise(strength=(0.1, 0.5), fill="mean")
    MaskingNoise(fill='mean', strength=(0.1, 0.5))
    """

    def __init__(
        self,
        strength: Strength = 0.3,
        fill: Literal["zero", "mean", "nan"] = "zero",
    ) -> None:
        self.strength = strength
        self.fill = fill

    def corruption(
        self, rows: torch.Tensor, zero: torch.Tensor, units: Units
    ) -> Corruption:
        ends = probability_range(self.strength)
        return partial(_hide, ends, self._fill(rows, zero))

    @property
    def leaves_gaps(self) -> bool:
        return self.fill == "nan"

    def _fill(self, rows: torch.Tensor, zero: torch.Tensor) -> torch.Tensor:
        if self.fill == "zero":
            return zero
        if self.fill == "mean":
            return rows.mean(dim=0, dtype=torch.float64)
        if self.fill == "nan":
            return torch.full_like(zero, torch.nan)
        raise ValueError(f"fill must be 'zero', 'mean' or 'nan', got {self.fill!r}.")


def _hide(
    ends: Range, fill: torch.Tensor, x: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    draws = torch.empty_like(x).uniform_(generator=generator)
    hidden = draws < row_strengths(ends, x, generator)
    return torch.where(hidden, fill.to(x), x)
