"""The network that corrects what a start expects in the gaps of a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from skae._training import Gated, Tensors
from skae.networks import MemberLinear
from skae.networks._activations import ACTIVATIONS
from skae.networks._layers import blocks_of, layer_widths
from skae.networks._pullback import Differentiable, Gradients

_MOST_BINS = 6  # of a column; twice as many cost more and were not better
_MOST_INPUTS = 2_800  # of a network; wider tables have fewer bins for each column


class QuantileEncoding(nn.Module):
    """Each value as the filling levels of bins between quantiles of its column.

    A bin below the value is one, a bin above it zero, and the one that holds it tells
    where. A layer behind it can bend and jump at every quantile, as a tree can.

    Parameters
    ----------
    quantiles : tensor of shape (n_bins + 1, n_features)
        Ends of the bins. One without width is always empty.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical
       features in tabular deep learning", NeurIPS 2022.
    """

    inverse_width: torch.Tensor
    offset: torch.Tensor

    def __init__(self, quantiles: torch.Tensor) -> None:
        super().__init__()
        width = quantiles.diff(dim=0).T
        inverse = torch.where(width > 0, 1 / width.clamp(min=1e-9), 0.0)
        self.register_buffer("inverse_width", inverse[None, None])
        self.register_buffer("offset", (-quantiles[:-1].T * inverse)[None, None])

    @classmethod
    def of(
        cls, rows: torch.Tensor, observed: torch.Tensor, n_bins: int | None = None
    ) -> QuantileEncoding:
        """Encode by the quantiles of rows ``(n_samples, n_features)`` with gaps.

        Where nothing of a column is observed, it is taken for constant. By default
        there are as many bins as a network can bear.
        """
        if n_bins is None:
            n_bins = min(max(_MOST_INPUTS // rows.shape[1] - 2, 1), _MOST_BINS)
        levels = np.linspace(0, 1, n_bins + 1)
        columns = zip(rows.T.numpy(), observed.T.numpy(), strict=True)
        quantiles = [
            np.quantile(x[known] if known.any() else 0.0, levels)
            for x, known in columns
        ]
        return cls(torch.from_numpy(np.stack(quantiles, axis=1)))

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of features and of bins."""
        n_features, n_bins = self.offset.shape[-2:]
        return n_features, n_bins

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        levels = torch.addcmul(self.offset, x[..., None], self.inverse_width)
        return levels.clamp_(0, 1).flatten(-2)


class GapNetwork(Gated, Differentiable):
    """Sees a filled row and where its gaps were; begins by correcting nothing.

    Its output is a difference from the fill of the start, which the start itself takes
    for zero.

    Parameters
    ----------
    encoding : QuantileEncoding
    hidden_layer_sizes : int or sequence of int
    activation : str
    """

    largest_value = 6.0  # of a standardised value; beyond, a network knows nothing

    def __init__(
        self,
        encoding: QuantileEncoding,
        hidden_layer_sizes: int | Sequence[int],
        activation: str,
        *,
        members: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        n_features, n_bins = encoding.shape
        self.members = members
        self.encoding = encoding
        widths = [
            (n_bins + 2) * n_features,
            *layer_widths(hidden_layer_sizes),
            n_features,
        ]
        layers = [
            MemberLinear(a, b, members=members, generator=generator)
            for a, b in pairwise(widths)
        ]
        self.layers = blocks_of(layers, ACTIVATIONS[activation])
        self.layers.zero_output_()

    def start_output(self, batch: Tensors) -> torch.Tensor:
        x = batch["input"]
        return x.new_zeros(()).expand(self.members, *x.shape[1:])

    def correction(self, batch: Tensors) -> torch.Tensor:
        return self.weight * self.layers(self._seen(batch))

    def forward(
        self, batch: Tensors, generator: torch.Generator | None = None
    ) -> Tensors:
        """Return corrections of ``input``; rows given once are for all members."""
        return {"output": self.gated(batch)}

    def record(self, batch: Tensors) -> tuple[torch.Tensor, Any]:
        return self.layers.record(self._seen(batch))

    def collect(self, gradient: torch.Tensor, kept: Any, gradients: Gradients) -> None:
        self.layers.collect(gradient, kept, gradients)

    def trained_parts(self) -> list[nn.Module]:
        return [self.layers]

    def _seen(self, batch: Tensors) -> torch.Tensor:
        x, observed = batch["input"], batch["observed"]
        values = x.clamp(-self.largest_value, self.largest_value)
        seen = torch.cat([values, observed, self.encoding(x)], dim=-1)
        return seen.expand(self.members, -1, -1)
