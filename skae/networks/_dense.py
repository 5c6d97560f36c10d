"""Fully connected network: specification and modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import ClassVar, Literal

import torch

from skae.networks._activations import activation_named
from skae.networks._autoencoder import StackedAutoencoder, TiedAutoencoder
from skae.networks._layers import (
    MemberLinear,
    Stack,
    ThinnedLinear,
    blocks_of,
    layer_widths,
)
from skae.networks._network import Network, check_no_code


class DenseNetwork(Network):
    """Fully connected network, its decoder the mirror image of its encoder.

    Parameters
    ----------
    hidden_layer_sizes : "auto", int or sequence of int, default="auto"
        Widths of the encoder's hidden layers, from the input towards the code; an int
        is a single layer. The decoder has the same widths in reverse. An empty sequence
        makes the network linear. ``"auto"`` takes two layers, twice as wide as the
        input, but at least 80 and at most 128 units; in an estimator without a code,
        such as :class:`~skae.ReconstructionOutlierDetector`, one layer of 64 units.
    activation : {"identity", "logistic", "tanh", "relu", "elu", "selu", "gelu", \
            "silu"}, default="silu"
        Activation function of the hidden layers. The output is linear.
    connectivity : float, default=1.0
        Share of the connections that a layer has, in (0, 1]. Less than one leaves each
        connection out at random, for every member of an ensemble its own [2]_.
    tied_weights : bool, default=False
        Whether the decoder's layers have the transposed weights of the encoder's, and
        only biases of their own: half the weights [3]_.
    code_activation : str, default="identity"
        Activation function of the code, one of those of `activation`. Any but
        ``"identity"`` needs ``start=None``.

    See Also
    --------
    skae.AutoencoderTransformer : Trains it to encode and decode.
    skae.ReconstructionOutlierDetector : Trains several to predict hidden features.

    References
    ----------
    .. [1] G. E. Hinton and R. R. Salakhutdinov, "Reducing the dimensionality of data
       with neural networks", Science 313, 2006.
    .. [2] J. Chen, S. Sathe, C. Aggarwal and D. Turaga, "Outlier detection with
       autoencoder ensembles", SIAM International Conference on Data Mining, 2017.
    .. [3] P. Vincent, H. Larochelle, I. Lajoie, Y. Bengio and P.-A. Manzagol, "Stacked
       denoising autoencoders: learning useful representations in a deep network with
       a local denoising criterion", Journal of Machine Learning Research 11, 2010.

    Examples
    --------
    >>> from skae import AutoencoderTransformer
    >>> from skae.networks import DenseNetwork
    >>> network = DenseNetwork(hidden_layer_sizes=(64,), activation="tanh")
    >>> AutoencoderTransformer(8, network=network).get_params()["network__activation"]
    'tanh'
    """

    rotation_invariant: ClassVar[bool] = True

    def __init__(
        self,
        hidden_layer_sizes: Literal["auto"] | int | Sequence[int] = "auto",
        activation: str = "silu",
        connectivity: float = 1.0,
        tied_weights: bool = False,
        code_activation: str = "identity",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.connectivity = connectivity
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
                n_features,
                *self._hidden_widths(_automatic(n_features)),
                n_components,
                members=members,
                generator=generator,
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
            n_features,
            *self._hidden_widths(_automatic(n_features)),
            n_outputs,
            members=members,
            generator=generator,
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
    ) -> Stack:
        check_no_code(self, "tied_weights", "code_activation")
        (n_in,), (n_out,) = input_shape, output_shape
        layers = self._layers(
            n_in,
            *self._hidden_widths([64]),
            n_out,
            members=members,
            generator=generator,
        )
        return blocks_of(layers, activation_named(self.activation))

    def _layers(
        self, *widths: int, members: int, generator: torch.Generator
    ) -> list[MemberLinear]:
        linear = self._linear_layer()
        return [
            linear(a, b, members=members, generator=generator)
            for a, b in pairwise(widths)
        ]

    def _hidden_widths(self, automatic: list[int]) -> list[int]:
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, str) and sizes == "auto":
            return automatic
        return layer_widths(sizes, "'auto', a positive integer or a sequence of them")

    def _linear_layer(self) -> Callable[..., MemberLinear]:
        if not 0 < self.connectivity <= 1:
            raise ValueError(
                f"connectivity must be a number in (0, 1], got {self.connectivity!r}."
            )
        if self.connectivity == 1:
            return MemberLinear
        if self.tied_weights:
            raise ValueError(
                "tied_weights=True needs all connections; set connectivity=1.0 or "
                "tied_weights=False."
            )
        return partial(ThinnedLinear, connectivity=self.connectivity)


def _automatic(n_features: int) -> list[int]:
    return [min(max(2 * n_features, 80), 128)] * 2
