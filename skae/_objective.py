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


class HiddenFeaturesObjective(Objective):
    """Hide features of every row at random and judge their prediction alone.

    How many are hidden is drawn for each row, uniformly from none to all: the network
    learns to predict a feature from any set of the others.
    """

    def forward(
        self,
        module: nn.Module,
        batch: dict[str, torch.Tensor],
        generator: torch.Generator | None = None,
    ) -> dict[str, torch.Tensor]:
        """Return terms ``(members, batch)``, each summed over the hidden features."""
        x, target = batch["input"], batch["target"]
        shares = torch.empty_like(x[..., :1]).uniform_(generator=generator)
        draws = torch.empty_like(x).uniform_(generator=generator)
        visible = (draws < shares).to(x.dtype)
        if self.noise is not None:
            x = self.noise.corrupt(x, generator)
        output = module({"input": x, "visible": visible}, generator)["output"]
        error = self.loss.pointwise(output, target) * (1 - visible)
        return {"reconstruction": error.sum(-1)}
