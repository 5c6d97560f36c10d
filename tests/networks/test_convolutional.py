"""Convolutional networks: their arithmetic, against torch's own layers, and shapes."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from torch import nn

from skae.networks import ConvolutionalNetwork, MemberConvolution
from skae.networks._autoencoder import StackedAutoencoder


def build(
    spec: ConvolutionalNetwork, n_features: int | None = None, members: int = 2
) -> StackedAutoencoder:
    return spec.build_autoencoder(
        math.prod(spec.image_shape) if n_features is None else n_features,
        3,
        members=members,
        generator=torch.Generator().manual_seed(0),
    )


@st.composite
def convolutions(draw: st.DrawFn) -> MemberConvolution:
    kernel_size = draw(st.integers(1, 5))
    sides = st.integers(1, 12)
    return MemberConvolution(
        (draw(sides), draw(sides), draw(st.integers(1, 3))),
        draw(st.integers(1, 4)),
        kernel_size=kernel_size,
        stride=draw(st.integers(1, kernel_size)),
        members=draw(st.integers(1, 3)),
        generator=torch.Generator().manual_seed(0),
    )


def random_rows(members: int, shape: tuple[int, ...]) -> torch.Tensor:
    """Rows of flattened images."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(members, 4, *shape, generator=generator, dtype=torch.float64)
    return x.flatten(2)


def by_torch(
    layer: nn.Module, module: nn.Module, x: torch.Tensor, member: int
) -> torch.Tensor:
    """Outputs of one member by a module of torch, channels first, with its weights."""
    module.double().load_state_dict(
        {"weight": layer.weight[member], "bias": layer.bias[member]}
    )
    images = x[member].unflatten(1, layer.input_shape).movedim(-1, 1).contiguous()
    return module(images).movedim(1, -1).flatten(1)


@settings(max_examples=60, deadline=None)
@given(convolutions())
def test_convolution_is_that_of_torch(layer: MemberConvolution) -> None:
    members, channels, channels_in, kernel_size, _ = layer.weight.shape
    reference = nn.Conv2d(
        channels_in,
        channels,
        kernel_size,
        layer.geometry.stride[0],
        layer.geometry.padding,
    )
    x = random_rows(members, layer.input_shape)
    output = layer(x)
    assert output.shape == (members, 4, math.prod(layer.output_shape))
    for member in range(members):
        expected = by_torch(layer, reference, x, member)
        torch.testing.assert_close(output[member], expected)


@settings(max_examples=60, deadline=None)
@given(convolutions())
def test_mirrored_convolution_is_that_of_torch(layer: MemberConvolution) -> None:
    back = layer.mirrored(torch.Generator().manual_seed(2))
    members, channels_in, channels, kernel_size, _ = back.weight.shape
    reference = nn.ConvTranspose2d(
        channels_in,
        channels,
        kernel_size,
        back.geometry.stride,
        back.geometry.padding,
        back.geometry.output_padding,
    )
    x = random_rows(members, back.input_shape)
    output = back(x)
    assert output.shape == (members, 4, math.prod(layer.input_shape))
    for member in range(members):
        torch.testing.assert_close(output[member], by_torch(back, reference, x, member))


@settings(max_examples=60, deadline=None)
@given(convolutions())
def test_every_pixel_is_seen_and_drawn(layer: MemberConvolution) -> None:
    """Neither rounding nor padding leaves a pixel out, whatever the sizes."""
    members = len(layer.weight)
    x = random_rows(members, layer.input_shape).requires_grad_()
    (seen,) = torch.autograd.grad(layer(x).square().sum(), x)
    assert seen.all()
    back = layer.mirrored(torch.Generator().manual_seed(2))
    nn.init.zeros_(back.bias)
    assert back(random_rows(members, back.input_shape)).all()


@settings(max_examples=60, deadline=None)
@given(convolutions())
def test_sides_are_divided_by_the_stride(layer: MemberConvolution) -> None:
    for before, after in zip(
        layer.input_shape[:2], layer.output_shape[:2], strict=True
    ):
        # An even kernel at stride one cannot be centred: one window more.
        extra = layer.geometry.stride[0] == 1 and layer.weight.shape[-1] % 2 == 0
        assert after == math.ceil(before / layer.geometry.stride[0]) + extra


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3)),
    st.lists(st.integers(1, 4), max_size=3),
    st.data(),
)
def test_any_image_is_restored_in_its_shape(
    image_shape: tuple[int, int, int], channels: list[int], data: st.DataObject
) -> None:
    kernel_size = data.draw(st.integers(1, min(image_shape[:2])))
    spec = ConvolutionalNetwork(
        image_shape,
        channels,
        kernel_size,
        stride=data.draw(st.integers(1, kernel_size)),
        hidden_size=data.draw(st.sampled_from([None, 5])),
        tied_weights=data.draw(st.booleans()),
    )
    x = random_rows(2, image_shape)
    both = build(spec)({"input": x})
    assert both["code"].shape == (2, 4, 3)
    assert both["output"].shape == x.shape


def test_default_shapes() -> None:
    module = build(ConvolutionalNetwork((28, 28)))
    assert [block[0].weight.shape[1:] for block in module.encoder] == [
        (8, 1, 4, 4),
        (16, 8, 4, 4),
        (16 * 7 * 7, 128),
        (128, 3),
    ]
    assert [block[0].weight.shape[1:] for block in module.decoder] == [
        (3, 128),
        (128, 16 * 7 * 7),
        (16, 8, 4, 4),
        (8, 1, 4, 4),
    ]


def test_one_channel_need_not_be_said() -> None:
    x = random_rows(2, (5, 4))
    one = build(ConvolutionalNetwork((5, 4)))
    other = build(ConvolutionalNetwork((5, 4, 1)))
    assert torch.equal(one({"input": x})["output"], other({"input": x})["output"])


def test_output_keeps_the_scale_of_its_input() -> None:
    """So many inputs add up in an output: uniform weights leave a third of the square.

    At the border it is less, where padding is in the place of inputs.
    """
    layer = MemberConvolution(
        (64, 64, 8),
        16,
        kernel_size=4,
        stride=2,
        members=1,
        generator=torch.Generator().manual_seed(0),
    )
    for one in (layer, layer.mirrored(torch.Generator().manual_seed(1))):
        nn.init.zeros_(one.bias)
        output = one(random_rows(1, one.input_shape))
        torch.testing.assert_close(
            output.square().mean(), torch.tensor(1 / 3).double(), rtol=0.1, atol=0
        )


@pytest.mark.parametrize(
    "image_shape, n_features, message",
    [
        (
            (28, 28),
            100,
            r"image_shape=\(28, 28\) means 784 features, but X has 100; se",
        ),
        (
            (8, 8, 3),
            64,
            r"means 192 features, but X has 64; for 1 .* set it to \(8, 8\)",
        ),
        (
            (8, 8),
            192,
            r"X has 192; for 3 channel\(s\), as X has, set it to \(8, 8, 3\)",
        ),
        ((4, 4), 192, r"set it to \(8, 8, 3\) or, for 12 channels, to \(4, 4, 12\)"),
        ((3, 8, 8), 192, r"channels first; .*moveaxis.* set it to \(8, 8, 3\)"),
        ((64,), 64, r"image_shape must be \(height, width\) or .*got \(64,\)"),
        ((8, 8, 1, 1), 64, r"image_shape must be \(height, width\) or"),
        (64, 64, r"image_shape must be \(height, width\) or .* got 64"),
        ((8.0, 8), 64, r"image_shape must be \(height, width\) or"),
        ((-8, -8), 64, r"image_shape must be \(height, width\) or"),
    ],
)
def test_bad_image_shape(image_shape, n_features: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(ConvolutionalNetwork(image_shape), n_features)


@pytest.mark.parametrize(
    "parameter, value, message",
    [
        ("kernel_size", 6, "integer from 1 to the shorter side of the image, 5, got 6"),
        ("kernel_size", 0, "kernel_size must be an integer from 1"),
        ("kernel_size", (4, 4), "kernel_size must be an integer from 1"),
        ("stride", 5, "stride must be an integer from 1 to kernel_size=4, .* got 5"),
        ("stride", 0, "stride must be an integer from 1"),
        ("stride", 1.5, "stride must be an integer from 1"),
        (
            "channels",
            8,
            "channels must be 'auto' or a sequence of positive integers, got 8",
        ),
        ("channels", (8, 0), "channels must be 'auto' or a sequence of positive"),
        ("channels", (2.5,), "channels must be 'auto' or a sequence of positive"),
        (
            "hidden_size",
            0,
            "hidden_size must be 'auto', a positive integer or None, got 0",
        ),
        ("hidden_size", (128,), "hidden_size must be 'auto', a positive integer"),
    ],
)
def test_bad_parameters(parameter: str, value, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(ConvolutionalNetwork((5, 7), **{parameter: value}))


def test_a_code_is_needed() -> None:
    with pytest.raises(ValueError, match="pass a DenseNetwork to this one"):
        ConvolutionalNetwork((5, 7)).build_map(
            (35,), (35,), members=1, generator=torch.Generator()
        )


def test_specification_holds_parameters_only() -> None:
    spec = ConvolutionalNetwork((5, 7), [3], 2, 1, None, "tanh", True, "logistic")
    parameters = {
        "image_shape": (5, 7),
        "channels": [3],
        "kernel_size": 2,
        "stride": 1,
        "hidden_size": None,
        "activation": "tanh",
        "tied_weights": True,
        "code_activation": "logistic",
    }
    build(spec)
    assert vars(spec) == parameters
    assert clone(spec).get_params() == parameters
