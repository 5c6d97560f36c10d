"""Greedy layer-wise pretraining: every layer learns from the codes of those below."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch

from skae._training import Folds, Objective, Problem
from skae.losses import LOSSES
from skae.networks import Autoencoder

_ENCODED_ROWS = 2**13  # rows, over all members, that are encoded at a time


def layer_phases(
    problem: Problem[Autoencoder],
) -> Iterator[tuple[str, Problem[Autoencoder]]]:
    """Make every layer of an autoencoder one of its own, the outermost first.

    The first one minimises the objective without the terms beside its loss, which are
    for the code of the last layer. Those above minimise the squared error on the codes
    of the one below, and see them without noise: the strength of a noise is in the
    units of the features, or it draws from their values, and means nothing for hidden
    units.

    Yields
    ------
    phase : str
        ``"layer 1"``, ...
    problem : Problem
        What to train before the next phase is asked for.
    """
    stages = problem.module.stages()
    error = Objective(problem.objective.loss, problem.objective.prepare)
    inputs, folds = problem.tensors["input"], problem.folds
    yield "layer 1", Problem(stages[0], error, problem.tensors, folds)
    error = Objective(LOSSES["squared_error"])
    x = inputs.expand(folds.members, *inputs.shape)
    rows = _rows_of_members(folds, len(inputs))
    for layer, (below, stage) in enumerate(pairwise(stages), start=2):
        # Every member has codes of its own: they are stacked into one table.
        x = _encode(below, x)
        codes = x.flatten(0, 1)
        tensors = {"input": codes, "target": codes}
        yield f"layer {layer}", Problem(stage, error, tensors, rows)


@torch.no_grad()
def _encode(stage: Autoencoder, x: torch.Tensor) -> torch.Tensor:
    """Codes ``(members, n_samples, ...)`` in the precision of training."""
    dtype = next(stage.parameters()).dtype
    parts = x.split(max(1, _ENCODED_ROWS // len(x)), dim=1)
    return torch.cat([stage.encode(part.to(dtype)).float() for part in parts], dim=1)


def _rows_of_members(folds: Folds, n_samples: int) -> Folds:
    """Return the folds of a table that holds the rows of each member in turn."""
    return Folds(
        [rows + j * n_samples for j, rows in enumerate(folds.training)],
        [rows + j * n_samples for j, rows in enumerate(folds.held_out)],
    )
