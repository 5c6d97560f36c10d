"""What all estimators share: input checks and fitted state."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from skae._tables import has_gaps


class NetworkEstimator(BaseEstimator):
    """Base of the estimators; it knows arrays and fitted state, nothing of methods."""

    def _check_X(self, X, *, reset: bool = False, **checks) -> np.ndarray:
        """Rows without gaps."""
        X = self._check_table(X, reset=reset, ensure_all_finite="allow-nan", **checks)
        if has_gaps(X):
            raise ValueError(
                f"Input X contains NaN, which {type(self).__name__} does not accept; "
                "fill the gaps before it, for instance with skae.DenoisingImputer."
            )
        return X

    def _check_table(self, X, *, reset: bool = False, **checks) -> np.ndarray:
        """Rows that may have gaps, if the checks allow them."""
        return validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], order="C", **checks
        )

    def _forget(self) -> None:
        """Delete all fitted state, so that a fit that fails leaves nothing behind."""
        for name in list(vars(self)):
            if name in {"_codec", "_filler", "_restoration"} or (
                name.endswith("_") and not name.startswith("_")
            ):
                delattr(self, name)

    def __sklearn_is_fitted__(self) -> bool:
        return "module_" in vars(self)
