"""Fully connected network: specification and modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import nn

from skae.networks._autoencoder import StackedAutoencoder, TiedAutoencoder
from skae.networks._layers import (
    MemberLinear,
    ThinnedLinear,
    activation_named,
    blocks_of,
    positive_integers,
    zero_,
)
from skae.networks._network import Network


class DenseNetwork(Network):
    """Fully connected network, its decoder the mirror image of its encoder.

    Parameters
    ----------
    hidden_layer_sizes : "auto" or sequence of int, default="auto"
        Widths of the encoder's hidden layers, from the input towards the code. The
        decoder has the same widths in reverse. An empty sequence makes the
        network linear. ``"auto"`` takes three layers, twice as wide as the input, but
        at least 96 and at most 192 units; in an estimator without a code, such as
        :class:`~skae.ReconstructionOutlierDetector`, one layer of 64 units.
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
        hidden_layer_sizes: Literal["auto"] | Sequence[int] = "auto",
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

    def build(
        self,
        input_shape: tuple[int],
        output_shape: tuple[int],
        n_components: int | None = None,
        *,
        members: int,
        generator: torch.Generator,
    ) -> StackedAutoencoder | DenseMap:
        (n_in,), (n_out,) = input_shape, output_shape
        activation = activation_named(self.activation)
        code_activation = activation_named(self.code_activation, "code_activation")
        linear = partial(self._linear_layer(), members=members, generator=generator)

        def layers(*widths: int) -> list[MemberLinear]:
            return [linear(a, b) for a, b in pairwise(widths)]

        if n_components is None:
            self._check_no_code()
            hidden = self._hidden_widths([64])
            return DenseMap(blocks_of(layers(n_in, *hidden, n_out), activation))
        hidden = self._hidden_widths([min(max(2 * n_in, 96), 192)] * 3)
        kind = TiedAutoencoder if self.tied_weights else StackedAutoencoder
        return kind(
            layers(n_in, *hidden, n_components),
            activation,
            code_activation,
            generator=generator,
        )

    def _hidden_widths(self, automatic: list[int]) -> list[int]:
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, str) and sizes == "auto":
            return automatic
        allowed = "'auto' or a sequence of positive integers"
        return positive_integers(sizes, "hidden_layer_sizes", allowed)

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

    def _check_no_code(self) -> None:
        if self.tied_weights or self.code_activation != "identity":
            raise ValueError(
                "tied_weights and code_activation are for an estimator with a code; "
                "leave both at their defaults."
            )


class DenseMap(nn.Module):
    """One stack of layers of :class:`DenseNetwork`, from inputs to outputs."""

    def __init__(self, blocks: nn.Sequential) -> None:
        super().__init__()
        self.blocks = blocks

    def forward(
        self, batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
    ) -> dict[str, torch.Tensor]:
        return {"output": self.blocks(batch["input"])}

    def zero_output_(self) -> None:
        """Make the stack return zero."""
        zero_(self.blocks[-1])
