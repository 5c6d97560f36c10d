"""The Gaussian distribution of rows with gaps, and what it expects in the gaps."""

from __future__ import annotations

import numpy as np
import torch

_MOST_ROWS = 10_000  # enough for a covariance
_PRIOR_ROWS = 1.0  # uncorrelated rows that are added; more of them made fills worse
_JITTER = 1e-6  # keeps columns apart that determine each other
_BLOCK = 2**18  # elements of the matrices that are worked on at a time


class ConditionalGaussian:
    """Mean and covariance of rows with gaps, by expectation maximisation.

    A gap is filled with its conditional mean, given what is observed in its row. Rows
    are tensors of standardised values that hold any finite number in their gaps.

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
        self.mean_ = rows.new_zeros(n_features)
        self.covariance_ = torch.eye(n_features, dtype=rows.dtype)
        for _ in range(self.max_iter):
            before = self.covariance_
            self._update(rows, observed)
            if (self.covariance_ - before).abs().max() < self.tol:
                break
        return self

    def fill(self, rows: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
        """Return rows whose gaps hold their conditional means."""
        filled = torch.empty_like(rows)
        for part in self._blocks(rows):
            factor = self._observed_factor(observed[part])
            centred = (rows[part] - self.mean_) * observed[part]
            weights = torch.cholesky_solve(centred[..., None], factor)[..., 0]
            expected = self.mean_ + weights @ self.covariance_
            filled[part] = torch.where(observed[part], rows[part], expected)
        return filled

    def deviation(self, observed: torch.Tensor) -> torch.Tensor:
        """Conditional standard deviation of every gap; zero where there is none."""
        variance = torch.empty(observed.shape, dtype=self.mean_.dtype)
        for part in self._blocks(observed):
            precision = self._observed_precision(observed[part])
            explained = (self.covariance_ @ precision * self.covariance_).sum(-1)
            variance[part] = self.covariance_.diagonal() - explained
        # Rounding is all that may be left of the variance of a gap.
        return variance.clamp(min=_JITTER).sqrt() * ~observed

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

    def _update(self, rows: torch.Tensor, observed: torch.Tensor) -> None:
        n_samples = len(rows)
        filled = torch.empty_like(rows)
        precision = torch.zeros_like(self.covariance_)
        for part in self._blocks(rows):
            precisions = self._observed_precision(observed[part])
            centred = rows[part] - self.mean_
            weights = (precisions @ centred[..., None])[..., 0]
            expected = self.mean_ + weights @ self.covariance_
            filled[part] = torch.where(observed[part], rows[part], expected)
            precision += precisions.sum(0)
        self.mean_ = filled.mean(0)
        centred = filled - self.mean_
        scatter = centred.T @ centred + n_samples * self.covariance_
        # The conditional covariance of a row is S - S P S, with P the precision of its
        # observed part; where a value is observed, that is zero by itself.
        scatter -= self.covariance_ @ precision @ self.covariance_
        prior = _PRIOR_ROWS * scatter.diagonal() / n_samples + _JITTER * n_samples
        self.covariance_ = (scatter + prior.diag()) / (n_samples + _PRIOR_ROWS)

    def _observed_factor(self, observed: torch.Tensor) -> torch.Tensor:
        """Cholesky factors of the covariances of what is observed in each row.

        Gaps are taken for independent values of variance one, so that the matrices of
        all rows have one size.
        """
        kept = observed.to(self.covariance_.dtype)
        matrices = self.covariance_ * kept[:, :, None] * kept[:, None, :]
        matrices.diagonal(dim1=1, dim2=2).add_(1 - kept)
        return torch.linalg.cholesky(matrices)

    def _observed_precision(self, observed: torch.Tensor) -> torch.Tensor:
        precision = torch.cholesky_inverse(self._observed_factor(observed))
        return precision * (observed[:, :, None] & observed[:, None, :])

    def _blocks(self, rows: torch.Tensor) -> list[slice]:
        n_samples, n_features = rows.shape
        size = max(1, _BLOCK // n_features**2)
        return [slice(i, i + size) for i in range(0, n_samples, size)]
