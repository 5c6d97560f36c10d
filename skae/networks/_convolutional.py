"""Convolutional network: the specification."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral
from typing import ClassVar

import torch
from torch import nn

from skae.networks._autoencoder import StackedAutoencoder, TiedAutoencoder
from skae.networks._convolutional_layers import (
    ImageShape,
    MemberConvolution,
)
from skae.networks._layers import (
    MemberLinear,
    activation_named,
    positive_integers,
)
from skae.networks._network import Network


class ConvolutionalNetwork(Network):
    """Strided convolutions and dense layers, for tables whose rows are images.

    The encoder's convolutions make an image smaller and give it more channels; a dense
    layer follows, and the code. The decoder is the mirror image, with transposed
    convolutions. Any height and width will do.

    Parameters
    ----------
    image_shape : (int, int) or (int, int, int)
        Height and width of an image or, with more than one channel, height, width and
        channels: the shape of the numpy array that was flattened to a row.
    channels : sequence of int, default=(8, 16)
        Channels after each of the encoder's convolutions.
    kernel_size : int, default=4
        Height and width of the window of every convolution, in pixels.
    stride : int, default=2
        Step from one window to the next, in pixels; every convolution divides height
        and width by it.
    hidden_size : int or None, default=128
        Width of the dense layer between the convolutions and the code. None: none.
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
    skae.networks.DenseNetwork : For rows of any other kind.

    References
    ----------
    .. [1] J. Masci, U. Meier, D. Cireşan and J. Schmidhuber, "Stacked convolutional
       auto-encoders for hierarchical feature extraction", ICANN 2011.
    .. [2] V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
       learning", arXiv:1603.07285, 2016.

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
        channels: Sequence[int] = (8, 16),
        kernel_size: int = 4,
        stride: int = 2,
        hidden_size: int | None = 128,
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

    def build(
        self,
        input_shape: tuple[int],
        output_shape: tuple[int],
        n_components: int | None = None,
        *,
        members: int,
        generator: torch.Generator,
    ) -> StackedAutoencoder:
        if n_components is None or input_shape != output_shape:
            raise ValueError(
                "network=ConvolutionalNetwork(...) decodes a code to images like those "
                "it encodes; pass a DenseNetwork to an estimator without a code."
            )
        activation = activation_named(self.activation)
        code_activation = activation_named(self.code_activation, "code_activation")
        draws = {"members": members, "generator": generator}

        shape = self._check_image_shape(*input_shape)
        window = self._check_window(shape)
        layers: list[nn.Module] = []
        for channels in positive_integers(self.channels, "channels"):
            layers.append(MemberConvolution(shape, channels, **window, **draws))
            shape = layers[-1].output_shape
        widths = [math.prod(shape), *self._check_hidden_size(), n_components]
        layers += [MemberLinear(a, b, **draws) for a, b in pairwise(widths)]
        kind = TiedAutoencoder if self.tied_weights else StackedAutoencoder
        return kind(layers, activation, code_activation, generator=generator)

    def _check_image_shape(self, n_features: int) -> ImageShape:
        """Return height, width and channels."""
        allowed = "(height, width) or (height, width, channels), positive integers"
        shape = positive_integers(self.image_shape, "image_shape", allowed)
        if len(shape) not in (2, 3):
            raise ValueError(
                f"image_shape must be {allowed}, got {self.image_shape!r}."
            )
        height, width, channels = shape if len(shape) == 3 else (*shape, 1)
        if height * width * channels == n_features:
            return height, width, channels
        remedy = "set it to that of the images that were flattened to rows"
        found, rest = divmod(n_features, height * width)
        if not rest:
            fitting = (height, width) if found == 1 else (height, width, found)
            remedy = f"for {found} channel(s), as X has, set it to {fitting}"
        raise ValueError(
            f"image_shape={self.image_shape!r} means {math.prod(shape)} features, but "
            f"X has {n_features}; {remedy}."
        )

    def _check_window(self, shape: ImageShape) -> dict[str, int]:
        """Return size and step of the windows; they must fit the image and overlap."""
        size, step = self.kernel_size, self.stride
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
        return {"kernel_size": int(size), "stride": int(step)}

    def _check_hidden_size(self) -> list[int]:
        """Return the widths of the dense hidden layers: one or none."""
        if self.hidden_size is None:
            return []
        if not isinstance(self.hidden_size, Integral) or self.hidden_size < 1:
            raise ValueError(
                "hidden_size must be a positive integer or None, got "
                f"{self.hidden_size!r}."
            )
        return [int(self.hidden_size)]
