"""The global expert: networks predict features of a row from its other features."""

from __future__ import annotations

import numpy as np
import torch

from skae._tables import map_blocks, row_blocks, spread
from skae.estimators.detector._examples import Rows, View
from skae.estimators.detector._expert import Expert
from skae.estimators.detector._module import MaskedAutoencoder
from skae.estimators.detector._surprise import Surprise

_VARIANCE_ROWS = 1024  # of the core, at most, that tell how large residuals are
_LEAST_VARIANCE = 1e-4  # of a feature that is predicted exactly; standardised: 1


class MaskedNetworks(Expert):
    """Surprise at each feature given others, under an ensemble of masked networks.

    The error is the mean over the ensemble of ``log(1 + r**2 / v)``, where ``r`` is the
    residual of a feature and ``v`` its mean square on the core. Up to a constant that
    is minus the log-likelihood of a heavy-tailed residual, so that one feature that is
    far off does not silence all others.

    Parameters
    ----------
    module : MaskedAutoencoder
        Trained.
    view : View
        How it sees rows.
    """

    def __init__(self, module: MaskedAutoencoder, view: View) -> None:
        self.module = module
        self.view = view

    def fit_surprises(self, rows: Rows) -> np.ndarray:
        """Measure the errors of the networks, which are trained no further.

        Parameters
        ----------
        rows : Rows

        Returns
        -------
        surprises : ndarray of shape (n_samples,)
            At the training rows.
        """
        self.module.eval().requires_grad_(False)
        X, reference = rows.X, rows.reference
        known = np.intersect1d(rows.core, reference)
        self.variance = self._variance(X, spread(known, _VARIANCE_ROWS))
        totals = map_blocks(self._totals, X, 1, dtype=np.float64)[:, 0]
        self.surprise = Surprise().fit(totals[reference])
        return self.surprise(totals)

    def errors(self, X: np.ndarray) -> np.ndarray:
        squared = self._residual(X).square()
        return squared.div_(self.variance).log1p_().mean(dim=0).numpy()

    def _totals(self, X: np.ndarray) -> np.ndarray:
        return self.errors(X).sum(axis=1, keepdims=True)

    def reconstruct(self, X: np.ndarray) -> np.ndarray:
        """Return what the networks expect on average, in the units of X."""
        return self.view.restore(self.module.expect(self.view.inputs(X)).mean(dim=0))

    def _residual(self, X: np.ndarray) -> torch.Tensor:
        x = self.view.inputs(X)
        return self.module.expect(x) - x

    def _variance(self, X: np.ndarray, rows: np.ndarray) -> torch.Tensor:
        """Mean squared residual of every member and feature."""
        total = torch.zeros((), dtype=torch.float64)
        for block in row_blocks(len(rows), X.shape[1]):
            squared = self._residual(X[rows[block]]).square()
            total = total + squared.sum(dim=1, keepdim=True)
        return total / len(rows) + _LEAST_VARIANCE
