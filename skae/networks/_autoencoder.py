"""Networks with a bottleneck, whatever their layers are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from skae.networks._activations import Identity
from skae.networks._layers import (
    CodingLayer,
    Gain,
    MemberLinear,
    NetworkModule,
    Stack,
    blocks_of,
)
from skae.networks._pullback import Differentiable, Gradients


class Autoencoder(Differentiable):
    """An encoder and a decoder.

    Parameters
    ----------
    encoder, decoder : nn.Module
        Take and return tensors of shape ``(members, batch, n)``.
    """

    encoder: Any
    decoder: Any

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        code: torch.Tensor = self.encoder(x)
        return code

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.decoder(z)
        return output

    def stages(self) -> list[Autoencoder]:
        """Return what can be trained one after the other: here one part, itself."""
        return [self]

    def zero_output_(self) -> None:
        """Make encoder and decoder return zero, so that as a residual they add nothing.

        Both parts have to offer it.
        """
        for part in (self.encoder, self.decoder):
            if not isinstance(part, NetworkModule):
                raise TypeError(
                    f"{type(part).__name__} cannot begin at zero beside a start; "
                    "derive it from skae.networks.NetworkModule, or set start=None."
                )
            part.zero_output_()

    def forward(
        self, batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
    ) -> dict[str, torch.Tensor]:
        code = self.encode(batch["input"])
        return {"output": self.decode(code), "code": code}

    def record(
        self, batch: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, tuple[Any, Any]]:
        code, encoding = self.encoder.record(batch["input"])
        output, decoding = self.decoder.record(code)
        return output, (encoding, decoding)

    def collect(
        self, gradient: torch.Tensor, kept: tuple[Any, Any], gradients: Gradients
    ) -> None:
        encoding, decoding = kept
        gradient = self.decoder.pull_back(gradient, decoding, gradients)
        self.encoder.collect(gradient, encoding, gradients)


class StackedAutoencoder(Autoencoder):
    """The decoder is the mirror image of the encoder, layer by layer.

    Both are sequences of blocks, a block being a layer and its activation. The output
    is linear.

    Parameters
    ----------
    layers : sequence of CodingLayer
        The encoder's, from the input to the code; the last is a ``MemberLinear``.
    activation, code_activation : type of nn.Module
        Of the hidden layers and of the code.
    """

    encoder: Stack
    decoder: Stack

    def __init__(
        self,
        layers: Sequence[CodingLayer],
        activation: type[nn.Module],
        code_activation: type[nn.Module] = Identity,
        *,
        generator: torch.Generator,
    ) -> None:
        counterparts = [self._counterpart(x, generator) for x in reversed(layers)]
        super().__init__(
            blocks_of(layers, activation, code_activation),
            blocks_of(counterparts, activation),
        )

    @staticmethod
    def _counterpart(layer: CodingLayer, generator: torch.Generator) -> nn.Module:
        return layer.mirrored(generator)

    def stages(self) -> list[Autoencoder]:
        """Return each block of the encoder with its counterpart, the outermost first.

        They are the blocks of the whole, so that what they learn is learnt by it.
        """
        pairs = zip(self.encoder, reversed(self.decoder), strict=True)
        return [Autoencoder(encoder, decoder) for encoder, decoder in pairs]


class TiedAutoencoder(StackedAutoencoder):
    """The layers of the decoder have the transposed weights of the encoder's."""

    @staticmethod
    def _counterpart(layer: CodingLayer, generator: torch.Generator) -> nn.Module:
        return layer.transposed(generator)

    @torch.no_grad()
    def zero_output_(self) -> None:
        """Make encoder and decoder return zero, so that as a residual they add nothing.

        The last layer cannot be zero: it has the weights of the first, which would
        never learn. Nor can the code layer: the decoder would then return the same for
        every code, and beside PCA, whose errors correlate with nothing linear, its
        gradient would be zero. So both sides get gains that begin at zero.
        """
        linear, _ = self.encoder.blocks[-1]
        assert isinstance(linear, MemberLinear)
        code = torch.zeros_like(linear.bias)
        rows = torch.zeros_like(self.decode(code))
        self.decoder.blocks[-1].append(Gain(rows))
        self.encoder.blocks[-1].append(Gain(code))
