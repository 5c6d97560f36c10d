"""Which training rows are surely normal."""

from __future__ import annotations

import math

import numpy as np

from skae._tables import BLOCK, map_blocks
from skae._training import row_keys
from skae.estimators.detector._robust_scaling import RobustScaling

_CODEBOOKS, _CODES, _PASSES = 64, 4, 2


def core_rows(
    X: np.ndarray,
    scaling: RobustScaling,
    fraction: float,
    random_state: np.random.RandomState,
    *,
    idle: np.ndarray,
) -> np.ndarray:
    """Return the indices of the `fraction` of rows that codebooks reconstruct best.

    A codebook is a handful of rows; it reconstructs a row by the nearest of them, and
    the errors are averaged over codebooks. With so few codes an anomaly is rarely among
    them, and rarely has another anomaly of its kind to be near to. The second pass
    takes its codes from the core of the first.

    Of the copies of an idle row as many take part as there are other rows, or the core
    could be that row alone.
    """
    others = np.flatnonzero(~idle)
    copies = np.flatnonzero(idle)[: len(others) or len(X)]
    candidates = core = np.sort(np.concatenate([copies, others]))
    n_core = max(math.ceil(fraction * len(candidates)), min(len(candidates), 2))
    for _ in range(_PASSES):
        chosen = random_state.choice(core, (_CODEBOOKS, _CODES)).T
        codebooks = Codebooks(scaling, scaling.transform(X[chosen]))
        errors = codebooks.errors(X)[candidates]
        core = np.sort(candidates[np.argsort(errors, kind="stable")[:n_core]])
    return core


def idle_rows(X: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
    """Tell which rows are copies of one that fills more than a quarter of a table.

    That is where a machine rests, or where nothing was entered. How often it does tells
    nothing of how the other rows vary, and quartiles would be those of the copies.
    """
    keys = row_keys(X, random_state)
    distinct, counts = np.unique(keys, return_counts=True)
    if 4 * counts.max() <= len(X):
        return np.zeros(len(X), dtype=bool)
    return keys == distinct[counts.argmax()]


class Codebooks:
    """Codebooks, each of which reconstructs a row by the nearest of its codes.

    Parameters
    ----------
    codes : ndarray of shape (codes, codebooks, n_features)
        Scaled rows.
    """

    def __init__(self, scaling: RobustScaling, codes: np.ndarray) -> None:
        self._scaling = scaling
        self._shape = codes.shape[:2]
        flat = codes.reshape(-1, codes.shape[-1])
        self._minus_twice = -2 * flat.T
        self._squares = np.einsum("cf,cf->c", flat, flat)

    def errors(self, X: np.ndarray) -> np.ndarray:
        """Distance of every row to the nearest code, averaged over codebooks."""
        n_features = X.shape[1]
        # So few rows at a time that their distances to all codes fit into a cache.
        elements = BLOCK * n_features // max(n_features, self._squares.size)
        blocks = map_blocks(self._errors, X, 1, dtype=np.float64, elements=elements)
        return blocks[:, 0]

    def _errors(self, rows: np.ndarray) -> np.ndarray:
        scaled = self._scaling.transform(rows)
        distances = scaled @ self._minus_twice
        distances += self._squares
        nearest = distances.reshape(len(rows), *self._shape).min(axis=1)
        # The square of a row is the same to all codes.
        nearest += np.einsum("nf,nf->n", scaled, scaled)[:, None]
        return np.sqrt(nearest.clip(min=0)).mean(axis=1, keepdims=True)
