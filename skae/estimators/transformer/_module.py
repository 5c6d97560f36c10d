"""A start and what is learned from it: what is trained, weighed and predicts."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import torch
from torch import nn

from skae._training import Gated
from skae.networks import Autoencoder
from skae.networks._members import last_member, repeated_member
from skae.networks._pullback import Differentiable, Gradients


class DistanceFade(Differentiable):
    """Weight of the network: one near the training rows, falling to zero far away.

    With ``r`` the radius that holds nearly all training rows, a row at distance ``d``
    from their centre gets ``clip(2 - d / r, 0, 1)``. A network knows nothing of rows
    unlike any that it has seen; without the fade a single one of them can cost more
    than the network gains on all others.

    Parameters
    ----------
    inverse_radius : tensor of shape (n_inputs,)
        One over the radius in each direction.
    """

    inverse_radius: torch.Tensor

    def __init__(self, inverse_radius: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("inverse_radius", inverse_radius[None, None])

    @classmethod
    def around(cls, rows: torch.Tensor) -> DistanceFade:
        """Fade away from rows ``(n_samples, n_inputs)``, which are centred."""
        sd = rows.std(dim=0, unbiased=False)
        # A direction without variance in the training rows still counts as distance.
        floor = 1e-3 * float(sd.square().mean().sqrt())
        sd = sd.clamp(min=floor if floor > 0 else 1.0)
        distance = torch.linalg.vector_norm(rows / sd, dim=-1)
        radius = min(_quantile(distance, 0.999), 2 * _quantile(distance, 0.99))
        radius = radius if radius > 0 else 1.0
        return cls(1 / (sd.double() * radius))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 - self._distance(x).clamp(1, 2)

    def record(self, x: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        distance = self._distance(x)
        clamped = distance.clamp(1, 2)
        return 2 - clamped, (x, distance, clamped)

    def pull_back(
        self,
        gradient: torch.Tensor,
        kept: tuple[torch.Tensor, ...],
        gradients: Gradients,
    ) -> torch.Tensor:
        x, distance, clamped = kept
        falls = distance == clamped
        return x * self.inverse_radius.square() * (gradient * falls / clamped).neg_()

    def _distance(self, x: torch.Tensor) -> torch.Tensor:
        """From the centre, in radii."""
        scaled = x * self.inverse_radius
        return torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)


def _quantile(x: torch.Tensor, q: float) -> float:
    # torch.quantile refuses more than 2**24 elements and sorts all of them.
    return float(x.kthvalue(max(1, round(q * len(x)))).values)


class GatedSide(Gated, Differentiable):
    """Encoder or decoder of a start, and what is learned beside it.

    Parameters
    ----------
    start : nn.Module
    """

    start: Any

    def __init__(self, start: nn.Module) -> None:
        super().__init__()
        self.start = start

    def start_output(self, x: torch.Tensor) -> torch.Tensor:
        return self.start(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gated(x)

    @property
    def learned(self) -> nn.Module:
        """What was trained."""
        raise NotImplementedError

    def kept(self) -> nn.Module:
        """Return what predicts, without a part that has no weight."""
        return self if self.weight > 0 else self.start


class _Recorded(NamedTuple):
    """What the parts of a faded sum have kept, and what it multiplies."""

    start: Any
    fade: Any
    network: Any
    keep: torch.Tensor
    added: torch.Tensor


class FadedSum(GatedSide):
    """The output of a start plus the faded output of a network."""

    network: Any
    fade: Any

    def __init__(self, start: nn.Module, network: nn.Module, fade: nn.Module) -> None:
        super().__init__(start)
        self.network = network
        self.fade = fade

    @property
    def learned(self) -> nn.Module:
        return self.network

    def correction(self, x: torch.Tensor) -> torch.Tensor:
        # The weight times one number a row costs less than times all outputs.
        keep = self.weight * self.fade(x)
        return keep * self.network(x)

    def record(self, x: torch.Tensor) -> tuple[torch.Tensor, _Recorded]:
        start, of_start = self.start.record(x)
        keep, of_fade = self.fade.record(x)
        added, of_network = self.network.record(x)
        output = torch.addcmul(start, keep, added)
        return output, _Recorded(of_start, of_fade, of_network, keep, added)

    def collect(
        self, gradient: torch.Tensor, kept: _Recorded, gradients: Gradients
    ) -> None:
        self.start.collect(gradient, kept.start, gradients)
        self.network.collect(gradient * kept.keep, kept.network, gradients)

    def pull_back(
        self, gradient: torch.Tensor, kept: _Recorded, gradients: Gradients
    ) -> torch.Tensor:
        of_fade = (gradient * kept.added).sum(-1, keepdim=True)
        of_network = gradient * kept.keep
        of_input = self.start.pull_back(gradient, kept.start, gradients)
        of_input += self.network.pull_back(of_network, kept.network, gradients)
        of_input += self.fade.pull_back(of_fade, kept.fade, gradients)
        return of_input


class Blend(GatedSide):
    """A point on the line between the outputs of a start and of its tuned copy."""

    tuned: Any

    def __init__(self, start: nn.Module, tuned: nn.Module) -> None:
        super().__init__(start)
        self.tuned = tuned

    @property
    def learned(self) -> nn.Module:
        return self.tuned

    def correction(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight * (self.tuned(x) - self.start(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # Training sees the tuned copy alone and does not pay for the other.
        return self.tuned(x) if self.weight == 1 else self.gated(x)

    def record(self, x: torch.Tensor) -> tuple[torch.Tensor, Any]:
        return self.tuned.record(x)

    def collect(self, gradient: torch.Tensor, kept: Any, gradients: Gradients) -> None:
        self.tuned.collect(gradient, kept, gradients)

    def pull_back(
        self, gradient: torch.Tensor, kept: Any, gradients: Gradients
    ) -> torch.Tensor:
        return self.tuned.pull_back(gradient, kept, gradients)

    def trained_parts(self) -> list[nn.Module]:
        return [self.tuned]

    def kept(self) -> nn.Module:
        return self.tuned if self.weight == 1 else super().kept()


class GatedAutoencoder(Autoencoder):
    """An encoder and a decoder of which a gate keeps equally much.

    Parameters
    ----------
    encoder, decoder : GatedSide
    """

    encoder: GatedSide
    decoder: GatedSide

    @property
    def start(self) -> Autoencoder:
        return Autoencoder(self.encoder.start, self.decoder.start)

    @property
    def weight(self) -> float:
        """How much of what was learned is kept, in [0, 1]; chosen by a gate."""
        return self.encoder.weight

    @weight.setter
    def weight(self, weight: float) -> None:
        self.encoder.weight = self.decoder.weight = weight

    def kept(self) -> Autoencoder:
        """Return what predicts, without a part that has no weight."""
        return Autoencoder(self.encoder.kept(), self.decoder.kept())


def residual(
    start: Autoencoder, network: Autoencoder, rows: torch.Tensor
) -> GatedAutoencoder:
    """Return a start plus a faded network on both sides, which begins at zero.

    Parameters
    ----------
    start, network : Autoencoder
    rows : tensor of shape (n_samples, n_inputs)
        Training rows as the network sees them, centred; they set the radii of the
        fades.
    """
    kept_start = last_member(copy.deepcopy(start))
    codes = kept_start.encode(rows.double()[None])[0]
    network.zero_output_()
    return GatedAutoencoder(
        FadedSum(start.encoder, network.encoder, DistanceFade.around(rows)),
        FadedSum(start.decoder, network.decoder, DistanceFade.around(codes)),
    )


def fine_tuned(start: Autoencoder, members: int) -> GatedAutoencoder:
    """Return a trained autoencoder, which is kept, beside a copy that is trained on.

    Before the first step the copy *is* the start. All of its weights are free, also
    those that were fixed in the start.

    Parameters
    ----------
    start : Autoencoder
        Of one member.
    members : int
        Number of copies.
    """
    start = repeated_member(start, members)
    tuned = copy.deepcopy(start).requires_grad_(True)
    return GatedAutoencoder(
        Blend(start.encoder, tuned.encoder), Blend(start.decoder, tuned.decoder)
    )
