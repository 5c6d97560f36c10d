"""Layers with a member axis, and their sizes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from numbers import Integral

import torch
from torch import nn

from skae.networks._activations import Identity
from skae.networks._pullback import Differentiable, Gradients, Parts


def positive_integers(
    values: Iterable[int],
    parameter: str,
    allowed: str = "a sequence of positive integers",
) -> list[int]:
    """Return sizes as a list; a ValueError says what is allowed."""
    if not isinstance(values, Iterable) or not all(
        isinstance(value, Integral) and value > 0 for value in values
    ):
        raise ValueError(f"{parameter} must be {allowed}, got {values!r}.")
    return [int(value) for value in values]


def layer_widths(
    sizes: int | Sequence[int],
    allowed: str = "a positive integer or a sequence of them",
) -> list[int]:
    """Return the widths of hidden layers; a number is that of a single one."""
    several = sizes if isinstance(sizes, Iterable) else [sizes]
    return positive_integers(several, "hidden_layer_sizes", allowed)


class NetworkModule(nn.Module):
    """Base of what a specification builds: from tensors to tensors.

    Attributes
    ----------
    radius : int or None
        How far from a pixel lies what its output depends on, in pixels; None where it
        knows rows of one size only.
    """

    radius: int | None = None

    def zero_output_(self) -> None:
        """Make the output zero, so that as a residual it adds nothing."""
        raise NotImplementedError


class Stack(NetworkModule, Parts):
    """Blocks from inputs to outputs, a block being a layer and its activation."""

    @property
    def blocks(self) -> list[Parts]:
        """All blocks, the first one first."""
        return [block for block in self if isinstance(block, Parts)]

    def zero_output_(self) -> None:
        """Make the stack return zero. Its output has to be linear."""
        zero_(self.blocks[-1])


def blocks_of(
    layers: Iterable[nn.Module],
    activation: type[nn.Module],
    last_activation: type[nn.Module] = Identity,
) -> Stack:
    """Return a stack of blocks."""
    *hidden, last = layers
    blocks = [Parts(layer, activation()) for layer in hidden]
    return Stack(*blocks, Parts(last, last_activation()))


def zero_(module: nn.Module) -> None:
    """Set all parameters to zero."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)


def uniform_parameter(
    *shape: int, fan_in: float, generator: torch.Generator
) -> nn.Parameter:
    """Return weights or biases for sums of so many inputs."""
    bound = 1 / math.sqrt(fan_in)
    # float64 whatever torch's default is: the engine casts for training.
    values = torch.empty(shape, dtype=torch.float64)
    return nn.Parameter(values.uniform_(-bound, bound, generator=generator))


class Affine(Differentiable):
    """Affine maps, all applied in a single batched product.

    A Python loop over members was not faster at any width and number of threads tried,
    so there is no second implementation for wide layers.
    """

    weight: nn.Parameter
    bias: nn.Parameter

    @property
    def matrix(self) -> torch.Tensor:
        """What inputs are multiplied by, of shape ``(members, in, out)``."""
        return self.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(self.bias, x, self.matrix)

    def record(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.forward(x), x

    def collect(
        self, gradient: torch.Tensor, kept: torch.Tensor, gradients: Gradients
    ) -> None:
        self.collect_weight(gradient, kept, gradients)
        gradients.batch_sum(self.bias, gradient)

    def collect_weight(
        self, gradient: torch.Tensor, x: torch.Tensor, gradients: Gradients
    ) -> None:
        """Leave the gradient of the weights."""
        gradients.product(self.weight, x.mT, gradient)

    def pull_back(
        self, gradient: torch.Tensor, kept: torch.Tensor, gradients: Gradients
    ) -> torch.Tensor:
        self.collect(gradient, kept, gradients)
        return torch.bmm(gradient, self.matrix.mT)


class CodingLayer(nn.Module):
    """A layer of an encoder, which has a counterpart in the decoder."""

    def mirrored(self, generator: torch.Generator) -> nn.Module:
        """Return a new layer from this one's outputs to its inputs."""
        raise NotImplementedError

    def transposed(self, generator: torch.Generator) -> nn.Module:
        """Return the layer back that has the very same weights."""
        raise NotImplementedError


class MemberLinear(Affine, CodingLayer):
    """One affine map per member.

    Weights are stored as ``(members, in, out)``, the order in which the product reads
    them.
    """

    def __init__(
        self, n_in: int, n_out: int, *, members: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        draw = partial(uniform_parameter, fan_in=n_in, generator=generator)
        self.weight = draw(members, n_in, n_out)
        self.bias = draw(members, 1, n_out)

    def mirrored(self, generator: torch.Generator) -> MemberLinear:
        """Return a new layer from this one's outputs to its inputs."""
        members, n_in, n_out = self.weight.shape
        return MemberLinear(n_out, n_in, members=members, generator=generator)

    def transposed(self, generator: torch.Generator) -> TransposedLinear:
        """Return the layer back that has the very same weights."""
        return TransposedLinear(self, generator=generator)


class TransposedLinear(Affine):
    """The transpose of another layer, by its very weights, and a bias of its own."""

    def __init__(self, layer: MemberLinear, *, generator: torch.Generator) -> None:
        super().__init__()
        members, n_out, n_in = layer.weight.shape
        self.weight = layer.weight
        self.bias = uniform_parameter(
            members, 1, n_out, fan_in=n_in, generator=generator
        )

    @property
    def matrix(self) -> torch.Tensor:
        return self.weight.mT

    def collect_weight(
        self, gradient: torch.Tensor, x: torch.Tensor, gradients: Gradients
    ) -> None:
        gradients.product(self.weight, gradient.mT, x)


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
        self.connectivity = connectivity
        self.kept: torch.Tensor
        self.register_buffer("kept", kept)

    @property
    def matrix(self) -> torch.Tensor:
        return self.weight * self.kept

    def collect_weight(
        self, gradient: torch.Tensor, x: torch.Tensor, gradients: Gradients
    ) -> None:
        gradients.values(self.weight, torch.bmm(x.mT, gradient) * self.kept)

    def mirrored(self, generator: torch.Generator) -> ThinnedLinear:
        members, n_in, n_out = self.weight.shape
        return ThinnedLinear(
            n_out,
            n_in,
            connectivity=self.connectivity,
            members=members,
            generator=generator,
        )


class Gain(Differentiable):
    """A factor for each feature.

    Parameters
    ----------
    gain : tensor of shape (members, 1, n_features)
        Factors to begin with.
    """

    def __init__(self, gain: torch.Tensor) -> None:
        super().__init__()
        self.gain = nn.Parameter(gain)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gain

    def record(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.forward(x), x

    def collect(
        self, gradient: torch.Tensor, kept: torch.Tensor, gradients: Gradients
    ) -> None:
        gradients.batch_sum(self.gain, gradient * kept)

    def pull_back(
        self, gradient: torch.Tensor, kept: torch.Tensor, gradients: Gradients
    ) -> torch.Tensor:
        self.collect(gradient, kept, gradients)
        return gradient * self.gain
