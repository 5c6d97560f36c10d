"""The convolutional network without a code, against torch's own layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from skae.networks import ConvolutionalNetwork


def build(channels=(3, 3, 4), kernel_size=3, members: int = 2):
    spec = ConvolutionalNetwork((5, 6), channels, kernel_size, activation="tanh")
    return spec.build(
        (5, 6, 3),
        (5, 6, 2),
        members=members,
        generator=torch.Generator().manual_seed(0),
    )


def images(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("size", [(5, 6), (9, 4), (1, 1)])
def test_is_made_of_torchs_convolutions(
    kernel_size: int, size: tuple[int, int]
) -> None:
    module, x = build(kernel_size=kernel_size), images(2, 4, *size, 3)
    output = module({"input": x})["output"]
    assert output.shape == (2, 4, *size, 2)
    for member in range(2):
        y = x[member].movedim(-1, 1)
        for layer in (*module.hidden, module.last):
            weight, bias = layer.weight[member], layer.bias[member]
            convolved = nn.functional.conv2d(y, weight, bias, padding="same")
            if layer is module.last:
                y = convolved
            else:
                # The third layer has more channels than it sees.
                skip = y if weight.shape[0] == weight.shape[1] else 0
                y = skip + convolved.tanh()
        torch.testing.assert_close(output[member], y.movedim(1, -1))


def test_zero_output() -> None:
    module = build()
    module.zero_output_()
    assert not module({"input": images(2, 4, 5, 6, 3)})["output"].any()


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_radius_holds_all_that_a_pixel_depends_on(kernel_size: int) -> None:
    module = build(kernel_size=kernel_size, members=1)
    x = images(1, 1, 41, 41, 3).requires_grad_()
    module({"input": x})["output"][0, 0, 20, 20].sum().backward()
    rows, columns = x.grad[0, 0].abs().sum(-1).nonzero().T
    for seen in (rows, columns):
        assert seen.min() == 20 - module.radius
        assert seen.max() == 20 + module.radius


def test_defaults() -> None:
    module = ConvolutionalNetwork((5, 6)).build(
        (5, 6, 2), (5, 6, 1), members=1, generator=torch.Generator()
    )
    shapes = [tuple(layer.weight.shape[1:]) for layer in (*module.hidden, module.last)]
    assert shapes == [(16, 2, 3, 3), (16, 16, 3, 3), (16, 16, 3, 3), (1, 16, 3, 3)]


@pytest.mark.parametrize(
    "image_shape, n_in, n_out, shapes",
    [
        ((8, 8), 64, 64, ((8, 8, 1), (8, 8, 1))),
        ((8, 6, 3), 144, 144, ((8, 6, 3), (8, 6, 3))),
        ((8, 8), 16, 64, ((4, 4, 1), (8, 8, 1))),
        ((9, 6, 2), 12, 108, ((3, 2, 2), (9, 6, 2))),
    ],
)
def test_row_shapes(image_shape, n_in: int, n_out: int, shapes) -> None:
    assert ConvolutionalNetwork(image_shape).row_shapes(n_in, n_out) == shapes
