"""Ridge regression of many outputs, from sums that are collected block by block."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from scipy import linalg

_PENALTIES = [10.0**-k for k in range(7)]  # in units of the mean variance


class _Sums:
    """Sums of the products of rows, in float64.

    Rows are seen relative to an origin near their mean, or of columns that hardly vary
    products in float32 would leave rounding alone.
    """

    def __init__(self, origin: np.ndarray) -> None:
        self.origin = origin
        self.n_rows = 0
        self.x = self.y = self.xx = self.xy = np.zeros(())

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        self.n_rows += len(x)
        x = x - self.origin
        self.x = self.x + x.sum(axis=0, dtype=np.float64)
        self.y = self.y + y.sum(axis=0, dtype=np.float64)
        self.xx = self.xx + (x.T @ x).astype(np.float64)
        self.xy = self.xy + (x.T @ y).astype(np.float64)

    def centred(
        self, mean_x: np.ndarray, mean_y: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Products of rows from which means are subtracted, averaged over the rows."""
        x, y = self.x / self.n_rows, self.y / self.n_rows
        xx = self.xx / self.n_rows - np.outer(x, mean_x) - np.outer(mean_x, x - mean_x)
        xy = self.xy / self.n_rows - np.outer(x, mean_y) - np.outer(mean_x, y - mean_y)
        return xx, xy


class Ridge:
    """Linear least squares with a penalty that held-out rows choose.

    Only sums of products are kept, so that rows may come in any number and one block at
    a time. The penalty is a multiple of the mean variance of the inputs.

    Attributes
    ----------
    weight_ : ndarray of shape (n_inputs, n_outputs)
    bias_ : ndarray of shape (n_outputs,)
    """

    def __init__(self) -> None:
        self._training: _Sums | None = None

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """Take note of a block of training rows; the products are in its precision."""
        if self._training is None:
            mean = x.mean(axis=0, dtype=np.float64)
            self._training = _Sums(origin=mean.astype(x.dtype))
        self._training.add(x, y)

    def solve(self, held_out: Iterable[tuple[np.ndarray, np.ndarray]]) -> Ridge:
        """Fit with the penalty that predicts the held-out rows best.

        Penalties are tried from the largest on, which is taken if nothing is held out.
        """
        sums = self._training
        if sums is None:
            raise ValueError("There are no training rows; call add before solve.")
        judge = _Sums(sums.origin)
        for x, y in held_out:
            judge.add(x, y)
        mean_x, mean_y = sums.x / sums.n_rows, sums.y / sums.n_rows
        gram, cross = sums.centred(mean_x, mean_y)
        unit = gram.diagonal().mean()
        unit = unit if unit > 0 else 1.0  # all inputs are constant
        best = math.inf
        for penalty in _PENALTIES if judge.n_rows else _PENALTIES[:1]:
            regular = gram + penalty * unit * np.eye(len(gram))
            try:
                weight = linalg.cho_solve(linalg.cho_factor(regular), cross)
            except linalg.LinAlgError:  # rounding outweighs so small a penalty
                break
            loss = _loss(weight, *judge.centred(mean_x, mean_y)) if judge.n_rows else 0
            if loss >= best:
                break
            best, self.weight_ = loss, weight
        self.bias_ = mean_y - (sums.origin + mean_x) @ self.weight_
        return self


def _loss(weight: np.ndarray, gram: np.ndarray, cross: np.ndarray) -> float:
    """Mean squared error, less what does not depend on the weights."""
    return float((weight * (gram @ weight - 2 * cross)).sum())
