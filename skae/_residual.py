"""A start plus a network that adds to it: what is trained and what predicts."""

from __future__ import annotations

import copy

import torch
from torch import nn

from skae.networks import Autoencoder

_FADE_ROWS = 20_000  # enough rows for a quantile of 99.9 %


class DistanceFade(nn.Module):
    """Weight of the residual: one near the training rows, falling to zero far away.

    With ``r`` the radius that holds nearly all training rows, a row at distance ``d``
    from their centre gets ``clip(2 - d / r, 0, 1)``. A network knows nothing of rows
    unlike any that it has seen; without the fade a single one of them can cost more
    than the network gains on all others.

    Parameters
    ----------
    rows : tensor of shape (n_samples, n_inputs)
        Training rows, centred.
    """

    def __init__(self, rows: torch.Tensor) -> None:
        super().__init__()
        sd = rows.std(dim=0, unbiased=False)
        # A direction without variance in the training rows still counts as distance.
        floor = 1e-3 * float(sd.square().mean().sqrt())
        sd = sd.clamp(min=floor if floor > 0 else 1.0)
        distance = torch.linalg.vector_norm(rows / sd, dim=-1)
        radius = min(_quantile(distance, 0.999), 2 * _quantile(distance, 0.99))
        radius = radius if radius > 0 else 1.0
        self.register_buffer("inverse_radius", 1 / (sd.double() * radius)[None, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scaled = x * self.inverse_radius
        distance = torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
        return (2 - distance).clamp(0, 1)


def _quantile(x: torch.Tensor, q: float) -> float:
    # torch.quantile refuses more than 2**24 elements and sorts all of them.
    return float(x.kthvalue(max(1, round(q * len(x)))).values)


class FadedSum(nn.Module):
    """The output of a start plus the faded output of a network."""

    def __init__(self, start: nn.Module, network: nn.Module, fade: nn.Module) -> None:
        super().__init__()
        self.start = start
        self.network = network
        self.fade = fade
        self.weight = 1.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        keep = self.weight * self.fade(x)
        return self.start(x) + keep * self.network(x)


class Residual(Autoencoder):
    """Encoder and decoder of a start, each plus the faded output of a network.

    The network's output begins at zero, so that before the first step this *is* the
    start.

    Parameters
    ----------
    start : Autoencoder
    network : Autoencoder
        Has ``zero_output_``.
    rows : tensor of shape (n_samples, n_inputs)
        Training rows, centred; they set the radii of the fades.

    Attributes
    ----------
    weight : float
        How much of the network is kept, in [0, 1]; chosen by a gate.
    """

    def __init__(
        self, start: Autoencoder, network: Autoencoder, rows: torch.Tensor
    ) -> None:
        rows = rows[:: 1 + len(rows) // _FADE_ROWS]
        kept_start = last_member(copy.deepcopy(start))
        codes = kept_start.encode(rows.double()[None])[0]
        network.zero_output_()
        super().__init__(
            FadedSum(start.encoder, network.encoder, DistanceFade(rows)),
            FadedSum(start.decoder, network.decoder, DistanceFade(codes)),
        )

    @property
    def start(self) -> Autoencoder:
        return Autoencoder(self.encoder.start, self.decoder.start)

    @property
    def weight(self) -> float:
        return self.encoder.weight

    @weight.setter
    def weight(self, weight: float) -> None:
        self.encoder.weight = self.decoder.weight = weight


@torch.no_grad()
def last_member(module: nn.Module) -> nn.Module:
    """Keep only the last member of a module, with memory of its own."""
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data = tensor.data[-1:].clone()
    return module.eval().requires_grad_(False)
