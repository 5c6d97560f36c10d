"""Convolutions with a member axis, of images that are flattened as numpy does.

The channels of a pixel lie side by side, which is torch's memory format
``channels_last``: an image is a view of its row, and nothing is copied between layers.
In float32 on the CPU this was also the faster of both formats.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from skae.networks._images import ImageShape
from skae.networks._layers import CodingLayer, uniform_parameter
from skae.networks._pullback import Differentiable, Gradients


class Geometry(NamedTuple):
    """Where the windows of a convolution lie, in the order that torch takes it."""

    stride: Sequence[int]
    padding: Sequence[int]
    dilation: Sequence[int] = (1, 1)
    transposed: bool = False
    output_padding: Sequence[int] = (0, 0)
    groups: int = 1


class Convolution(Differentiable):
    """A convolution, or its transpose, for each member.

    Takes and returns images ``(members, batch, height, width, channels)``. A loop over
    the members was faster than a grouped convolution.
    """

    weight: nn.Parameter
    bias: nn.Parameter
    geometry: Geometry

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = zip(x, self.weight, self.bias, strict=True)
        return _joined(
            [
                _last(torch.convolution(_first(images), weight, bias, *self.geometry))
                for images, weight, bias in parts
            ]
        )

    def record(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.forward(x), x

    def collect(
        self, gradient: torch.Tensor, kept: torch.Tensor, gradients: Gradients
    ) -> None:
        self._way_back(gradient, kept, gradients, [False, True, True])

    def pull_back(
        self, gradient: torch.Tensor, kept: torch.Tensor, gradients: Gradients
    ) -> torch.Tensor:
        of_images = self._way_back(gradient, kept, gradients, [True, True, True])
        return _joined([_last(images) for images in of_images])

    def _way_back(
        self,
        gradient: torch.Tensor,
        x: torch.Tensor,
        gradients: Gradients,
        wanted: list[bool],
    ) -> tuple[torch.Tensor, ...]:
        """Leave the gradients of the parameters; return those of the images.

        Parameters
        ----------
        wanted : list of bool
            Which gradients: of the images, of the weights, and of the biases.
        """
        of_members = [
            torch.ops.aten.convolution_backward.default(
                _first(own),
                _first(images),
                weight,
                self.bias.shape[1:],
                *self.geometry,
                wanted,
            )
            for own, images, weight in zip(gradient, x, self.weight, strict=True)
        ]
        of_images, of_weights, of_biases = zip(*of_members, strict=True)
        gradients.values(self.weight, _joined(of_weights))
        gradients.values(self.bias, _joined(of_biases))
        return of_images


class RowConvolution(Convolution):
    """One of images that are flattened to rows ``(members, batch, n)``.

    Attributes
    ----------
    input_shape, output_shape : tuple of int
        Height, width and channels.
    """

    input_shape: ImageShape
    output_shape: ImageShape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.unflatten(2, self.input_shape)).flatten(2)

    def record(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.forward(x), x

    def collect(
        self, gradient: torch.Tensor, kept: torch.Tensor, gradients: Gradients
    ) -> None:
        super().collect(*self._images(gradient, kept), gradients)

    def pull_back(
        self, gradient: torch.Tensor, kept: torch.Tensor, gradients: Gradients
    ) -> torch.Tensor:
        return super().pull_back(*self._images(gradient, kept), gradients).flatten(2)

    def _images(
        self, gradient: torch.Tensor, x: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return (
            gradient.unflatten(2, self.output_shape),
            x.unflatten(2, self.input_shape),
        )


class MemberConvolution(RowConvolution, CodingLayer):
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
        self.geometry = Geometry((stride, stride), padding)
        shape = channels, channels_in, kernel_size, kernel_size
        fan_in = channels_in * kernel_size**2
        self.weight = uniform_parameter(
            members, *shape, fan_in=fan_in, generator=generator
        )
        self.bias = uniform_parameter(
            members, channels, fan_in=fan_in, generator=generator
        )

    def mirrored(self, generator: torch.Generator) -> MemberTransposedConvolution:
        """Return a new layer from this one's outputs to its inputs."""
        return MemberTransposedConvolution(self, generator=generator)

    def transposed(self, generator: torch.Generator) -> MemberTransposedConvolution:
        """Return the layer back that has the very same weights."""
        back = self.mirrored(generator)
        back.weight = self.weight
        return back


class MemberTransposedConvolution(RowConvolution):
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
        (stride, _), padding, *_ = convolution.geometry
        # What a size loses to rounding in the convolution comes back on one side.
        output_padding = [
            large - ((small - 1) * stride - 2 * p + kernel_size)
            for small, large, p in zip(
                self.input_shape[:2], self.output_shape[:2], padding, strict=True
            )
        ]
        self.geometry = Geometry(
            (stride, stride), padding, transposed=True, output_padding=output_padding
        )
        # So many windows overlap in a pixel.
        fan_in = channels_in * (kernel_size / stride) ** 2
        self.weight = uniform_parameter(*shape, fan_in=fan_in, generator=generator)
        self.bias = uniform_parameter(
            members, channels, fan_in=fan_in, generator=generator
        )


def _padding(side: int, kernel_size: int, stride: int) -> int:
    windows = math.ceil(side / stride)
    uncovered = (windows - 1) * stride + kernel_size - side
    return math.ceil(uncovered / 2)


def _first(images: torch.Tensor) -> torch.Tensor:
    """Images with the channels before height and width, as torch's operations take."""
    return images.permute(0, 3, 1, 2)


def _last(images: torch.Tensor) -> torch.Tensor:
    return images.permute(0, 2, 3, 1)


def _joined(of_members: Sequence[torch.Tensor]) -> torch.Tensor:
    """Stack what belongs to members; that of a single one is a view, not a copy."""
    if len(of_members) == 1:
        return of_members[0][None]
    return torch.stack([*of_members])
