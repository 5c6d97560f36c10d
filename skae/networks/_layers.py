"""Layers with a member axis, and the activation functions by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral

import torch
from torch import nn

ACTIVATIONS = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}


def check_widths(
    sizes: Sequence[int], allowed: str = "a sequence of positive integers"
) -> list[int]:
    """Return the widths of hidden layers; a ValueError says what is allowed."""
    if not all(isinstance(size, Integral) and size > 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be {allowed}, got {sizes!r}.")
    return [int(size) for size in sizes]


class MemberLinear(nn.Module):
    """One affine map per member, all applied in a single batched product.

    Weights are stored as ``(members, in, out)``, the order in which the product reads
    them. A Python loop over members was not faster at any width and number of threads
    tried, so there is no second implementation for wide layers.
    """

    def __init__(
        self, n_in: int, n_out: int, *, members: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        bound = 1 / math.sqrt(n_in)
        # float64 whatever torch's default is: the engine casts for training.
        weight = torch.empty(members, n_in, n_out, dtype=torch.float64)
        bias = torch.empty(members, 1, n_out, dtype=torch.float64)
        self.weight = nn.Parameter(weight.uniform_(-bound, bound, generator=generator))
        self.bias = nn.Parameter(bias.uniform_(-bound, bound, generator=generator))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(self.bias, x, self.weight)

    @torch.no_grad()
    def zero_(self) -> None:
        self.weight.zero_()
        self.bias.zero_()


class ThinnedLinear(MemberLinear):
    """Affine maps that lack connections at random, each member others."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        connectivity: float,
        members: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__(n_in, n_out, members=members, generator=generator)
        kept = torch.empty_like(self.weight).bernoulli_(
            connectivity, generator=generator
        )
        self.register_buffer("kept", kept)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(self.bias, x, self.weight * self.kept)
