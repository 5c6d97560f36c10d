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

    def fit_surprises(
        self, X: np.ndarray, reference: np.ndarray, rareness: np.ndarray
    ) -> np.ndarray:
        """Store reference rows, anomalies included, and judge all training rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            The training rows.
        reference : ndarray of int
            Which of them to store.
        rareness : ndarray of shape (n_samples,)
            Surprises of another expert at the training rows.

        Returns
        -------
        surprises : ndarray of shape (n_samples,)
            At the training rows.
        """
        self.rows = self.scaling.transform(X[reference].astype(np.float64, copy=False))
        # Rarer than any of these rows may be is none, whatever its error.
        most = math.log(2 * len(reference))
        self.doubt = np.exp(_DOUBT * rareness[reference].clip(max=most))
        # Distances are a product of matrices and a selection; a tree takes longer from
        # about ten features on. Some more rows, for those that are left out.
        self.search = NearestNeighbors(
            n_neighbors=min(2 * self.n_neighbors, len(reference)), algorithm="brute"
        ).fit(self.rows)
        # Neighbours are searched for once: of the stored rows first, because an error
        # needs to know how far its neighbours are apart.
        blocks = list(row_blocks(*self.rows.shape))
        found = [self._nearest(self.rows[block]) for block in blocks]
        self.apart = _apart(np.concatenate([squared for _, squared in found]))
        totals = np.empty(len(X))
        for block, (neighbors, _) in zip(blocks, found, strict=True):
            errors = self._errors(self.rows[block], neighbors)
            totals[reference[block]] = errors.sum(axis=1)
        others = np.setdiff1d(np.arange(len(X)), reference)
        for block in row_blocks(len(others), X.shape[1]):
            rows = X[others[block]].astype(np.float64, copy=False)
            totals[others[block]] = self.errors(rows).sum(axis=1)
        self.surprise = Surprise().fit(totals[reference])
        return self.surprise(totals)

    def errors(self, X: np.ndarray) -> np.ndarray:
        scaled = self.scaling.transform(X)
        neighbors, _ = self._nearest(scaled)
        return self._errors(scaled, neighbors)

    def _errors(self, scaled: np.ndarray, neighbors: np.ndarray) -> np.ndarray:
        squares = np.square(scaled[:, None] - self.rows[neighbors])
        doubted = np.einsum("nk,nkf->nf", self.doubt[neighbors], squares)
        return doubted / self.apart[neighbors].sum(axis=1, keepdims=True)

    def _nearest(self, scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indices ``(n, n_neighbors)`` of the nearest rows, and squared distances."""
        candidates = self.search.kneighbors(scaled, return_distance=False)
        # In an order that does not depend on how many rows are searched for at a time,
        # as that of ties does; and by exact distances, which are zero of equal rows.
        candidates.sort(axis=1)
        differences = scaled[:, None] - self.rows[candidates]
        squared = np.einsum("nkf,nkf->nk", differences, differences)
        order = squared.argsort(axis=1, kind="stable")
        candidates = np.take_along_axis(candidates, order, axis=1)
        squared = np.take_along_axis(squared, order, axis=1)
        n_neighbors = min(self.n_neighbors, len(self.rows) - 1)
        equal = squared <= _SAME
        left_out = equal & (equal.cumsum(axis=1) <= equal.shape[1] - n_neighbors)
        kept = ~left_out & ((~left_out).cumsum(axis=1) <= n_neighbors)
        shape = len(scaled), n_neighbors
        return candidates[kept].reshape(shape), squared[kept].reshape(shape)


def _apart(squared: np.ndarray) -> np.ndarray:
    """Mean distance of rows to their neighbours ``(n, n_neighbors)``.

    Copies of one row do not tell how far rows are apart where they are.
    """
    apart = np.sqrt(squared).mean(axis=1)
    typical = np.median(apart[apart > 0]) if apart.any() else 1.0
    return np.where(apart > _COPIES * typical, apart, typical)
