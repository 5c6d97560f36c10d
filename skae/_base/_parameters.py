"""What the parameters that estimators share may be."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import torch

from skae._base._sklearn import Interval, StrOptions
from skae.losses import LOSSES, Loss
from skae.networks import Network
from skae.networks._activations import ACTIVATIONS

Constraints = dict[str, list[Any]]

#: Of every estimator that is trained.
TRAINING: Constraints = {
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate_init": [
        StrOptions({"auto"}),
        Interval(Real, 0, None, closed="neither"),
    ],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, 1, closed="left")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "device": [str, torch.device],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}
#: Widths of layers, or of a single one.
WIDTHS: list[Any] = [Interval(Integral, 1, None, closed="left"), "array-like"]
#: Of those whose network is a specification, or its two shorthands.
NETWORK: Constraints = {
    "network": [StrOptions({"dense"}), Network],
    "hidden_layer_sizes": [StrOptions({"auto"}), *WIDTHS],
    "activation": [StrOptions(set(ACTIVATIONS))],
}
VALIDATION_FRACTION: Constraints = {
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")]
}
CV: Constraints = {
    "cv": [StrOptions({"auto"}), Interval(Integral, 2, None, closed="left"), None]
}


def loss_constraint(*, unit_interval: bool) -> Constraints:
    """Of a loss by its name, or of one's own; some estimators cannot bound values."""
    names = {
        name for name, loss in LOSSES.items() if unit_interval or not loss.unit_interval
    }
    return {"loss": [StrOptions(names), Loss]}
