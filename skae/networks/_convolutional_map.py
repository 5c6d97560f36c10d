"""Convolutions from images to images, whatever their height and width.

An image is enlarged by the last layer, which gives each pixel all those that it
becomes: convolutions of the small image cost less, and did better, than those of one
that is enlarged before.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from skae.networks._convolutional_layers import for_each_member
from skae.networks._layers import NetworkModule, uniform_parameter, zero_


class ImageConvolution(nn.Module):
    """One convolution per member; height and width stay as they are.

    Images have the shape ``(members, batch, height, width, channels)``. Beyond the
    border lie zeros.

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
        shape = members, channels, channels_in, kernel_size, kernel_size
        fan_in = channels_in * kernel_size**2
        self.weight = uniform_parameter(*shape, fan_in=fan_in, generator=generator)
        self.bias = uniform_parameter(*shape[:2], fan_in=fan_in, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return for_each_member(self._convolve, x, self.weight, self.bias)

    def _convolve(
        self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        images = x.permute(0, 3, 1, 2)
        convolved = functional.conv2d(images, weight, bias, padding=self.radius)
        return convolved.permute(0, 2, 3, 1)


class ConvolutionalMap(NetworkModule):
    """A stack of convolutions; a hidden layer adds to what it sees where it can.

    Parameters
    ----------
    layers : sequence of ImageConvolution
        The last one has as many channels as the pixels that a pixel becomes.
    activation : type of nn.Module
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
        activation: type[nn.Module],
        factor: int = 1,
    ) -> None:
        super().__init__()
        *hidden, last = layers
        self.hidden = nn.ModuleList(hidden)
        self.last = last
        self.activation = activation()
        self.factor = factor
        self.radius = sum(layer.radius for layer in layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.hidden:
            y = self.activation(layer(x))
            x = x + y if x.shape == y.shape else y
        return self._enlarged(self.last(x))

    def zero_output_(self) -> None:
        """Make the stack return zero."""
        zero_(self.last)

    def _enlarged(self, x: torch.Tensor) -> torch.Tensor:
        if self.factor == 1:
            return x
        return functional.pixel_shuffle(x.movedim(-1, -3), self.factor).movedim(-3, -1)
