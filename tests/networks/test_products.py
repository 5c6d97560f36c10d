"""The work of a network: multiplications in a pass of one row, of all members."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from skae.networks import (
    Autoencoder,
    ConvolutionalNetwork,
    DenseNetwork,
    Network,
    products_of,
)

GENERATOR = torch.Generator().manual_seed(0)


def autoencoder(network: Network, n_features: int, members: int = 1) -> nn.Module:
    return network.build_autoencoder(
        n_features, 2, members=members, generator=GENERATOR
    )


def image_map(
    network: Network, shape: tuple[int, ...], factor: int = 1, members: int = 1
) -> nn.Module:
    """To images of one channel, enlarged by a factor."""
    clean = shape[0] * factor, shape[1] * factor, 1
    return network.build_map(shape, clean, members=members, generator=GENERATOR)


class TestByHand:
    @pytest.mark.parametrize("members", [1, 3])
    @pytest.mark.parametrize("tied_weights", [False, True])
    def test_dense_autoencoder(self, members: int, tied_weights: bool) -> None:
        """From 5 over 7 to 2, and back."""
        network = DenseNetwork((7,), tied_weights=tied_weights)
        encoder = 5 * 7 + 7 * 2
        assert products_of(autoencoder(network, 5, members)) == members * 2 * encoder

    @pytest.mark.parametrize("members", [1, 3])
    def test_dense_map(self, members: int) -> None:
        module = DenseNetwork((7,)).build_map(
            (6,), (3,), members=members, generator=GENERATOR
        )
        assert products_of(module) == members * (6 * 7 + 7 * 3)

    def test_missing_connections_are_multiplied_by_zero(self) -> None:
        network = DenseNetwork((7,), connectivity=0.5)
        assert products_of(autoencoder(network, 5)) == 2 * (5 * 7 + 7 * 2)

    @pytest.mark.parametrize("members", [1, 3])
    @pytest.mark.parametrize("tied_weights", [False, True])
    def test_convolutional_autoencoder(self, members: int, tied_weights: bool) -> None:
        """Every pixel that a convolution makes, or starts from, takes all weights.

        6 x 4 pixels become 3 x 2 of three channels by windows of 4 x 4; these are 18
        values, then 5, then the code of 2.
        """
        network = ConvolutionalNetwork(
            (6, 4), (3,), 4, 2, hidden_size=5, tied_weights=tied_weights
        )
        encoder = (3 * 4 * 4) * (3 * 2) + 18 * 5 + 5 * 2
        assert products_of(autoencoder(network, 24, members)) == members * 2 * encoder

    @pytest.mark.parametrize("members", [1, 3])
    def test_convolutional_map(self, members: int) -> None:
        """Windows of 3 x 3 around 5 x 6 pixels, from 2 channels to 3, 4 and 1."""
        network = ConvolutionalNetwork((5, 6), (3, 4))
        weights = (2 * 3 + 3 * 4 + 4 * 1) * 9
        module = image_map(network, (5, 6, 2), members=members)
        assert products_of(module) == members * weights * 30

    def test_an_enlarged_image_is_made_of_small_ones(self) -> None:
        """Four channels of the last layer are the pixels that one becomes."""
        module = image_map(ConvolutionalNetwork((10, 12), (3,)), (5, 6, 2), factor=2)
        assert products_of(module) == (2 * 3 + 3 * 4) * 9 * 30

    def test_weights_alone_say_little_of_an_image(self) -> None:
        """An image denoiser with the default network, where rows are 28 x 28."""
        module = image_map(ConvolutionalNetwork((28, 28)), (28, 28, 1))
        weights = (16 + 16 * 16 + 16 * 16 + 16) * 9
        assert products_of(module) == weights * 28 * 28


@pytest.mark.parametrize(
    "module, input_shape",
    [
        (autoencoder(DenseNetwork((9, 6), tied_weights=True), 70, 2), (70,)),
        (autoencoder(ConvolutionalNetwork((7, 5, 2), (3, 4), 3, 2), 70, 2), (70,)),
        (
            autoencoder(ConvolutionalNetwork((7, 5, 2), tied_weights=True), 70, 2),
            (70,),
        ),
        (image_map(ConvolutionalNetwork((5, 6)), (5, 6, 2), members=2), (5, 6, 2)),
        (image_map(ConvolutionalNetwork((9, 6)), (3, 2, 2), factor=3), (3, 2, 2)),
    ],
    ids=["dense", "convolutional", "tied", "map", "enlarging"],
)
def test_are_as_many_as_torch_counts(
    module: nn.Module, input_shape: tuple[int, ...]
) -> None:
    """It counts a multiplication and an addition for each."""
    members = len(next(module.parameters()))
    x = torch.zeros(members, 1, *input_shape, dtype=torch.float64)
    batch = {"input": x} if isinstance(module, Autoencoder) else x
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(batch)
    assert 2 * products_of(module) == counter.get_total_flops()
