"""Losses: what counts as close. Element by element, neither reduced nor weighted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

Pointwise = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _identity(x: torch.Tensor) -> torch.Tensor:
    return x


def _squared_error(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.mse_loss(output, target, reduction="none")


def _absolute_error(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.l1_loss(output, target, reduction="none")


def _log_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(output, target, reduction="none")


def _logit(probability: torch.Tensor) -> torch.Tensor:
    return torch.logit(probability, eps=1e-7)


@dataclass(frozen=True)
class Loss:
    """A pointwise loss, its link and its domain.

    Attributes
    ----------
    pointwise : callable
        ``(output, target) -> loss`` of every element.
    link, inverse_link : callable
        From the network's output to the scale of the features, and back.
    rotation_invariant : bool
        Whether the sum over features is the same in every orthonormal basis.
    unit_interval : bool
        Whether targets must lie in [0, 1] and hence must not be rescaled.
    """

    pointwise: Pointwise
    link: Callable[[torch.Tensor], torch.Tensor] = _identity
    inverse_link: Callable[[torch.Tensor], torch.Tensor] = _identity
    rotation_invariant: bool = False
    unit_interval: bool = False


LOSSES = {
    "squared_error": Loss(_squared_error, rotation_invariant=True),
    "absolute_error": Loss(_absolute_error),
    "log_loss": Loss(
        _log_loss, link=torch.sigmoid, inverse_link=_logit, unit_interval=True
    ),
}
