"""Batches as gathers from memory, for all members at once."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch

from skae._training._folds import Folds
from skae._training._objective import Tensors

_EVALUATION_ROWS = 2**13  # rows, over all members, that are evaluated at a time
_EVALUATION_VALUES = 2**16  # of these rows: what layers make of them fits into a cache
FEWEST_STEPS, MOST_STEPS = 20, 300  # in a round


def steps_of(
    passes: float, n_samples: int, batch_size: int, fewest: int, most: int
) -> int:
    """Steps in a round of so many passes over the rows.

    Never so few that a round means nothing, nor so many that the cost grows with the
    table.
    """
    # Rounded, or a share of the rows that is no binary number would add a step.
    steps = math.ceil(round(passes * n_samples / min(batch_size, n_samples), 6))
    return min(max(steps, fewest), most)


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
        self, folds: Folds, batch_size: int, steps: int, generator: torch.Generator
    ) -> None:
        self.members = folds.members
        self.steps = steps
        self._rows = [torch.from_numpy(rows) for rows in folds.training]
        self._rest = [rows[:0] for rows in self._rows]
        self.generator = generator
        self._batch_size = min(batch_size, folds.longest)

    def next_round(self) -> torch.Tensor:
        """Row indices of shape ``(steps, members, batch)``."""
        needed = self.steps * self._batch_size
        taken = [self._take(member, needed) for member in range(self.members)]
        walks = torch.stack(taken).unflatten(1, (self.steps, self._batch_size))
        return walks.transpose(0, 1)

    def _take(self, member: int, needed: int) -> torch.Tensor:
        rows, pieces = self._rows[member], [self._rest[member]]
        missing = needed - len(pieces[0])
        for _ in range(math.ceil(max(missing, 0) / len(rows))):
            order = torch.randperm(len(rows), generator=self.generator)
            pieces.append(rows[order])
        walk = torch.cat(pieces)
        self._rest[member] = walk[needed:]
        return walk[:needed]


class HeldOutBatches:
    """The held-out rows of the members that have any, padded to equal length.

    Parameters
    ----------
    folds : Folds
    row_size : int
        Values in a row.
    """

    def __init__(self, folds: Folds, row_size: int) -> None:
        self.members = folds.judged_members
        held_out = folds.held_out[: self.members]
        longest = max(len(rows) for rows in held_out)
        rows = np.zeros((self.members, longest), dtype=np.int64)
        self._held_out = np.zeros((self.members, longest), dtype=bool)
        for member, own in enumerate(held_out):
            rows[member, : len(own)] = own
            self._held_out[member, : len(own)] = True
        self._rows = torch.from_numpy(rows)
        block = min(_EVALUATION_ROWS, _EVALUATION_VALUES // row_size)
        self._block = max(1, block // self.members)

    def __iter__(self) -> Iterator[torch.Tensor]:
        return iter(self._rows.split(self._block, dim=1))

    def select(self, errors: torch.Tensor) -> np.ndarray:
        """Errors ``(members, longest, ...)`` of the rows that are no padding."""
        return errors.double().cpu().numpy()[self._held_out]
