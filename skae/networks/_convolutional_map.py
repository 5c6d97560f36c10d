"""Convolutions from images to images, whatever their height and width.

An image is enlarged by the last layer, which gives each pixel all those that it
becomes: convolutions of the small image cost less, and did better, than those of one
that is enlarged before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from skae.networks._activations import Activation, Identity
from skae.networks._convolutional_layers import Convolution, Geometry
from skae.networks._layers import NetworkModule, uniform_parameter, zero_
from skae.networks._pullback import Differentiable, Gradients, Parts


class ImageConvolution(Convolution):
    """One convolution per member; height and width stay as they are.

    Beyond the border lie zeros.

    Parameters
    ----------
    channels_in, channels : int
    kernel_size : int
        Side of a window, odd.
    """

    def __init__(
        self,
        channels_in: int,
        channels: int,
        *,
        kernel_size: int,
        members: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.radius = kernel_size // 2
        self.geometry = Geometry((1, 1), (self.radius, self.radius))
        shape = members, channels, channels_in, kernel_size, kernel_size
        fan_in = channels_in * kernel_size**2
        self.weight = uniform_parameter(*shape, fan_in=fan_in, generator=generator)
        self.bias = uniform_parameter(*shape[:2], fan_in=fan_in, generator=generator)


class Residual(Parts):
    """Parts that follow each other, and add to what they see."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + super().forward(x)

    def record(self, x: torch.Tensor) -> tuple[torch.Tensor, list[Any]]:
        y, kept = super().record(x)
        return x + y, kept

    def pull_back(
        self, gradient: torch.Tensor, kept: list[Any], gradients: Gradients
    ) -> torch.Tensor:
        return gradient + super().pull_back(gradient, kept, gradients)


class Enlarged(Differentiable):
    """Makes every pixel a square of pixels, one of each part of its channels."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.pixel_shuffle(x.movedim(-1, -3), self.factor).movedim(-3, -1)

    def record(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        return self.forward(x), None

    def pull_back(
        self, gradient: torch.Tensor, kept: None, gradients: Gradients
    ) -> torch.Tensor:
        planes = functional.pixel_unshuffle(gradient.movedim(-1, -3), self.factor)
        return planes.movedim(-3, -1)


class ConvolutionalMap(NetworkModule, Parts):
    """A stack of convolutions; a hidden layer adds to what it sees where it can.

    Parameters
    ----------
    layers : sequence of ImageConvolution
        The last one has as many channels as the pixels that a pixel becomes.
    activation : type of Activation
        Of the hidden layers; the output is linear.
    factor : int
        By which height and width are enlarged.

    Attributes
    ----------
    radius : int
        How far from a pixel lies what its output depends on, in pixels of the input.
    """

    def __init__(
        self,
        layers: Sequence[ImageConvolution],
        activation: type[Activation],
        factor: int = 1,
    ) -> None:
        *hidden, last = layers
        blocks = [_block(layer, activation()) for layer in hidden]
        super().__init__(*blocks, last, Enlarged(factor) if factor > 1 else Identity())
        self.radius = sum(layer.radius for layer in layers)

    def zero_output_(self) -> None:
        """Make the stack return zero."""
        *_, last, _ = self
        zero_(last)


def _block(layer: ImageConvolution, activation: Activation) -> Parts:
    channels, channels_in = layer.weight.shape[1:3]
    kind = Residual if channels == channels_in else Parts
    return kind(layer, activation)
