"""The Gaussian distribution of rows with gaps, and what it expects in the gaps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

_MOST_ROWS = 10_000  # enough for a covariance
_PRIOR_ROWS = 1.0  # uncorrelated rows that are added; more of them made fills worse
_JITTER = 1e-6  # keeps columns apart that determine each other
_BLOCK = 2**18  # elements of the matrices that are worked on at a time


@dataclass(frozen=True)
class _Gaps:
    """Rows that have equally many gaps, and the distribution of these.

    Attributes
    ----------
    rows : tensor of shape (n_rows,)
        Where the rows are in their table.
    columns : tensor of shape (n_rows, n_gaps)
        Where the gaps of each are.
    factor : tensor of shape (n_rows, n_gaps, n_gaps)
        Cholesky factors of the precisions of the gaps, given the rest of the row.
    """

    rows: torch.Tensor
    columns: torch.Tensor
    factor: torch.Tensor

    @property
    def cells(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Index of the gaps in their table."""
        return self.rows[:, None], self.columns

    def solve(self, vectors: torch.Tensor) -> torch.Tensor:
        """Apply the conditional covariance to a vector for each row."""
        return torch.cholesky_solve(vectors[..., None], self.factor)[..., 0]

    def covariance(self) -> torch.Tensor:
        return torch.cholesky_inverse(self.factor)


class ConditionalGaussian:
    """Mean and covariance of rows with gaps, by expectation maximisation.

    A gap is filled with its conditional mean, given what is observed in its row. Rows
    are tensors of standardised values that hold any finite number in their gaps.

    The conditional distribution of gaps is read off the inverse of the covariance, its
    precision: a row takes a system as large as it has gaps, where that of its observed
    values is larger as a rule, and a complete row takes none.

    Parameters
    ----------
    max_iter : int, default=15
        Largest number of iterations.
    tol : float, default=1e-2
        Largest change of the covariance at which the iteration stops.

    Attributes
    ----------
    mean_ : tensor of shape (n_features,)
    covariance_ : tensor of shape (n_features, n_features)

    References
    ----------
    .. [1] R. J. A. Little and D. B. Rubin, "Statistical Analysis with Missing Data",
       Wiley, 2002, chapter 11.
    """

    def __init__(self, max_iter: int = 15, tol: float = 1e-2) -> None:
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, rows: torch.Tensor, observed: torch.Tensor) -> ConditionalGaussian:
        step = 1 + len(rows) // _MOST_ROWS
        rows, observed = rows[::step], observed[::step]
        n_features = rows.shape[1]
        self._become(
            rows.new_zeros(n_features), torch.eye(n_features, dtype=rows.dtype)
        )
        gappy = list(_equally_gappy(observed))
        for _ in range(self.max_iter):
            before = self.covariance_
            self._update(rows, observed, gappy)
            if (self.covariance_ - before).abs().max() < self.tol:
                break
        return self

    def fill(self, rows: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
        """Return rows whose gaps hold their conditional means."""
        filled, pulls = rows.clone(), self._pulls(rows, observed)
        for gaps in self._gaps_of(observed):
            filled[gaps.cells] = self._expected(gaps, pulls)
        return filled

    def deviation(self, observed: torch.Tensor) -> torch.Tensor:
        """Conditional standard deviation of every gap; zero where there is none."""
        variance = self.mean_.new_zeros(observed.shape)
        for gaps in self._gaps_of(observed):
            variance[gaps.cells] = gaps.covariance().diagonal(dim1=1, dim2=2)
        return variance.sqrt()

    def draw_deviations(
        self, observed: torch.Tensor, random_state: np.random.RandomState
    ) -> torch.Tensor:
        """Draw deviations of gaps from their means.

        A row is drawn from the whole distribution. What remains after it was filled
        from its own observed part has the conditional distribution of the gaps.
        """
        factor = torch.linalg.cholesky(self.covariance_)
        normal = torch.from_numpy(random_state.normal(size=observed.shape))
        rows = self.mean_ + normal @ factor.T
        return rows - self.fill(rows, observed)

    def _update(
        self,
        rows: torch.Tensor,
        observed: torch.Tensor,
        gappy: list[tuple[torch.Tensor, torch.Tensor]],
    ) -> None:
        """Take mean and covariance from rows as they are expected to be."""
        n_samples, n_features = rows.shape
        filled, pulls = rows.clone(), self._pulls(rows, observed)
        uncertain = self.covariance_.new_zeros(n_features**2)
        for gaps in itertools.starmap(self._given, gappy):
            filled[gaps.cells] = self._expected(gaps, pulls)
            pairs = gaps.columns[:, :, None] * n_features + gaps.columns[:, None, :]
            uncertain += torch.bincount(
                pairs.flatten(), gaps.covariance().flatten(), minlength=n_features**2
            )
        mean = filled.mean(0)
        centred = filled - mean
        scatter = centred.T @ centred + uncertain.view(n_features, n_features)
        prior = _PRIOR_ROWS * scatter.diagonal() / n_samples + _JITTER * n_samples
        covariance = (scatter + prior.diag()) / (n_samples + _PRIOR_ROWS)
        self._become(mean, covariance)

    def _become(self, mean: torch.Tensor, covariance: torch.Tensor) -> None:
        self.mean_, self.covariance_ = mean, covariance
        self._precision = torch.cholesky_inverse(torch.linalg.cholesky(covariance))

    def _pulls(self, rows: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
        """How strongly what is observed in a row pulls at each of its columns."""
        return (rows - self.mean_) * observed @ self._precision

    def _expected(self, gaps: _Gaps, pulls: torch.Tensor) -> torch.Tensor:
        """Conditional means of gaps."""
        return self.mean_[gaps.columns] - gaps.solve(pulls[gaps.cells])

    def _gaps_of(self, observed: torch.Tensor) -> Iterator[_Gaps]:
        return itertools.starmap(self._given, _equally_gappy(observed))

    def _given(self, rows: torch.Tensor, columns: torch.Tensor) -> _Gaps:
        """Distribution of gaps, given the rest of their rows."""
        precision = self._precision[columns[:, :, None], columns[:, None, :]]
        return _Gaps(rows, columns, torch.linalg.cholesky(precision))


def _equally_gappy(
    observed: torch.Tensor,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Rows with equally many gaps at a time, whose matrices have one size, and where.

    Yields
    ------
    rows : tensor of shape (n_rows,)
    columns : tensor of shape (n_rows, n_gaps)
    """
    missing = ~observed
    n_gaps = missing.sum(1)
    for size in n_gaps.unique().tolist():
        if size == 0:
            continue
        alike = (n_gaps == size).nonzero()[:, 0]
        for rows in alike.split(max(1, _BLOCK // size**2)):
            yield rows, missing[rows].nonzero()[:, 1].view(-1, size)
