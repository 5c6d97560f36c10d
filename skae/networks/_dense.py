"""Fully connected network: specification and modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from torch import nn

from skae.networks._layers import (
    ACTIVATIONS,
    MemberLinear,
    ThinnedLinear,
    check_widths,
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
        Activation function of the hidden layers. The code and the output are linear.
    connectivity : float, default=1.0
        Share of the connections that a layer has, in (0, 1]. Less than one leaves each
        connection out at random, for every member of an ensemble its own [2]_.

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

    Examples
    --------
    >>> from skae import AutoencoderTransformer
    >>> from skae.networks import DenseNetwork
    >>> network = DenseNetwork(hidden_layer_sizes=(64,), activation="tanh")
    >>> AutoencoderTransformer(8, network=network).get_params()["network__activation"]
    'tanh'
    """

    def __init__(
        self,
        hidden_layer_sizes: Literal["auto"] | Sequence[int] = "auto",
        activation: str = "silu",
        connectivity: float = 1.0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.connectivity = connectivity

    def build(
        self,
        input_shape: tuple[int],
        output_shape: tuple[int],
        n_components: int | None = None,
        *,
        members: int,
        generator: torch.Generator,
    ) -> DenseAutoencoder | DenseMap:
        (n_in,), (n_out,) = input_shape, output_shape
        automatic = [64] if n_components is None else [min(max(2 * n_in, 96), 192)] * 3
        hidden = self._hidden_widths(automatic)
        activation = self._activation()
        linear = self._linear_layer()

        def layers(widths: Sequence[int]) -> nn.Sequential:
            modules: list[nn.Module] = []
            for a, b in pairwise(widths):
                layer = linear(a, b, members=members, generator=generator)
                modules += [layer, activation()]
            return nn.Sequential(*modules[:-1])

        if n_components is None:
            return DenseMap(layers([n_in, *hidden, n_out]))
        return DenseAutoencoder(
            encoder=layers([n_in, *hidden, n_components]),
            decoder=layers([n_components, *reversed(hidden), n_out]),
        )

    def _hidden_widths(self, automatic: list[int]) -> list[int]:
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, str) and sizes == "auto":
            return automatic
        return check_widths(sizes, "'auto' or a sequence of positive integers")

    def _activation(self) -> type[nn.Module]:
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"activation must be one of {sorted(ACTIVATIONS)}, got "
                f"{self.activation!r}."
            )
        return ACTIVATIONS[self.activation]

    def _linear_layer(self) -> Callable[..., MemberLinear]:
        if not 0 < self.connectivity <= 1:
            raise ValueError(
                f"connectivity must be a number in (0, 1], got {self.connectivity!r}."
            )
        if self.connectivity == 1:
            return MemberLinear
        return partial(ThinnedLinear, connectivity=self.connectivity)


class DenseAutoencoder(nn.Module):
    """Encoder and decoder stacks of :class:`DenseNetwork`."""

    def __init__(self, encoder: nn.Sequential, decoder: nn.Sequential) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return self.encoder(x)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.decoder(z)

    def forward(
        self, batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
    ) -> dict[str, torch.Tensor]:
        return {"output": self.decode(self.encode(batch["input"]))}

    def zero_output_(self) -> None:
        """Make both stacks return zero, so that as a residual they add nothing."""
        self.encoder[-1].zero_()
        self.decoder[-1].zero_()


class DenseMap(nn.Module):
    """One stack of layers of :class:`DenseNetwork`, from inputs to outputs."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(
        self, batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
    ) -> dict[str, torch.Tensor]:
        return {"output": self.layers(batch["input"])}

    def zero_output_(self) -> None:
        """Make the stack return zero."""
        self.layers[-1].zero_()
