"""The network that corrects what a start expects in the gaps of a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from skae.networks import ACTIVATIONS, MemberLinear
from skae.networks._layers import positive_integers, zero_


class QuantileEncoding(nn.Module):
    """Each value as the filling levels of bins between quantiles of its column.

    A bin below the value is one, a bin above it zero, and the one that holds it tells
    where. A layer behind it can bend and jump at every quantile, as a tree can.

    Parameters
    ----------
    rows, observed : tensor of shape (n_samples, n_features)
        Training rows and where they have no gaps. Each column has an observed value.
    n_bins : int, default=12
        Number of bins of a column. One without width is always empty.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical
       features in tabular deep learning", NeurIPS 2022.
    """

    def __init__(
        self, rows: torch.Tensor, observed: torch.Tensor, n_bins: int = 12
    ) -> None:
        super().__init__()
        levels = np.linspace(0, 1, n_bins + 1)
        columns = zip(rows.T.numpy(), observed.T.numpy(), strict=True)
        quantiles = torch.from_numpy(
            np.stack([np.quantile(x[known], levels) for x, known in columns], axis=1)
        )
        width = quantiles.diff(dim=0).T
        inverse = torch.where(width > 0, 1 / width.clamp(min=1e-9), 0.0)
        self.register_buffer("inverse_width", inverse)
        self.register_buffer("offset", -quantiles[:-1].T * inverse)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        levels = torch.addcmul(self.offset, x[..., None], self.inverse_width)
        return levels.clamp_(0, 1).flatten(-2)


class GapNetwork(nn.Module):
    """Sees a filled row and where its gaps were; begins by correcting nothing.

    Parameters
    ----------
    encoding : QuantileEncoding
    hidden_layer_sizes : sequence of int
    activation : str

    Attributes
    ----------
    weight : float
        How much of the correction is kept, in [0, 1]; chosen by a gate.
    """

    largest_value = 6.0  # of a standardised value; beyond, a network knows nothing

    def __init__(
        self,
        encoding: QuantileEncoding,
        hidden_layer_sizes: Sequence[int],
        activation: str,
        *,
        members: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        n_features, n_bins = encoding.offset.shape
        self.members = members
        self.weight = 1.0
        self.encoding = encoding
        widths = [
            (n_bins + 2) * n_features,
            *positive_integers(hidden_layer_sizes, "hidden_layer_sizes"),
            n_features,
        ]
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layer = MemberLinear(a, b, members=members, generator=generator)
            layers += [layer, ACTIVATIONS[activation]()]
        self.layers = nn.Sequential(*layers[:-1])
        zero_(self.layers[-1])

    def forward(
        self, batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
    ) -> dict[str, torch.Tensor]:
        """Return corrections of ``input``; rows given once are for all members."""
        x, observed = batch["input"], batch["observed"]
        values = x.clamp(-self.largest_value, self.largest_value)
        seen = torch.cat([values, observed, self.encoding(x)], dim=-1)
        correction = self.layers(seen.expand(self.members, -1, -1))
        return {"output": self.weight * correction}
