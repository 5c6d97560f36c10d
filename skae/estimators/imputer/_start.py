"""What classical methods expect in the gaps of a row."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch

from skae._starts import ConditionalGaussian, LowRankGaussian, NearestMean
from skae._training import Folds
from skae.estimators.imputer._columns import GapTable
from skae.estimators.imputer._examples import GapExamples
from skae.losses import Loss

_WORTH = 200  # hidden values of a column that count as much as all other columns
_STORED_ROWS = 1_024  # that are searched for the nearest ones
_FEW_ROWS = 10  # for each column; below, a Gaussian has seen what it is asked for
_SHRINKAGES = (0.03, 0.1, 0.3, 0.6, 0.9)
_SHRINKAGE = 0.3  # where nothing is held out that would choose

Gaussian = ConditionalGaussian | LowRankGaussian

_SHARES = torch.linspace(0, 1, 11, dtype=torch.float64)


@dataclass(frozen=True)
class ConditionalStart:
    """Conditional mean of a Gaussian, mixed with the mean of the nearest rows.

    Attributes
    ----------
    gaussian : ConditionalGaussian or LowRankGaussian
    nearest : NearestMean
    share : tensor of shape (n_features,)
        Share of the nearest rows in the fill of each column, in [0, 1].
    """

    gaussian: Gaussian
    nearest: NearestMean
    share: torch.Tensor

    def fill(self, rows: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
        """Return rows whose gaps hold what is expected there."""
        expected = self.gaussian.fill(rows, observed)
        return self.mix(expected, self.nearest.fill(rows, observed))

    def mix(
        self, gaussian_fill: torch.Tensor, nearest_fill: torch.Tensor
    ) -> torch.Tensor:
        return torch.lerp(gaussian_fill, nearest_fill, self.share)


def fit_start(
    table: GapTable,
    examples: GapExamples,
    folds: Folds,
    loss: Loss,
    random: np.random.RandomState,
) -> tuple[ConditionalStart, torch.Tensor]:
    """Fit a start to a table and let it fill the examples as if they were new rows.

    Parameters
    ----------
    folds : Folds
        Of the rows. Where rows are few, those that are held out are filled by a
        Gaussian that has not seen them.

    Returns
    -------
    start : ConditionalStart
    filled : tensor of shape (n_examples, n_features)
    """
    rows, observed = table.rows, table.observed
    n_samples, n_features = rows.shape
    gaussian = choose_gaussian(table, examples, folds, loss).fit(rows, observed)
    shown = rows[examples.source] * examples.observed
    expected = gaussian.fill(shown, examples.observed)
    if n_samples < _FEW_ROWS * n_features:
        for fold in filter(len, folds.held_out):
            unseeing = _fit_without(gaussian, table, fold)
            mine = examples.of_rows(fold)
            expected[mine] = unseeing.fill(shown[mine], examples.observed[mine])

    stored = torch.from_numpy(random.permutation(n_samples)[:_STORED_ROWS])
    complete = gaussian.fill(rows[stored], observed[stored])
    own = torch.full((n_samples,), -1)
    own[stored] = torch.arange(len(stored))
    # There are many examples, and no more than float32 is learned from them.
    neighbouring = NearestMean().fit(complete.float())
    neighbours = neighbouring.fill(
        shown.float(), examples.observed, own[examples.source]
    )
    truth, hidden = rows[examples.source].float(), examples.hidden
    share = best_share(expected.float(), neighbours, truth, hidden, loss)
    start = ConditionalStart(gaussian, NearestMean().fit(complete), share)
    return start, start.mix(expected, neighbours.double())


def choose_gaussian(
    table: GapTable, examples: GapExamples, folds: Folds, loss: Loss
) -> Gaussian:
    """Return the distribution to fit, by how many rows there are for each column.

    How much correlations are shrunken where rows are few is chosen by the loss on
    hidden values of a fold that was held out: a wide table has many in one of them.
    """
    if not table.is_wide:
        return ConditionalGaussian()
    fold, members = folds.held_out[0], folds.members
    if len(fold) == 0:
        return LowRankGaussian(_SHRINKAGE)
    mine = examples.judged(fold, members)
    truth, hidden = table.rows[examples.source[mine]], examples.hidden[mine]

    def error(gaussian: Gaussian) -> float:
        unseeing = _fit_without(gaussian, table, fold)
        filled = unseeing.fill(truth, examples.observed[mine])
        return float((loss.pointwise(filled, truth) * hidden).sum())

    return min(map(LowRankGaussian, _SHRINKAGES), key=error)


def _fit_without(gaussian: Gaussian, table: GapTable, fold: np.ndarray) -> Gaussian:
    """Fit a copy of a Gaussian to all rows but some."""
    others = np.delete(np.arange(len(table.rows)), fold)
    return copy.copy(gaussian).fit(table.rows[others], table.observed[others])


def best_share(
    gaussian_fill: torch.Tensor,
    nearest_fill: torch.Tensor,
    truth: torch.Tensor,
    hidden: torch.Tensor,
    loss: Loss,
) -> torch.Tensor:
    """Share of the nearest rows in each column, from two fills of the same values.

    It is the one with the least loss on the hidden values of the column or, where few
    were hidden, on those of all columns.
    """
    losses = torch.stack(
        [
            (
                loss.pointwise(gaussian_fill.lerp(nearest_fill, share), truth) * hidden
            ).sum(0)
            for share in _SHARES
        ]
    )
    of_all = losses.sum(1, keepdim=True) / hidden.sum().clamp(min=1)
    return _SHARES[(losses + _WORTH * of_all).argmin(0)]
