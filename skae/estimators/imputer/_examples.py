"""Known values that are hidden, so that filling gaps can be learned and judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from skae._tables import spread
from skae._training import Folds, Tensors

_EXAMPLES = 16_000  # more of few rows are not worth the time that filling them takes
_FEWEST_COPIES = 8  # fewer made larger errors where rows are many
_MOST_COPIES = 64
_MOST_CELLS = 800_000  # of all copies
# Least and largest share of the known values of a row that are scattered. More of them
# ask for fills of rows with far more gaps than a row has that is to be filled.
_SHARES = 0.05, 0.3
_JUDGED_COPIES = 4
_JUDGED_ROWS = 2_500  # on which every round is judged


@dataclass(frozen=True)
class GapExamples:
    """Copies of the rows of a table, in each of which other values are hidden.

    Half of the copies borrow the gaps of another row of the table, so that what is
    learned is what will be asked for. The others hide a random share of their values,
    one at least, so that no combination of gaps is new.

    Attributes
    ----------
    copies : int
        Number of copies of each row.
    source : tensor of shape (n_examples,)
        The row that each example is a copy of.
    observed, hidden : tensor of bool of shape (n_examples, n_features)
        What an example shows, and what it hides although it is known.
    """

    copies: int
    source: torch.Tensor
    observed: torch.Tensor
    hidden: torch.Tensor

    @classmethod
    def of(cls, observed: torch.Tensor, random: np.random.RandomState) -> GapExamples:
        """Hide values of a table of which is known where they are observed."""
        n_samples, n_features = observed.shape
        copies = min(max(_EXAMPLES // n_samples, _FEWEST_COPIES), _MOST_COPIES)
        copies = max(min(copies, _MOST_CELLS // (n_samples * n_features)), 1)
        source = torch.arange(n_samples).repeat(copies)

        known = observed[source]
        chance = torch.from_numpy(random.uniform(size=known.shape))
        share = torch.from_numpy(random.uniform(*_SHARES, size=(len(source), 1)))
        # Of few columns, a small share would often be none.
        least = chance.where(known, 1.0).amin(1, keepdim=True)
        scattered = known & (chance <= share.maximum(least))
        lender = torch.from_numpy(random.randint(n_samples, size=len(source)))
        borrowed = known & ~observed[lender]
        # In turn over copies and over rows, of which there may be one copy only.
        borrows = (source + torch.arange(len(source)) // n_samples) % 2 == 0
        borrows &= borrowed.any(1)
        hidden = torch.where(borrows[:, None], borrowed, scattered)
        return cls(copies, source, known & ~hidden, hidden)

    @property
    def n_samples(self) -> int:
        return len(self.source) // self.copies

    def tensors(self, rows: torch.Tensor, filled: torch.Tensor) -> Tensors:
        """What a network trains on: fills, and by how much hidden values differ."""
        difference = (rows[self.source] - filled) * self.hidden
        return {
            "input": filled.float(),
            "observed": self.observed.float(),
            "target": difference.float(),
            "weight": self.hidden.float(),
        }

    def folds(self, folds: Folds) -> Folds:
        """Return the folds of the examples, all copies of a row in one."""
        return Folds(
            [self.of_rows(rows) for rows in folds.training],
            [self.judged(rows, folds.members) for rows in folds.held_out],
        )

    def of_rows(self, rows: np.ndarray) -> np.ndarray:
        """Indices of all copies of some rows."""
        return self._indices(rows, self.copies)

    def judged(self, rows: np.ndarray, members: int = 1) -> np.ndarray:
        """Indices of enough copies of some rows for a judgement on a member."""
        most = _JUDGED_ROWS // members
        rows = spread(rows, most)
        copies = min(max(most // max(len(rows), 1), 1), _JUDGED_COPIES, self.copies)
        return self._indices(rows, copies)

    def _indices(self, rows: np.ndarray, copies: int) -> np.ndarray:
        return (rows + self.n_samples * np.arange(copies)[:, None]).ravel()
