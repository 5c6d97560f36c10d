"""The local expert: a row is reconstructed by the training rows nearest to it."""

from __future__ import annotations

import math

import numpy as np
from sklearn.neighbors import NearestNeighbors

from skae._tables import row_blocks
from skae.estimators.detector._expert import Expert
from skae.estimators.detector._robust_scaling import RobustScaling
from skae.estimators.detector._surprise import Surprise

_SAME = 1e-12  # squared distance of rows that are equal but for the rounding of float32
_COPIES = 1e-3  # of the usual distance of rows: as good as none
_DOUBT = 1 / 3  # exponent of a neighbour's rareness; more is worse for clean rows


class NearestRows(Expert):
    """Squared differences from the nearest rows, in units of how far those are apart.

    The mean squared distance to the neighbours is divided by their mean distance to
    their own neighbours. This is half way from the distance itself, as in
    nearest-neighbour detection, to the relative distance of the local outlier factor,
    and was better than either.

    A neighbour vouches for a row as far as it is normal itself: a squared distance
    counts the more, the rarer the neighbour's error is under the networks. Or anomalies
    of a kind would vouch for each other.

    No row vouches for itself. Rows that equal a row are left out, whether the row was
    in training or not, so that both are judged alike; but no more of them than there
    are neighbours, because where there are many more copies of a row, it is normal.

    Parameters
    ----------
    scaling : RobustScaling
    n_neighbors : int
        All of the rows if there are no more.
    """

    def __init__(self, scaling: RobustScaling, n_neighbors: int) -> None:
        self.scaling = scaling
        self.n_neighbors = n_neighbors

    def fit(self, rows: np.ndarray, surprises: np.ndarray) -> NearestRows:
        """Store training rows, anomalies included.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features)
        surprises : ndarray of shape (n_rows,)
            Of another expert at these rows.
        """
        self.rows = self.scaling.transform(rows.astype(np.float64))
        # Rarer than any of these rows may be is none, whatever its error.
        self.doubt = np.exp(_DOUBT * surprises.clip(max=math.log(2 * len(rows))))
        # Distances are a product of matrices and a selection; a tree takes longer from
        # about ten features on. Some more rows, for those that are left out.
        self.search = NearestNeighbors(
            n_neighbors=min(2 * self.n_neighbors, len(rows)), algorithm="brute"
        ).fit(self.rows)
        parts = row_blocks(*self.rows.shape)
        found = [self._nearest(self.rows[part]) for part in parts]
        neighbors = np.concatenate([nearest for nearest, _ in found])
        squared = np.concatenate([squares.sum(axis=2) for _, squares in found])
        apart = np.sqrt(squared).mean(axis=1)
        # Copies of one row do not tell how far rows are apart where they are.
        typical = np.median(apart[apart > 0]) if apart.any() else 1.0
        self.apart = np.where(apart > _COPIES * typical, apart, typical)
        doubted = (self.doubt[neighbors] * squared).sum(axis=1)
        self.surprise = Surprise().fit(doubted / self.apart[neighbors].sum(axis=1))
        return self

    def errors(self, X: np.ndarray) -> np.ndarray:
        neighbors, squares = self._nearest(self.scaling.transform(X))
        doubted = np.einsum("nk,nkf->nf", self.doubt[neighbors], squares)
        return doubted / self.apart[neighbors].sum(axis=1, keepdims=True)

    def _nearest(self, scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indices ``(n, n_neighbors)`` of the nearest rows, and squared differences."""
        _, candidates = self.search.kneighbors(scaled)
        squares = np.square(scaled[:, None] - self.rows[candidates])
        n_neighbors = min(self.n_neighbors, len(self.rows) - 1)
        equal = squares.sum(axis=2) <= _SAME
        left_out = equal & (equal.cumsum(axis=1) <= equal.shape[1] - n_neighbors)
        kept = ~left_out & ((~left_out).cumsum(axis=1) <= n_neighbors)
        shape = len(scaled), n_neighbors
        return candidates[kept].reshape(shape), squares[kept].reshape(*shape, -1)
