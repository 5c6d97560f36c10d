"""The gradient of a step, by rules where there are some and by autograd elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from skae._training._flat import FlatParameters
from skae._training._objective import Objective, Tensors, total
from skae.losses import Loss
from skae.networks._pullback import Gradients, covered


@dataclass(frozen=True)
class Gradient(ABC):
    """Leaves the gradient of a batch in the flat gradient of a module.

    Attributes
    ----------
    module : nn.Module
    objective : Objective
    flat : FlatParameters
        Those of the module.
    generator : torch.Generator
        Source of the noise.
    """

    module: Any
    objective: Objective
    flat: FlatParameters
    generator: torch.Generator

    @abstractmethod
    def __call__(self, batch: Tensors) -> torch.Tensor:
        """Return the mean loss of all members.

        The gradient is that of the sum of their losses, each averaged over the batch:
        members do not depend on each other.
        """


class GradientByRules(Gradient):
    """Each layer knows its own."""

    @torch.inference_mode()
    def __call__(self, batch: Tensors) -> torch.Tensor:
        loss = self.objective.loss
        batch = self.objective.prepare(batch, self.generator)
        target = batch["target"]
        output, kept = self.module.record(batch)
        error, slope = loss.pointwise(output, target), _slope(loss, output, target)
        if "weight" in batch:
            error, slope = error * batch["weight"], slope * batch["weight"]
        slope.div_(target[0].numel())
        self.module.collect(slope, kept, Gradients())
        return error.mean()


def _slope(loss: Loss, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    if loss.slope is not None:
        return loss.slope(output, target)
    with torch.inference_mode(False), torch.enable_grad():
        output, target = output.clone().requires_grad_(), target.clone()
        (slope,) = torch.autograd.grad(loss.pointwise(output, target).sum(), output)
    return slope


class GradientByAutograd(Gradient):
    """Torch finds it, whatever the module does."""

    def __call__(self, batch: Tensors) -> torch.Tensor:
        self.flat.gradient.zero_()
        terms = self.objective(self.module, batch, self.generator)
        target = batch["target"]
        loss = total(terms).sum() / target[0].numel()
        loss.backward()
        return loss.detach() / len(target)


def gradient_of(
    module: nn.Module,
    objective: Objective,
    flat: FlatParameters,
    generator: torch.Generator,
) -> Gradient:
    """Return the fastest that there is for a module and what it is trained for."""
    by_rules = not objective.terms and covered(module)
    kind = GradientByRules if by_rules else GradientByAutograd
    return kind(module, objective, flat, generator)
