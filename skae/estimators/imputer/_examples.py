"""Known values that are hidden, so that filling gaps can be learned and judged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from skae._starts import ConditionalGaussian, NearestMean
from skae.estimators.imputer._start import ConditionalStart
from skae.losses import Loss

_MOST_COPIES = 64  # a quarter as many cost a hundredth of the error
_MOST_CELLS = 800_000  # of all copies; each copy is filled, which takes time
_STORED_ROWS = 1_024  # that are searched for the nearest ones
_JUDGED_COPIES = 4
_JUDGED_ROWS = 5_000
_FEW_ROWS = 10  # for each column; below, a Gaussian has seen what it is asked for


class GapExamples:
    """Copies of the rows of a table, in each of which other values are hidden.

    Half of the copies borrow the gaps of another row of the table, so that what is
    learned is what will be asked for. The others hide a random share of their values,
    so that no combination of gaps is new.

    Attributes
    ----------
    source : tensor of shape (n_examples,)
        The row that each example is a copy of.
    observed, hidden : tensor of bool of shape (n_examples, n_features)
        What an example shows, and what it hides although it is known.
    """

    def __init__(self, observed: torch.Tensor, random: np.random.RandomState) -> None:
        n_samples, n_features = observed.shape
        copies = _MOST_CELLS // (n_samples * n_features)
        self.copies = min(max(copies, 1), _MOST_COPIES)
        self.n_samples = n_samples
        self.source = torch.arange(n_samples).repeat(self.copies)

        shape = len(self.source), n_features
        share = random.uniform(0.1, 0.7, size=(len(self.source), 1))
        scattered = torch.from_numpy(random.uniform(size=shape) < share)
        lender = torch.from_numpy(random.randint(n_samples, size=len(self.source)))
        borrowed = ~observed[lender]
        known = observed[self.source]
        # In turn over copies and over rows, of which there may be one copy only.
        borrows = (self.source + torch.arange(len(self.source)) // n_samples) % 2 == 0
        borrows &= (borrowed & known).any(1)
        hide = torch.where(borrows[:, None], borrowed, scattered)
        self.hidden = known & hide
        self.observed = known & ~hide

    def tensors(
        self, rows: torch.Tensor, filled: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """What a network trains on: fills, and by how much hidden values differ."""
        difference = (rows[self.source] - filled) * self.hidden
        return {
            "input": filled.float(),
            "observed": self.observed.float(),
            "target": difference.float(),
            "weight": self.hidden.float(),
        }

    def of_rows(self, rows: np.ndarray) -> np.ndarray:
        """Indices of all copies of some rows."""
        return (rows + self.n_samples * np.arange(self.copies)[:, None]).ravel()

    def judged(self, rows: np.ndarray, members: int = 1) -> np.ndarray:
        """Indices of enough copies of some rows for a judgement on a member."""
        copies = min(self.copies, _JUDGED_COPIES)
        rows = rows[:: 1 + copies * members * len(rows) // _JUDGED_ROWS]
        return (rows + self.n_samples * np.arange(copies)[:, None]).ravel()


def start_from(
    rows: torch.Tensor,
    observed: torch.Tensor,
    examples: GapExamples,
    held_out: Sequence[np.ndarray],
    loss: Loss,
    random: np.random.RandomState,
) -> tuple[ConditionalStart, torch.Tensor]:
    """Fit a start to a table and let it fill the examples as if they were new rows.

    Parameters
    ----------
    rows, observed : tensor of shape (n_samples, n_features)
        The table, standardised, and where it has no gaps.
    held_out : sequence of ndarray
        Folds of rows. Where rows are few, those of a fold are filled by a Gaussian
        that has not seen them.

    Returns
    -------
    start : ConditionalStart
    filled : tensor of shape (n_examples, n_features)
    """
    n_samples, n_features = rows.shape
    gaussian = ConditionalGaussian().fit(rows, observed)
    shown = rows[examples.source] * examples.observed
    expected = gaussian.fill(shown, examples.observed)
    if n_samples < _FEW_ROWS * n_features:
        for fold in filter(len, held_out):
            others = np.delete(np.arange(n_samples), fold)
            unseeing = ConditionalGaussian().fit(rows[others], observed[others])
            mine = examples.of_rows(fold)
            expected[mine] = unseeing.fill(shown[mine], examples.observed[mine])

    stored = torch.from_numpy(random.permutation(n_samples)[:_STORED_ROWS])
    nearest = NearestMean(gaussian.fill(rows[stored], observed[stored]))
    own = torch.full((n_samples,), -1)
    own[stored] = torch.arange(len(stored))
    neighbouring = nearest.fill(shown, examples.observed, own[examples.source])

    start = ConditionalStart(gaussian, nearest)
    truth, hidden = rows[examples.source], examples.hidden
    start.fit_share(expected, neighbouring, truth, hidden, loss.pointwise)
    return start, start.mix(expected, neighbouring)
