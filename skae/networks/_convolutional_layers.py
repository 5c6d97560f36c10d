"""Convolutions with a member axis, of images that are flattened as numpy does.

The channels of a pixel lie side by side, which is torch's memory format
``channels_last``: an image is a view of its row, and nothing is copied between layers.
In float32 on the CPU this was also the faster of both formats.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from skae.networks._images import ImageShape
from skae.networks._layers import CodingLayer, uniform_parameter


class MemberConvolution(CodingLayer):
    """One strided convolution per member.

    Images are padded with zeros, as few as let the windows reach every pixel.

    Parameters
    ----------
    input_shape : tuple of int
        Height, width and channels.
    channels : int
        Channels of the output.
    kernel_size, stride : int
        Side of a window, and the step to the next one: no more than the side.

    Attributes
    ----------
    output_shape : tuple of int
    """

    def __init__(
        self,
        input_shape: ImageShape,
        channels: int,
        *,
        kernel_size: int,
        stride: int,
        members: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        *sides, channels_in = input_shape
        padding = [_padding(side, kernel_size, stride) for side in sides]
        height, width = (
            (side + 2 * p - kernel_size) // stride + 1
            for side, p in zip(sides, padding, strict=True)
        )
        self.input_shape, self.output_shape = input_shape, (height, width, channels)
        self.stride, self.padding = stride, padding
        shape = channels, channels_in, kernel_size, kernel_size
        fan_in = channels_in * kernel_size**2
        self.weight = uniform_parameter(
            members, *shape, fan_in=fan_in, generator=generator
        )
        self.bias = uniform_parameter(
            members, channels, fan_in=fan_in, generator=generator
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return for_each_member(self._convolve, x, self.weight, self.bias)

    def _convolve(
        self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        images = _images(x, self.input_shape)
        return _rows(functional.conv2d(images, weight, bias, self.stride, self.padding))

    def mirrored(self, generator: torch.Generator) -> MemberTransposedConvolution:
        """Return a new layer from this one's outputs to its inputs."""
        return MemberTransposedConvolution(self, generator=generator)

    def transposed(self, generator: torch.Generator) -> MemberTransposedConvolution:
        """Return the layer back that has the very same weights."""
        back = self.mirrored(generator)
        back.weight = self.weight
        return back


class MemberTransposedConvolution(nn.Module):
    """From the outputs of a convolution back to images like its inputs.

    Parameters
    ----------
    convolution : MemberConvolution
        The convolution to mirror. With its weights instead of new ones, which have the
        same shape, this is its transpose.
    """

    def __init__(
        self, convolution: MemberConvolution, *, generator: torch.Generator
    ) -> None:
        super().__init__()
        shape = convolution.weight.shape
        members, channels_in, channels, kernel_size, _ = shape
        self.input_shape = convolution.output_shape
        self.output_shape = convolution.input_shape
        self.stride, self.padding = convolution.stride, convolution.padding
        # What a size loses to rounding in the convolution comes back on one side.
        self.output_padding = [
            large - ((small - 1) * self.stride - 2 * p + kernel_size)
            for small, large, p in zip(
                self.input_shape[:2], self.output_shape[:2], self.padding, strict=True
            )
        ]
        # So many windows overlap in a pixel.
        fan_in = channels_in * (kernel_size / self.stride) ** 2
        self.weight = uniform_parameter(*shape, fan_in=fan_in, generator=generator)
        self.bias = uniform_parameter(
            members, channels, fan_in=fan_in, generator=generator
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return for_each_member(self._convolve, x, self.weight, self.bias)

    def _convolve(
        self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        return _rows(
            functional.conv_transpose2d(
                _images(x, self.input_shape),
                weight,
                bias,
                self.stride,
                self.padding,
                self.output_padding,
            )
        )


def _padding(side: int, kernel_size: int, stride: int) -> int:
    windows = math.ceil(side / stride)
    uncovered = (windows - 1) * stride + kernel_size - side
    return math.ceil(uncovered / 2)


def _images(rows: torch.Tensor, shape: ImageShape) -> torch.Tensor:
    return rows.unflatten(1, shape).permute(0, 3, 1, 2)


def _rows(images: torch.Tensor) -> torch.Tensor:
    return images.permute(0, 2, 3, 1).flatten(1)


def for_each_member(
    function: Callable[..., torch.Tensor], *tensors: torch.Tensor
) -> torch.Tensor:
    """Apply a function to the parts of each member; a grouped convolution is slower."""
    if len(tensors[0]) == 1:
        # Views, where a stack would copy.
        return function(*(tensor.squeeze(0) for tensor in tensors)).unsqueeze(0)
    parts = zip(*(tensor.unbind() for tensor in tensors), strict=True)
    return torch.stack([function(*part) for part in parts])
