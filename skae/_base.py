"""What all estimators share: input checks, fitted state, prediction in blocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import gen_batches
from sklearn.utils.validation import validate_data

from skae._coordinates import BLOCK


class NetworkEstimator(BaseEstimator):
    """Base of the estimators; it knows arrays and fitted state, nothing of methods."""

    def _check_X(self, X, *, reset: bool = False, **checks) -> np.ndarray:
        return validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], order="C", **checks
        )

    def _forget(self) -> None:
        """Delete all fitted state, so that a fit that fails leaves nothing behind."""
        for name in list(vars(self)):
            if name in {"_codec", "_filler"} or (
                name.endswith("_") and not name.startswith("_")
            ):
                delattr(self, name)

    def __sklearn_is_fitted__(self) -> bool:
        return "module_" in vars(self)


@torch.inference_mode()
def map_blocks(
    function: Callable[[np.ndarray], np.ndarray],
    X: np.ndarray,
    n_out: int,
    dtype: np.dtype | None = None,
) -> np.ndarray:
    """Apply `function` to blocks of rows in float64; return `dtype`, by default X's."""
    result = np.empty((len(X), n_out), dtype=dtype or X.dtype)
    for rows in gen_batches(len(X), max(1, BLOCK // max(X.shape[1], n_out))):
        result[rows] = function(X[rows].astype(np.float64, copy=False))
    return result
