"""Which training rows are surely normal."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances

from skae._tables import map_blocks
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
        chosen = X[random_state.choice(core, _CODEBOOKS * _CODES)]
        error = partial(_codebook_error, scaling, scaling.transform(chosen))
        errors = map_blocks(error, X, 1, dtype=np.float64)[candidates, 0]
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


def _codebook_error(
    scaling: RobustScaling, codes: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    distances = euclidean_distances(scaling.transform(rows), codes)
    nearest = distances.reshape(len(rows), _CODEBOOKS, _CODES).min(axis=2)
    return nearest.mean(axis=1, keepdims=True)
