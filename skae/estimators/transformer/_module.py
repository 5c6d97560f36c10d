"""A start and what is learned from it: what is trained, weighed and predicts."""

from __future__ import annotations

import copy

import torch
from torch import nn

from skae.networks import Autoencoder


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
        Training rows as the network sees them, centred; they set the radii of the
        fades.

    Attributes
    ----------
    weight : float
        How much of the network is kept, in [0, 1]; chosen by a gate.
    """

    def __init__(
        self, start: Autoencoder, network: Autoencoder, rows: torch.Tensor
    ) -> None:
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


class Blend(nn.Module):
    """A point on the line between the outputs of a start and of its tuned copy."""

    def __init__(self, start: nn.Module, tuned: nn.Module) -> None:
        super().__init__()
        self.start = start
        self.tuned = tuned
        self.weight = 1.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tuned = self.tuned(x)
        # Training sees the tuned copy alone and does not pay for the other.
        return tuned if self.weight == 1 else self.start(x).lerp(tuned, self.weight)


class FineTuned(Autoencoder):
    """A trained autoencoder, which is kept, beside a copy that is trained on.

    Before the first step the copy *is* the start. All of its weights are free, also
    those that were fixed in the start.

    Parameters
    ----------
    start : Autoencoder
        Of one member.
    members : int
        Number of copies.

    Attributes
    ----------
    weight : float
        How far to go from the start to the copy, in [0, 1]; chosen by a gate.
    """

    def __init__(self, start: Autoencoder, members: int) -> None:
        start = _repeated(start, members)
        tuned = copy.deepcopy(start).requires_grad_(True)
        super().__init__(
            Blend(start.encoder, tuned.encoder), Blend(start.decoder, tuned.decoder)
        )

    @property
    def start(self) -> Autoencoder:
        return Autoencoder(self.encoder.start, self.decoder.start)

    @property
    def tuned(self) -> Autoencoder:
        return Autoencoder(self.encoder.tuned, self.decoder.tuned)

    @property
    def weight(self) -> float:
        return self.encoder.weight

    @weight.setter
    def weight(self, weight: float) -> None:
        self.encoder.weight = self.decoder.weight = weight


def _repeated(module: nn.Module, members: int) -> nn.Module:
    """Return a fixed copy of a module, each of its members the same."""
    module = copy.deepcopy(module).requires_grad_(False)
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data = tensor.data.repeat(members, *[1] * (tensor.dim() - 1))
    return module


@torch.no_grad()
def last_member(module: nn.Module) -> nn.Module:
    """Keep only the last member of a module, with memory of its own."""
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data = tensor.data[-1:].clone()
    return module.eval().requires_grad_(False)
