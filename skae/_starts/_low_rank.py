"""The Gaussian distribution of rows with more columns than there are rows."""

from __future__ import annotations

import numpy as np
import torch

_MOST_ROWS = 1_000  # enough for so many dimensions
_MOST_RANK = 64  # of the correlations; a row is filled at the cost of its square
_LEAST_NOISE = 0.02  # share of a column's variance that is its own
_BLOCK = 2**20  # elements of the matrices that are worked on at a time


class LowRankGaussian:
    """Mean and shrunken correlations of standardised rows, solved in their own space.

    The correlations of `n` rows have no more than `n` dimensions, and most of what they
    say is chance. They are shrunken towards zero, while each column keeps its variance.
    Such a matrix is one of low rank plus a diagonal, and what it expects in the gaps of
    a row takes a system as large as the rank, not as the number of columns. Rows are
    tensors of standardised values that hold any finite number in their gaps.

    Factor analysis was rejected: on rows of images and spectra, which have many small
    factors, it was far worse, and elsewhere no better.

    Parameters
    ----------
    shrinkage : float
        Share of the correlations that is taken for chance, in (0, 1).
    max_iter : int, default=6
        Largest number of times that gaps are filled and correlations measured.
    tol : float, default=1e-2
        Largest change of a filled value at which the iteration stops.

    Attributes
    ----------
    mean_ : tensor of shape (n_features,)
    loadings_ : tensor of shape (n_features, rank)
        The covariance is the product of them plus a diagonal.
    noise_ : tensor of shape (n_features,)
        The diagonal.

    References
    ----------
    .. [1] O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional
       covariance matrices", Journal of Multivariate Analysis 88, 2004.
    """

    def __init__(self, shrinkage: float, max_iter: int = 6, tol: float = 1e-2) -> None:
        self.shrinkage = shrinkage
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, rows: torch.Tensor, observed: torch.Tensor) -> LowRankGaussian:
        step = 1 + len(rows) // _MOST_ROWS
        rows, observed = rows[::step], observed[::step]
        filled = rows * observed
        for _ in range(self.max_iter):
            self._measure(filled)
            before, filled = filled, self.fill(rows, observed)
            if (filled - before).abs().max() < self.tol:
                break
        return self

    def fill(self, rows: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
        """Return rows whose gaps hold their conditional means."""
        filled = torch.empty_like(rows)
        for part in self._blocks(rows):
            centred = (rows[part] - self.mean_) * observed[part]
            factors = torch.cholesky_solve(
                (centred @ self._weights)[..., None], self._precision(observed[part])
            )[..., 0]
            expected = self.mean_ + factors @ self.loadings_.T
            filled[part] = torch.where(observed[part], rows[part], expected)
        return filled

    def deviation(self, observed: torch.Tensor) -> torch.Tensor:
        """Conditional standard deviation of every gap; zero where there is none."""
        variance = torch.empty(observed.shape, dtype=self.mean_.dtype)
        for part in self._blocks(observed):
            uncertain = torch.cholesky_inverse(self._precision(observed[part]))
            variance[part] = ((self.loadings_ @ uncertain) * self.loadings_).sum(-1)
        return (self.noise_ + variance).sqrt() * ~observed

    def draw_deviations(
        self, observed: torch.Tensor, random_state: np.random.RandomState
    ) -> torch.Tensor:
        """Draw deviations of gaps from their means.

        A row is drawn from the whole distribution. What remains after it was filled
        from its own observed part has the conditional distribution of the gaps.
        """
        n_features, rank = self.loadings_.shape
        normal = torch.from_numpy(
            random_state.normal(size=(len(observed), n_features + rank))
        )
        own, common = normal.split((n_features, rank), dim=1)
        rows = self.mean_ + common @ self.loadings_.T + own * self.noise_.sqrt()
        return rows - self.fill(rows, observed)

    def _measure(self, filled: torch.Tensor) -> None:
        """Take mean and covariance from rows without gaps."""
        self.mean_ = filled.mean(0)
        centred = (filled - self.mean_) / len(filled) ** 0.5
        # Eigenvectors of the products of rows, of which there are fewer than columns.
        _, vectors = torch.linalg.eigh(centred @ centred.T)
        strongest = vectors[:, -_MOST_RANK:]
        self.loadings_ = (1 - self.shrinkage) ** 0.5 * (centred.T @ strongest)
        explained = self.loadings_.square().sum(1)
        self.noise_ = (1 - explained).clamp(min=_LEAST_NOISE)
        self._weights = self.loadings_ / self.noise_[:, None]

    def _precision(self, observed: torch.Tensor) -> torch.Tensor:
        """Cholesky factors of the precisions of the factors of rows."""
        seen = self._weights * observed[:, :, None]
        precision = self.loadings_.T @ seen
        precision.diagonal(dim1=1, dim2=2).add_(1)
        return torch.linalg.cholesky(precision)

    def _blocks(self, rows: torch.Tensor) -> list[slice]:
        size = max(1, _BLOCK // self.loadings_.numel())
        return [slice(i, i + size) for i in range(0, len(rows), size)]
