"""A start plus a network that adds to it: what is trained and what predicts."""

from __future__ import annotations

import torch
from torch import nn


class DistanceFade(nn.Module):
    """Weight of the residual: one near the training rows, falling to zero far away.

    With ``r`` the radius that holds nearly all training rows, a row at distance ``d``
    from their centre gets ``clip(2 - d / r, 0, 1)``. A network knows nothing of rows
    that it has not seen the like of; without the fade a single one of them can cost
    more than the network gains on all others.
    """

    def __init__(self, rows: torch.Tensor) -> None:
        super().__init__()
        sd = rows.std(dim=0, unbiased=False)
        # A direction without variance in the training rows still counts as distance.
        sd = sd.clamp(min=1e-3 * float(sd.square().mean().sqrt()) or 1.0)
        distance = torch.linalg.vector_norm(rows / sd, dim=-1)
        radius = min(_quantile(distance, 0.999), 2 * _quantile(distance, 0.99)) or 1.0
        self.register_buffer("inverse_radius", (1 / (sd * radius))[None, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        distance = torch.linalg.vector_norm(
            x * self.inverse_radius, dim=-1, keepdim=True
        )
        return (2 - distance).clamp(0, 1)


def _quantile(x: torch.Tensor, q: float) -> float:
    # torch.quantile refuses more than 2**24 elements and sorts all of them.
    return float(x.kthvalue(max(1, int(q * len(x)))).values)


class Residual(nn.Module):
    """Encoder and decoder of a start, each plus the faded output of a network.

    The network's output begins at zero, so that before the first step this *is* the
    start.
    """

    def __init__(
        self,
        start: nn.Module,
        network: nn.Module,
        *,
        input_fade: DistanceFade,
        code_fade: DistanceFade,
    ) -> None:
        super().__init__()
        self.start = start
        self.network = network
        self.input_fade = input_fade
        self.code_fade = code_fade
        network.zero_output_()

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return self.start.encode(x) + self.input_fade(x) * self.network.encode(x)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.start.decode(z) + self.code_fade(z) * self.network.decode(z)

    def forward(
        self, batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
    ) -> dict[str, torch.Tensor]:
        return {"output": self.decode(self.encode(batch["input"]))}

    @classmethod
    def near(cls, start, network, rows):
        last = torch.baddbmm(start.encoder_bias[-1:].float(), rows[None], start.encoder_weight[-1:].float())[0]
        return cls(start, network, input_fade=DistanceFade(rows), code_fade=DistanceFade(last))
