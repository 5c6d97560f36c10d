"""The local expert: a row is reconstructed by the training rows nearest to it."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from skae.estimators.detector._expert import Expert
from skae.estimators.detector._robust_scaling import RobustScaling
from skae.estimators.detector._surprise import Surprise


class NearestRows(Expert):
    """Squared differences from the nearest rows, in units of how far those are apart.

    The mean squared distance to the neighbours is divided by their mean distance to
    their own neighbours. This is half way from the distance itself, as in
    nearest-neighbour detection, to the relative distance of the local outlier factor,
    and was better than either.

    Parameters
    ----------
    scaling : RobustScaling
    n_neighbors : int
        All of the rows if there are no more.
    """

    def __init__(self, scaling: RobustScaling, n_neighbors: int) -> None:
        self.scaling = scaling
        self.n_neighbors = n_neighbors

    def fit(self, rows: np.ndarray) -> NearestRows:
        """Store training rows ``(n_rows, n_features)``, anomalies included."""
        self.rows = self.scaling.transform(rows.astype(np.float64))
        # Distances are a product of matrices and a selection; a tree takes longer from
        # about ten features on.
        self.search = NearestNeighbors(
            n_neighbors=min(self.n_neighbors, len(rows) - 1), algorithm="brute"
        ).fit(self.rows)
        # Without X a row is not its own neighbour.
        distances, neighbors = self._nearest(None)
        apart = distances.mean(axis=1)
        # Copies of one row are at no distance from each other.
        apart = np.maximum(apart, 1e-3 * apart.mean())
        self.apart = np.where(apart > 0, apart, 1.0)
        squared = np.square(distances).mean(axis=1)
        relative = squared / self.apart[neighbors].mean(axis=1)
        self.surprise = Surprise().fit(relative)
        return self

    def errors(self, X: np.ndarray) -> np.ndarray:
        scaled = self.scaling.transform(X)
        _, neighbors = self._nearest(scaled)
        squared = np.zeros_like(scaled)
        for nearest in neighbors.T:  # one at a time, for the sake of memory
            squared += np.square(scaled - self.rows[nearest])
        apart = self.apart[neighbors].sum(axis=1, keepdims=True)
        return squared / apart

    def _nearest(self, scaled: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        return self.search.kneighbors(scaled)
