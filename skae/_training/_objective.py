"""What a step minimises: how a batch is prepared, the loss, and terms beside it."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from skae.losses import Loss

Tensors = dict[str, torch.Tensor]
#: ``(batch, generator) -> batch``; without a generator, for rows that are judged.
Prepare = Callable[[Tensors, torch.Generator | None], Tensors]
#: ``(module, batch, outputs) -> term`` of shape ``(members, batch)``.
Term = Callable[[Any, Tensors, Tensors], torch.Tensor]


def as_given(batch: Tensors, generator: torch.Generator | None) -> Tensors:
    """Prepare nothing."""
    return batch


def total(terms: Tensors) -> torch.Tensor:
    """Return the sum of terms of the loss."""
    return functools.reduce(operator.add, terms.values())


class Objective(nn.Module):
    """Named terms of the loss of every member on every row of a batch.

    Parameters
    ----------
    loss : Loss
    prepare : callable
        What is done to a batch before the module sees it: noise, or what is hidden. A
        ``weight`` in the batch says how much each element counts.
    terms : mapping of str to callable
        What training minimises beside the loss, by name.
    """

    def __init__(
        self,
        loss: Loss,
        prepare: Prepare = as_given,
        terms: Mapping[str, Term] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self.loss = loss
        self.prepare = prepare
        self.terms = dict(terms)

    def forward(
        self,
        module: nn.Module,
        batch: Tensors,
        generator: torch.Generator | None = None,
    ) -> Tensors:
        """Return terms ``(members, batch)``, each summed over the elements of a row.

        Without a generator nothing is drawn and no term counts but the error: that is
        what held-out rows are judged by.
        """
        batch = self.prepare(batch, generator)
        outputs = module(batch, generator)
        error = self.loss.pointwise(outputs["output"], batch["target"])
        if "weight" in batch:
            error = error * batch["weight"]
        terms = {"reconstruction": error.flatten(2).sum(-1)}
        if generator is not None:
            for name, term in self.terms.items():
                terms[name] = term(module, batch, outputs)
        return terms
