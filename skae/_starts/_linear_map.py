"""What classical methods make of a degraded row: the row itself, or a linear map."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import nn

from skae._starts._ridge import Ridge

#: Blocks of degraded rows, with NaN in their gaps, and of the clean ones: (n, *shape).
Examples = Iterable[tuple[torch.Tensor, torch.Tensor]]


def split_gaps(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return values with zeros in their gaps, and where they are visible: 1, else 0."""
    hidden = x.isnan()
    return x.masked_fill(hidden, 0.0), (~hidden).to(x.dtype)


class RestoringStart(nn.Module):
    """Base of starts: maps degraded rows to restored ones.

    Both ``values, visible``, as :func:`split_gaps` returns them, are of shape
    ``(members, batch, *shape)``.

    Attributes
    ----------
    radius : int or None
        How far from a pixel lies what its output depends on; None where a start knows
        images of one size only.
    """

    radius: int | None = None


class IdentityStart(RestoringStart):
    """The degraded row as it is, its gaps at the mean, in the units of clean rows.

    Parameters
    ----------
    gain : float
        Unit of degraded rows in units of the clean ones.
    offset : tensor of shape (n_features,) or (1,)
        What a degraded row of zeros is among the clean rows.
    """

    radius = 0
    offset: torch.Tensor

    def __init__(self, gain: float, offset: torch.Tensor) -> None:
        super().__init__()
        self.gain = gain
        self.register_buffer("offset", offset[None])

    def forward(self, values: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        return self.gain * values + self.offset


class LinearStart(RestoringStart):
    """The linear map from degraded rows, and from where their gaps are, to clean rows.

    Fitted to the same rows with ever new noise, it shrinks their principal components
    as Wiener's filter does.

    Parameters
    ----------
    gaps : bool
        Whether rows can have gaps.
    """

    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, *, gaps: bool) -> None:
        super().__init__()
        self.gaps = gaps

    def fit(self, training: Examples, held_out: Examples) -> LinearStart:
        """Fit to blocks of (degraded, clean) rows.

        Those held out choose the penalty.
        """
        ridge = Ridge()
        for x, y in training:
            self._output_shape = y.shape[1:]
            ridge.add(*self._rows(x, y))
        ridge.solve(self._rows(x, y) for x, y in held_out)
        self.register_buffer("weight", torch.from_numpy(ridge.weight_)[None])
        self.register_buffer("bias", torch.from_numpy(ridge.bias_)[None, None])
        return self

    def forward(self, values: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        output = torch.baddbmm(self.bias, self._seen(values, visible), self.weight)
        return output.unflatten(-1, self._output_shape)

    def _rows(self, x: torch.Tensor, y: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        seen = self._seen(*split_gaps(x[None]))[0]
        return seen.numpy(), y.flatten(1).numpy()

    def _seen(self, values: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        values = values.flatten(2)
        return torch.cat([values, visible.flatten(2)], -1) if self.gaps else values
