"""Fully connected autoencoder: specification and module."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import nn

from skae.networks._layers import ACTIVATIONS, MemberLinear, check_widths
from skae.networks._network import Network


class DenseNetwork(Network):
    """Fully connected autoencoder, its decoder the mirror image of its encoder.

    Parameters
    ----------
    hidden_layer_sizes : "auto" or sequence of int, default="auto"
        Widths of the encoder's hidden layers, from the input towards the code. The
        decoder has the same widths in reverse. An empty sequence makes the
        autoencoder linear. ``"auto"`` takes three layers, twice as wide as the input,
        but at least 96 and at most 192 units.
    activation : {"identity", "logistic", "tanh", "relu", "elu", "selu", "gelu", \
            "silu"}, default="silu"
        Activation function of the hidden layers. The code and the output are linear.

    See Also
    --------
    skae.AutoencoderTransformer : The estimator that trains it.

    References
    ----------
    .. [1] G. E. Hinton and R. R. Salakhutdinov, "Reducing the dimensionality of data
       with neural networks", Science 313, 2006.

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
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation

    def build(
        self,
        input_shape: tuple[int],
        output_shape: tuple[int],
        n_components: int,
        *,
        members: int,
        generator: torch.Generator,
    ) -> DenseAutoencoder:
        (n_in,), (n_out,) = input_shape, output_shape
        hidden = self._hidden_widths(n_in)
        activation = self._activation()

        def layers(widths: Sequence[int]) -> nn.Sequential:
            modules: list[nn.Module] = []
            for a, b in pairwise(widths):
                modules += [
                    MemberLinear(a, b, members=members, generator=generator),
                    activation(),
                ]
            return nn.Sequential(*modules[:-1])

        return DenseAutoencoder(
            encoder=layers([n_in, *hidden, n_components]),
            decoder=layers([n_components, *reversed(hidden), n_out]),
        )

    def _hidden_widths(self, n_in: int) -> list[int]:
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, str) and sizes == "auto":
            return [min(max(2 * n_in, 96), 192)] * 3
        return check_widths(sizes, "'auto' or a sequence of positive integers")

    def _activation(self) -> type[nn.Module]:
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"activation must be one of {sorted(ACTIVATIONS)}, got "
                f"{self.activation!r}."
            )
        return ACTIVATIONS[self.activation]


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
