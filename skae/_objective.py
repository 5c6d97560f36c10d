"""What a step minimises: noise, network, loss."""

from __future__ import annotations

import torch
from torch import nn

from skae.losses import Loss
from skae.noise import Noise


class Objective(nn.Module):
    """Named terms of the loss of every member on every row of a batch."""

    def __init__(self, loss: Loss, noise: Noise | None = None) -> None:
        super().__init__()
        self.loss = loss
        self.noise = noise

    def forward(
        self,
        module: nn.Module,
        batch: dict[str, torch.Tensor],
        generator: torch.Generator | None = None,
    ) -> dict[str, torch.Tensor]:
        """Return terms ``(members, batch)``, each summed over the elements of a row.

        Without a generator there is no noise. A ``weight`` in the batch says how much
        each element counts.
        """
        if self.noise is not None and generator is not None:
            batch = batch | {"input": self.noise.corrupt(batch["input"], generator)}
        output = module(batch, generator)["output"]
        error = self.loss.pointwise(output, batch["target"])
        if "weight" in batch:
            error = error * batch["weight"]
        return {"reconstruction": error.flatten(2).sum(-1)}
