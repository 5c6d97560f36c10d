"""The losses that have a name: for another one, a function and a line."""

from __future__ import annotations

from functools import partial

import torch
from torch.nn import functional

from skae.losses._loss import Loss


def _squared_error(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (output - target).square()


def _slope_of_squares(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (output - target).mul_(2)


def _absolute_error(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (output - target).abs()


def _sign(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (output - target).sign()


def _log_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(output, target, reduction="none")


def _excess_probability(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return output.sigmoid() - target


LOSSES = {
    "squared_error": Loss(
        _squared_error, rotation_invariant=True, slope=_slope_of_squares
    ),
    "absolute_error": Loss(_absolute_error, slope=_sign),
    "log_loss": Loss(
        _log_loss,
        link=torch.sigmoid,
        inverse_link=partial(torch.logit, eps=1e-7),
        unit_interval=True,
        slope=_excess_probability,
    ),
}

#: What other libraries call them.
OTHER_NAMES = {
    "mse": "squared_error",
    "mseloss": "squared_error",
    "meansquarederror": "squared_error",
    "l2": "squared_error",
    "l2loss": "squared_error",
    "squaredloss": "squared_error",
    "quadratic": "squared_error",
    "mae": "absolute_error",
    "meanabsoluteerror": "absolute_error",
    "l1": "absolute_error",
    "l1loss": "absolute_error",
    "bce": "log_loss",
    "bceloss": "log_loss",
    "bcewithlogitsloss": "log_loss",
    "binarycrossentropy": "log_loss",
    "crossentropy": "log_loss",
}


def resolve_loss(loss: str | Loss) -> Loss:
    """Return the loss of a name, or the loss itself."""
    return LOSSES[loss] if isinstance(loss, str) else loss


def resolve_unlinked_loss(loss: str | Loss) -> Loss:
    """Return a loss whose outputs are on the scale of the features."""
    resolved = resolve_loss(loss)
    if resolved.linked or resolved.unit_interval:
        raise ValueError(
            "loss must not have a link or be for values in [0, 1] in this estimator; "
            "pass a Loss without, or loss='squared_error'."
        )
    return resolved
