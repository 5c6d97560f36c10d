"""Which training rows are surely normal."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances

from skae._tables import map_blocks
from skae.estimators.detector._robust_scaling import RobustScaling

_CODEBOOKS, _CODES, _PASSES = 64, 4, 2


def core_rows(
    X: np.ndarray,
    scaling: RobustScaling,
    fraction: float,
    random_state: np.random.RandomState,
) -> np.ndarray:
    """Return the indices of the `fraction` of rows that codebooks reconstruct best.

    A codebook is a handful of rows; it reconstructs a row by the nearest of them, and
    the errors are averaged over codebooks. With so few codes an anomaly is rarely among
    them, and rarely has another anomaly of its kind to be near to. The second pass
    takes its codes from the core of the first.
    """
    core = np.arange(len(X))
    n_core = max(math.ceil(fraction * len(X)), min(len(X), 2))
    for _ in range(_PASSES):
        chosen = X[random_state.choice(core, _CODEBOOKS * _CODES)]
        error = partial(_codebook_error, scaling, scaling.transform(chosen))
        errors = map_blocks(error, X, 1, dtype=np.float64)[:, 0]
        core = np.sort(np.argsort(errors, kind="stable")[:n_core])
    return core


def _codebook_error(
    scaling: RobustScaling, codes: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    distances = euclidean_distances(scaling.transform(rows), codes)
    nearest = distances.reshape(len(rows), _CODEBOOKS, _CODES).min(axis=2)
    return nearest.mean(axis=1, keepdims=True)
