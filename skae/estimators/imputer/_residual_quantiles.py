"""How far the values in gaps lie from what they are filled with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

_LEVELS = np.linspace(0, 1, 201)


@dataclass(frozen=True)
class ResidualQuantiles:
    """Distribution of the residuals of each column, in conditional deviations.

    A residual is divided by the standard deviation that a Gaussian gives its gap, which
    is larger where less of the row is observed. What the quotients are distributed like
    is not assumed but taken from values that were hidden.

    Attributes
    ----------
    quantiles : ndarray of shape (n_features, n_levels)
        Of the quotients, at evenly spaced levels from zero to one.
    """

    quantiles: np.ndarray

    @classmethod
    def normal(cls, n_features: int) -> ResidualQuantiles:
        """Quotients of columns of which nothing was hidden."""
        normal = norm.ppf(_LEVELS.clip(1e-3, 1 - 1e-3))
        return cls(np.tile(normal, (n_features, 1)))

    @classmethod
    def of(
        cls, residuals: np.ndarray, deviations: np.ndarray, hidden: np.ndarray
    ) -> ResidualQuantiles:
        """Quotients of hidden values.

        Parameters
        ----------
        residuals : ndarray of shape (n_samples, n_features)
            Truth minus fill.
        deviations : ndarray of shape (n_samples, n_features)
            Conditional standard deviations, positive where a value is hidden.
        hidden : ndarray of bool of shape (n_samples, n_features)
            Which of them count.
        """
        quantiles = cls.normal(residuals.shape[1]).quantiles
        for j, known in enumerate(hidden.T):
            if known.any():
                quotients = residuals[known, j] / deviations[known, j]
                quantiles[j] = np.quantile(quotients, _LEVELS)
        return cls(quantiles)

    @property
    def spread(self) -> np.ndarray:
        """Root mean square of the quotients of each column."""
        middles = (self.quantiles[:, 1:] + self.quantiles[:, :-1]) / 2
        return np.sqrt(np.square(middles).mean(axis=1))

    def from_normal(self, quotients: np.ndarray) -> np.ndarray:
        """Give normal numbers the distribution of the columns, rank by rank."""
        levels = norm.cdf(quotients)
        columns = zip(levels.T, self.quantiles, strict=True)
        return np.stack([np.interp(u, _LEVELS, q) for u, q in columns], axis=-1)
