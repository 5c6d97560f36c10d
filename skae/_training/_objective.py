"""What a step minimises: noise, network, loss, penalty."""

from __future__ import annotations

import torch
from torch import nn

from skae.losses import Loss
from skae.noise import Corruption
from skae.penalties import Penalty


class Objective(nn.Module):
    """Named terms of the loss of every member on every row of a batch.

    Parameters
    ----------
    loss : Loss
    corruption : callable or None
        ``(x, generator) -> x`` with noise.
    penalty : Penalty or None
        Needs a module that encodes.
    """

    def __init__(
        self,
        loss: Loss,
        corruption: Corruption | None = None,
        penalty: Penalty | None = None,
    ) -> None:
        super().__init__()
        self.loss = loss
        self.corruption = corruption
        self.penalty = penalty

    def forward(
        self,
        module: nn.Module,
        batch: dict[str, torch.Tensor],
        generator: torch.Generator | None = None,
    ) -> dict[str, torch.Tensor]:
        """Return terms ``(members, batch)``, each summed over the elements of a row.

        Without a generator there is neither noise nor a penalty, only the error: that
        is what held-out rows are judged by. A ``weight`` in the batch says how much
        each element counts.
        """
        training = generator is not None
        if training and self.corruption is not None:
            batch = batch | {"input": self.corruption(batch["input"], generator)}
        outputs = module(batch, generator)
        error = self.loss.pointwise(outputs["output"], batch["target"])
        if "weight" in batch:
            error = error * batch["weight"]
        terms = {"reconstruction": error.flatten(2).sum(-1)}
        if training and self.penalty is not None:
            terms["penalty"] = self.penalty.term(
                module.encode, batch["input"], outputs["code"]
            )
        return terms


class RestorationObjective(nn.Module):
    """The error of restored rows; where there are gaps, of what was hidden alone.

    Parameters
    ----------
    loss : Loss
    degrade : callable or None
        ``(x, generator) -> x`` degrades clean rows anew in every batch of the training;
        None where degraded rows are given.
    gaps : bool
        Whether only what is NaN in a degraded row counts.
    """

    def __init__(
        self, loss: Loss, degrade: Corruption | None = None, *, gaps: bool = False
    ) -> None:
        super().__init__()
        self.loss = loss
        self.degrade = degrade
        self.gaps = gaps

    def forward(
        self,
        module: nn.Module,
        batch: dict[str, torch.Tensor],
        generator: torch.Generator | None = None,
    ) -> dict[str, torch.Tensor]:
        """Return terms ``(members, batch)``, each summed over the elements of a row.

        Held-out rows, judged without a generator, keep the degradation they have.
        """
        if generator is not None and self.degrade is not None:
            batch = batch | {"input": self.degrade(batch["target"], generator)}
        output = module(batch, generator)["output"]
        error = self.loss.pointwise(output, batch["target"])
        if self.gaps:
            error = error * batch["input"].isnan()
        return {"restoration": error.flatten(2).sum(-1)}


class HiddenFeaturesObjective(nn.Module):
    """Hide features of every row at random and judge their prediction alone.

    How many are hidden is drawn for each row, uniformly from none to all: the network
    learns to predict a feature from any set of the others.
    """

    def __init__(self, loss: Loss, corruption: Corruption | None = None) -> None:
        super().__init__()
        self.loss = loss
        self.corruption = corruption

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
        if self.corruption is not None:
            x = self.corruption(x, generator)
        output = module({"input": x, "visible": visible}, generator)["output"]
        error = self.loss.pointwise(output, target) * (1 - visible)
        return {"reconstruction": error.sum(-1)}
