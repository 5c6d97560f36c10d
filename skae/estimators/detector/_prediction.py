"""The experts and what their surprises add up to: what a detector predicts with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skae._tables import map_blocks
from skae.estimators.detector._examples import Rows
from skae.estimators.detector._expert import Expert
from skae.estimators.detector._module import MaskedAutoencoder
from skae.estimators.detector._nearest_rows import NearestRows
from skae.estimators.detector._networks import MaskedNetworks

#: Exponent of the mean over experts. The largest surprise alone ranks as well on
#: average, but worse where training rows are clean; the plain mean (1) is worse where
#: they are not.
_POWER = 3
#: Of the networks and of the nearest rows. Equal weights are better where training rows
#: hold anomalies, and worse where they are clean.
_WEIGHTS = (1.0, 3.0)


@dataclass(frozen=True)
class Panel:
    """Experts that judge the same rows.

    Attributes
    ----------
    networks : MaskedNetworks
    nearest : NearestRows or None
    """

    networks: MaskedNetworks
    nearest: NearestRows | None

    @classmethod
    def fit_scores(
        cls, module: MaskedAutoencoder, rows: Rows, n_neighbors: int | None
    ) -> tuple[Panel, np.ndarray]:
        """Let trained networks judge, and the nearest rows if there are neighbours.

        Parameters
        ----------
        module : MaskedAutoencoder
            Trained.
        rows : Rows
        n_neighbors : int or None

        Returns
        -------
        panel : Panel
        scores : ndarray of shape (n_samples,)
            Of the training rows, which the experts have judged to be fitted.
        """
        networks, nearest = MaskedNetworks(module, rows.view), None
        surprises = [networks.fit_surprises(rows)]
        if n_neighbors is not None:
            nearest = NearestRows(rows.scaling, n_neighbors)
            surprises += [nearest.fit_surprises(rows.X, rows.reference, surprises[0])]
        return cls(networks, nearest), _scores(np.stack(surprises))

    @property
    def experts(self) -> list[Expert]:
        """All experts."""
        return [self.networks] + ([] if self.nearest is None else [self.nearest])

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Return minus the power mean of the surprises at each row."""
        return map_blocks(self._score, X, 1, dtype=np.float64)[:, 0]

    def contributions(self, X: np.ndarray) -> np.ndarray:
        """Return what each feature adds to minus the score of each row."""
        return map_blocks(self._contribute, X, X.shape[1], dtype=np.float64)

    def _score(self, rows: np.ndarray) -> np.ndarray:
        surprises, _ = self._judge(rows)
        return _scores(surprises)[:, None]

    def _contribute(self, rows: np.ndarray) -> np.ndarray:
        surprises, errors = self._judge(rows)
        total = errors.sum(axis=2)
        shares = _parts(surprises) / np.where(total > 0, total, 1)
        return np.einsum("en,enf->nf", shares, errors)

    def _judge(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Surprises ``(n_experts, n)`` and errors ``(n_experts, n, n_features)``."""
        errors = np.stack([expert.errors(rows) for expert in self.experts])
        surprises = [
            expert.surprise(error.sum(axis=1))
            for expert, error in zip(self.experts, errors, strict=True)
        ]
        return np.stack(surprises), errors


def _scores(surprises: np.ndarray) -> np.ndarray:
    return -_parts(surprises).sum(axis=0)


def _parts(surprises: np.ndarray) -> np.ndarray:
    """Split the power mean of surprises ``(n_experts, n)`` among the experts."""
    weights = np.array(_WEIGHTS[: len(surprises)])[:, None]
    largest = surprises.max(axis=0)
    # Relative to the largest one, or the powers could overflow.
    powers = np.power(surprises / np.where(largest > 0, largest, 1), _POWER) * weights
    total = powers.sum(axis=0)
    mean = largest * np.power(total / weights.sum(), 1 / _POWER)
    return powers * (mean / np.where(total > 0, total, 1))
