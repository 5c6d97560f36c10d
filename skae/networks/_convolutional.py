"""Convolutional network: the specification."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from numbers import Integral
from typing import ClassVar, Literal

import torch

from skae.networks._activations import activation_named
from skae.networks._autoencoder import StackedAutoencoder, TiedAutoencoder
from skae.networks._convolutional_layers import MemberConvolution
from skae.networks._convolutional_map import ConvolutionalMap, ImageConvolution
from skae.networks._images import ImageShape, image_shape_of
from skae.networks._layers import (
    CodingLayer,
    MemberLinear,
    Stack,
    blocks_of,
    positive_integers,
)
from skae.networks._network import Network, check_no_code


class ConvolutionalNetwork(Network):
    """Convolutions, for tables whose rows are images.

    In an estimator with a code, the encoder's convolutions make an image smaller and
    give it more channels; a dense layer follows, and the code. The decoder is the
    mirror image, with transposed convolutions. Any height and width will do.

    In an estimator without a code, :class:`~skae.DenoisingTransformer`, images keep
    their height and width from layer to layer, and a layer with as many channels as
    the one before adds to it. Such a network takes images of any size.

    Parameters
    ----------
    image_shape : (int, int) or (int, int, int)
        Height and width of an image or, with more than one channel, height, width and
        channels: the shape of the numpy array that was flattened to a row. Without a
        code, that of the clean image.
    channels : "auto" or sequence of int, default="auto"
        Channels after each of the encoder's convolutions or, without a code, after each
        but the last. ``"auto"`` takes (8, 16) with a code; without, (16, 16, 16, 16)
        or, for images that are enlarged, (32, 32, 32).
    kernel_size : "auto" or int, default="auto"
        Height and width of the window of every convolution, in pixels; odd without a
        code. ``"auto"`` takes 4 with a code and 3 without.
    stride : "auto" or int, default="auto"
        Step from one window to the next, in pixels; every convolution divides height
        and width by it. ``"auto"`` takes 2 with a code. Without a code it is always 1.
    hidden_size : "auto", int or None, default="auto"
        Width of the dense layer between the convolutions and the code. None: none;
        ``"auto"``: 128. Only with a code.
    activation : {"identity", "logistic", "tanh", "relu", "elu", "selu", "gelu", \
            "silu"}, default="silu"
        Activation function of the hidden layers. The output is linear.
    tied_weights : bool, default=False
        Whether the decoder's layers have the transposed weights of the encoder's, and
        only biases of their own: half the weights. The transpose of a convolution is
        the transposed convolution with the same kernels.
    code_activation : str, default="identity"
        Activation function of the code, one of those of `activation`. Any but
        ``"identity"`` needs ``start=None``.

    See Also
    --------
    skae.AutoencoderTransformer : Trains it to encode and decode.
    skae.DenoisingTransformer : Trains it to clean images.
    skae.networks.DenseNetwork : For rows of any other kind.

    References
    ----------
    .. [1] J. Masci, U. Meier, D. Cireşan and J. Schmidhuber, "Stacked convolutional
       auto-encoders for hierarchical feature extraction", ICANN 2011.
    .. [2] V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
       learning", arXiv:1603.07285, 2016.
    .. [3] K. Zhang, W. Zuo, Y. Chen, D. Meng and L. Zhang, "Beyond a Gaussian denoiser:
       residual learning of deep CNN for image denoising", IEEE Transactions on Image
       Processing 26, 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> from skae.networks import ConvolutionalNetwork
    >>> X = load_digits().data[:200]
    >>> network = ConvolutionalNetwork(image_shape=(8, 8), hidden_size=32)
    >>> reducer = AutoencoderTransformer(4, network=network, max_iter=2)
    >>> reducer.fit_transform(X).shape
    (200, 4)
    """

    rotation_invariant: ClassVar[bool] = False

    def __init__(
        self,
        image_shape: tuple[int, int] | tuple[int, int, int],
        channels: Literal["auto"] | Sequence[int] = "auto",
        kernel_size: Literal["auto"] | int = "auto",
        stride: Literal["auto"] | int = "auto",
        hidden_size: Literal["auto"] | int | None = "auto",
        activation: str = "silu",
        tied_weights: bool = False,
        code_activation: str = "identity",
    ) -> None:
        self.image_shape = image_shape
        self.channels = channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.hidden_size = hidden_size
        self.activation = activation
        self.tied_weights = tied_weights
        self.code_activation = code_activation

    def build_autoencoder(
        self,
        n_features: int,
        n_components: int,
        *,
        members: int,
        generator: torch.Generator,
    ) -> StackedAutoencoder:
        kind = TiedAutoencoder if self.tied_weights else StackedAutoencoder
        return kind(
            self._layers(
                n_features, n_components, members=members, generator=generator
            ),
            activation_named(self.activation),
            activation_named(self.code_activation, "code_activation"),
            generator=generator,
        )

    def build_encoder(
        self,
        n_features: int,
        n_outputs: int,
        *,
        members: int,
        generator: torch.Generator,
    ) -> Stack:
        layers = self._layers(
            n_features, n_outputs, members=members, generator=generator
        )
        activation = activation_named(self.activation)
        code_activation = activation_named(self.code_activation, "code_activation")
        return blocks_of(layers, activation, code_activation)

    def build_map(
        self,
        input_shape: tuple[int, ...],
        output_shape: tuple[int, ...],
        *,
        members: int,
        generator: torch.Generator,
    ) -> ConvolutionalMap:
        if len(input_shape) != 3:
            raise ValueError(
                "network=ConvolutionalNetwork(...) needs an estimator that encodes "
                "images or restores them; pass a DenseNetwork to this one."
            )
        check_no_code(self, "stride", "hidden_size", "tied_weights", "code_activation")
        factor = output_shape[0] // input_shape[0]
        # Of images that are enlarged there is less to convolve.
        automatic = [16] * 4 if factor == 1 else [32] * 3
        channels = [
            input_shape[-1],
            *self._check_channels(automatic),
            output_shape[-1] * factor**2,
        ]
        layers = [
            ImageConvolution(
                a,
                b,
                kernel_size=self._check_centred_window(),
                members=members,
                generator=generator,
            )
            for a, b in pairwise(channels)
        ]
        return ConvolutionalMap(layers, activation_named(self.activation), factor)

    def row_shape(
        self, n_features: int, table: str = "X", otherwise: str = ""
    ) -> ImageShape:
        return image_shape_of(self.image_shape, n_features, table, otherwise)

    def _layers(
        self,
        n_features: int,
        n_outputs: int,
        *,
        members: int,
        generator: torch.Generator,
    ) -> list[CodingLayer]:
        """Layers of an encoder: convolutions, then dense ones."""
        shape = self.row_shape(n_features)
        size, step = self._check_window(shape)
        convolve = partial(MemberConvolution, members=members, generator=generator)
        linear = partial(MemberLinear, members=members, generator=generator)
        layers: list[CodingLayer] = []
        for channels in self._check_channels([8, 16]):
            convolution = convolve(shape, channels, kernel_size=size, stride=step)
            layers.append(convolution)
            shape = convolution.output_shape
        widths = [math.prod(shape), *self._check_hidden_size(), n_outputs]
        return layers + [linear(a, b) for a, b in pairwise(widths)]

    def _check_window(self, shape: ImageShape) -> tuple[int, int]:
        """Return size and step of the windows; they must fit the image and overlap."""
        size = 4 if _is_auto(self.kernel_size) else self.kernel_size
        step = 2 if _is_auto(self.stride) else self.stride
        largest = min(shape[:2])
        if not isinstance(size, Integral) or not 1 <= size <= largest:
            raise ValueError(
                "kernel_size must be an integer from 1 to the shorter side of the "
                f"image, {largest}, got {size!r}."
            )
        if not isinstance(step, Integral) or not 1 <= step <= size:
            raise ValueError(
                f"stride must be an integer from 1 to kernel_size={size}, or pixels "
                f"would be skipped, got {step!r}."
            )
        return int(size), int(step)

    def _check_hidden_size(self) -> list[int]:
        """Return the widths of the dense hidden layers: one or none."""
        if _is_auto(self.hidden_size):
            return [128]
        if self.hidden_size is None:
            return []
        if not isinstance(self.hidden_size, Integral) or self.hidden_size < 1:
            raise ValueError(
                "hidden_size must be 'auto', a positive integer or None, got "
                f"{self.hidden_size!r}."
            )
        return [int(self.hidden_size)]

    def _check_channels(self, automatic: list[int]) -> list[int]:
        if isinstance(self.channels, str) and self.channels == "auto":
            return automatic
        allowed = "'auto' or a sequence of positive integers"
        return positive_integers(self.channels, "channels", allowed)

    def _check_centred_window(self) -> int:
        """Return the size of windows that have a pixel in their centre."""
        size = 3 if _is_auto(self.kernel_size) else self.kernel_size
        if not isinstance(size, Integral) or size < 1 or size % 2 == 0:
            raise ValueError(
                "kernel_size must be 'auto' or an odd positive integer in an estimator "
                f"without a code, got {size!r}."
            )
        return int(size)


def _is_auto(value: object) -> bool:
    return isinstance(value, str) and value == "auto"
