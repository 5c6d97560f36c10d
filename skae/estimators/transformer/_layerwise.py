"""Greedy layer-wise pretraining: every layer learns from the codes of those below."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import nn

from skae._training import Folds, History, Objective, Problem
from skae.losses import LOSSES

_ENCODED_ROWS = 2**13  # rows, over all members, that are encoded at a time


def layer_phases(
    module: nn.Module, objective: nn.Module, inputs: torch.Tensor, folds: Folds
) -> Iterator[tuple[str, Problem]]:
    """Make every layer of a module an autoencoder of its own, the outermost first.

    The first one minimises `objective` on the inputs. Those above minimise the squared
    error on the codes of the one below, and see them without noise: the strength of a
    noise is in the units of the features, or it draws from their values, and means
    nothing for hidden units.

    Parameters
    ----------
    module : nn.Module
        Has ``stages``, and they its weights.
    objective : nn.Module
        As in :func:`train`.
    inputs : tensor of shape (n_samples, n_inputs)
        Training rows, which are the targets as well.
    folds : Folds
        Rows on which each member trains and is judged.

    Yields
    ------
    phase : str
        ``"layer 1"``, ...
    problem : tuple
        What to pass to :func:`train` before the next phase is asked for.

    Raises
    ------
    ValueError
        If the module has a single layer.
    """
    stages = module.stages()
    if len(stages) == 1:
        raise ValueError(
            "pretraining='layerwise' needs a network with hidden layers; set "
            "hidden_layer_sizes, or pretraining=None."
        )
    tensors = {"input": inputs, "target": inputs}
    yield "layer 1", (stages[0], objective, tensors, folds)
    objective = Objective(LOSSES["squared_error"])
    x = inputs.expand(folds.members, *inputs.shape)
    rows = _rows_of_members(folds, len(inputs))
    for layer, (below, stage) in enumerate(pairwise(stages), start=2):
        # Every member has codes of its own: they are stacked into one table.
        x = _encode(below, x)
        codes = x.flatten(0, 1)
        tensors = {"input": codes, "target": codes}
        yield f"layer {layer}", (stage, objective, tensors, rows)


def in_phase(phase: str, rounds: History) -> History:
    """Return the rounds of a history with the name of their phase in front."""
    return [{"phase": phase} | row for row in rounds]


@torch.no_grad()
def _encode(stage: nn.Module, x: torch.Tensor) -> torch.Tensor:
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
