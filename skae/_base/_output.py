"""Tables with one value for each feature, in the container that a user asked for."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator

from skae._base._sklearn import container_adapter


def in_container(
    estimator: BaseEstimator, values: np.ndarray, X: Any, names: np.ndarray
) -> Any:
    """Return values as ``set_output`` asks for those of ``transform``.

    Parameters
    ----------
    X : array-like
        Rows that the values are of; a data frame keeps its index.
    names : ndarray of str
        Names of the columns.
    """
    adapter = container_adapter("transform", estimator)
    if adapter is None:
        return values
    return adapter.create_container(values, X, names)


class SetOutputMixin:
    """``set_output`` for an estimator that does not transform.

    scikit-learn's own asks for names of transformed features.
    """

    def set_output(
        self, *, transform: Literal["default", "pandas", "polars"] | None = None
    ) -> Self:
        """Set the container of what is returned for each feature.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            ``"default"`` is an array; None changes nothing. It has the name that it has
            in transformers.

        Returns
        -------
        self : estimator
            The estimator itself.
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self
