"""Batches as gathers from memory, for all members at once."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch

from skae._training._folds import Folds

Tensors = dict[str, torch.Tensor]

_EVALUATION_ROWS = 2**13  # rows, over all members, that are evaluated at a time
_EVALUATION_VALUES = 2**16  # of these rows: what layers make of them fits into a cache


def gather(tensors: Tensors, rows: torch.Tensor) -> Tensors:
    """Rows of every tensor, of shape ``(members, batch, ...)``.

    A tensor that goes by two names, as input and target do, is gathered once.
    """
    flat = rows.flatten()
    gathered = {
        key: tensor.index_select(0, flat).view(rows.shape + tensor.shape[1:])
        for key, tensor in {id(tensor): tensor for tensor in tensors.values()}.items()
    }
    return {name: gathered[id(tensor)] for name, tensor in tensors.items()}


class TrainingBatches:
    """The batches of a round: every member walks its rows, permuted, without end.

    A batch may begin in one permutation and end in the next, so all batches are equally
    large and no row is left out.
    """

    def __init__(
        self,
        folds: Folds,
        batch_size: int,
        generator: torch.Generator,
        passes: float = 3,
    ) -> None:
        self.members = folds.members
        self._rows = [torch.from_numpy(rows) for rows in folds.training]
        self._rest = [rows[:0] for rows in self._rows]
        self._generator = generator
        longest = max(len(rows) for rows in self._rows)
        self._batch_size = min(batch_size, longest)
        # Never so few steps that a round means nothing, nor so many that the cost grows
        # with the table.
        # Rounded, or a share of the rows that is no binary number would add a step.
        steps = math.ceil(round(passes * longest / self._batch_size, 6))
        self.steps = min(max(steps, 20), 300)

    def next_round(self) -> torch.Tensor:
        """Row indices of shape ``(steps, members, batch)``."""
        needed = self.steps * self._batch_size
        taken = [self._take(member, needed) for member in range(self.members)]
        walks = torch.stack(taken).unflatten(1, (self.steps, self._batch_size))
        return walks.transpose(0, 1)

    def _take(self, member: int, needed: int) -> torch.Tensor:
        rows, pieces = self._rows[member], [self._rest[member]]
        while sum(map(len, pieces)) < needed:
            order = torch.randperm(len(rows), generator=self._generator)
            pieces.append(rows[order])
        walk = torch.cat(pieces)
        self._rest[member] = walk[needed:]
        return walk[:needed]


class HeldOutBatches:
    """The held-out rows of all members, padded to equal length.

    Parameters
    ----------
    folds : Folds
    n_values : int
        Values in a row.
    """

    def __init__(self, folds: Folds, n_values: int) -> None:
        longest = max(len(rows) for rows in folds.held_out)
        rows = np.zeros((folds.members, longest), dtype=np.int64)
        self._held_out = np.zeros((folds.members, longest), dtype=bool)
        for member, held_out in enumerate(folds.held_out):
            rows[member, : len(held_out)] = held_out
            self._held_out[member, : len(held_out)] = True
        self._rows = torch.from_numpy(rows)
        block = min(_EVALUATION_ROWS, _EVALUATION_VALUES // n_values)
        self._block = max(1, block // folds.members)

    def __iter__(self) -> Iterator[torch.Tensor]:
        return iter(self._rows.split(self._block, dim=1))

    def select(self, errors: torch.Tensor) -> np.ndarray:
        """Errors ``(members, longest, ...)`` of the rows that are no padding."""
        return errors.double().cpu().numpy()[self._held_out]
