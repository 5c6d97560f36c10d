"""The convolutional network without a code, against torch's own layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from skae.networks import ConvolutionalNetwork
from skae.networks._convolutional_map import ImageConvolution


def build(channels=(3, 3, 4), kernel_size=3, members: int = 2, factor: int = 1):
    """From images of three channels to those of two."""
    spec = ConvolutionalNetwork((5, 6), channels, kernel_size, activation="tanh")
    return spec.build_map(
        (5, 6, 3),
        (5 * factor, 6 * factor, 2),
        members=members,
        generator=torch.Generator().manual_seed(0),
    )


def images(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def layers_of(module: nn.Module) -> list[ImageConvolution]:
    return [part for part in module.modules() if isinstance(part, ImageConvolution)]


@pytest.mark.parametrize("factor", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("size", [(5, 6), (9, 4), (1, 1)])
def test_is_made_of_torchs_layers(
    factor: int, kernel_size: int, size: tuple[int, int]
) -> None:
    module = build(kernel_size=kernel_size, factor=factor)
    x = images(2, 4, *size, 3)
    output = module(x)
    assert output.shape == (2, 4, size[0] * factor, size[1] * factor, 2)
    for member in range(2):
        y = x[member].movedim(-1, 1)
        for layer in layers_of(module):
            weight, bias = layer.weight[member], layer.bias[member]
            convolved = nn.functional.conv2d(y, weight, bias, padding="same")
            if layer is layers_of(module)[-1]:
                y = nn.PixelShuffle(factor)(convolved)
            else:
                # The third layer has more channels than it sees.
                skip = y if weight.shape[0] == weight.shape[1] else 0
                y = skip + convolved.tanh()
        torch.testing.assert_close(output[member], y.movedim(1, -1))


@pytest.mark.parametrize("factor", [1, 2])
def test_zero_output(factor: int) -> None:
    module = build(factor=factor)
    module.zero_output_()
    assert not module(images(2, 4, 5, 6, 3)).any()


@pytest.mark.parametrize("factor", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_radius_holds_all_that_a_pixel_depends_on(
    factor: int, kernel_size: int
) -> None:
    """In pixels of the input, whichever of those that one becomes it is."""
    module = build(kernel_size=kernel_size, members=1, factor=factor)
    x = images(1, 1, 41, 41, 3).requires_grad_()
    output = module(x)[0, 0]
    output[20 * factor, 20 * factor + factor - 1].sum().backward()
    rows, columns = x.grad[0, 0].abs().sum(-1).nonzero().T
    for seen in (rows, columns):
        assert seen.min() == 20 - module.radius
        assert seen.max() == 20 + module.radius


def test_pixels_that_one_becomes_lie_beside_each_other() -> None:
    """Written out, for the order of the channels of the last layer."""
    module = build(channels=(), kernel_size=1, members=1, factor=2)
    x = images(1, 1, 3, 4, 3)
    (last,) = layers_of(module)
    weight, bias = last.weight[0, :, :, 0, 0], last.bias[0]
    values = x[0, 0] @ weight.T + bias
    output = module(x)[0, 0]
    for row in range(6):
        for column in range(8):
            phase = 2 * (row % 2) + column % 2
            torch.testing.assert_close(
                output[row, column], values[row // 2, column // 2, phase::4]
            )


@pytest.mark.parametrize("factor, width, hidden", [(1, 16, 4), (2, 32, 3), (3, 32, 3)])
def test_defaults(factor: int, width: int, hidden: int) -> None:
    module = ConvolutionalNetwork((5, 6)).build_map(
        (5, 6, 2),
        (5 * factor, 6 * factor, 1),
        members=1,
        generator=torch.Generator(),
    )
    shapes = [tuple(layer.weight.shape[1:]) for layer in layers_of(module)]
    assert shapes == [
        (width, 2, 3, 3),
        *[(width, width, 3, 3)] * (hidden - 1),
        (factor**2, width, 3, 3),
    ]


@pytest.mark.parametrize(
    "image_shape, n_features, shape",
    [
        ((8, 8), 64, (8, 8, 1)),
        ((8, 6, 1), 48, (8, 6, 1)),
        ((8, 6, 3), 144, (8, 6, 3)),
    ],
)
def test_a_row_is_seen_as_an_image(
    image_shape: tuple[int, ...], n_features: int, shape: tuple[int, ...]
) -> None:
    assert ConvolutionalNetwork(image_shape).row_shape(n_features) == shape
