"""What every expert offers."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from skae.estimators.detector._surprise import Surprise


class Expert(ABC):
    """A reconstruction of rows and the error of it, feature by feature.

    ``fit_surprises`` lets it judge the training rows as it judges others, once.

    Experts are in units of their own; what makes their errors comparable is
    ``surprise``.

    Attributes
    ----------
    surprise : Surprise
        How rare an error is among training rows that are judged as if they were new.
    """

    surprise: Surprise

    @abstractmethod
    def errors(self, X: np.ndarray) -> np.ndarray:
        """Return how far rows are from their reconstructions, feature by feature.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)

        Returns
        -------
        errors : ndarray of shape (n_samples, n_features)
            Not negative; the error of a row is the sum over its features.
        """
