"""Values that come from another row."""

from __future__ import annotations

from functools import partial

import torch

from skae.noise._noise import Corruption, Noise, Units
from skae.noise._strength import Range, Strength, probability_range, row_strengths


class SwapNoise(Noise):
    """Give values at random the value that another row has in the same column.

    Every value stays one that its column really takes, which suits tables whose columns
    differ in kind. The other row is any other one of the batch.

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
    .. [1] J. Yoon, Y. Zhang, J. Jordon and M. van der Schaar, "VIME: extending the
       success of self- and semi-supervised learning to tabular domain", NeurIPS 2020.

    Examples
    --------
    >>> from skae.noise import SwapNoise
    >>> SwapNoise(0.15)
    SwapNoise(strength=0.15)
    """

    def __init__(self, strength: Strength = 0.1) -> None:
        self.strength = strength

    def corruption(
        self, rows: torch.Tensor, zero: torch.Tensor, units: Units
    ) -> Corruption:
        return partial(_swap, probability_range(self.strength))


def _swap(ends: Range, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    n_rows = x.shape[1]
    if n_rows <= 1:
        return x
    draws = torch.empty_like(x).uniform_(generator=generator)
    swapped = draws < row_strengths(ends, x, generator)
    # From one to n_rows - 1 rows further on: never a row's own value.
    steps = torch.randint(1, n_rows, x.shape, generator=generator, device=x.device)
    others = torch.arange(n_rows, device=x.device)[:, None] + steps
    return torch.where(swapped, x.gather(1, others % n_rows), x)
