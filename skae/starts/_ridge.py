"""Ridge regression of many outputs, from sums that are collected block by block."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

_PENALTIES = [10.0**-k for k in range(7)]  # in units of the mean variance


class _Sums:
    """Sums of the products of rows, in float64."""

    def __init__(self) -> None:
        self.n_rows = 0
        self.x = self.y = self.xx = self.xy = torch.zeros((), dtype=torch.float64)

    def add(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.n_rows += len(x)
        self.x = self.x + x.sum(0).double()
        self.y = self.y + y.sum(0).double()
        self.xx = self.xx + (x.T @ x).double()
        self.xy = self.xy + (x.T @ y).double()

    def centred(
        self, mean_x: torch.Tensor, mean_y: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Products of rows from which means are subtracted, averaged over the rows."""
        x, y = self.x / self.n_rows, self.y / self.n_rows
        xx = self.xx / self.n_rows - x.outer(mean_x) - mean_x.outer(x - mean_x)
        xy = self.xy / self.n_rows - x.outer(mean_y) - mean_x.outer(y - mean_y)
        return xx, xy


class Ridge:
    """Linear least squares with a penalty that held-out rows choose.

    Only sums of products are kept, so that rows may come in any number and one block at
    a time. The penalty is a multiple of the mean variance of the inputs.

    Attributes
    ----------
    weight_ : tensor of shape (n_inputs, n_outputs)
    bias_ : tensor of shape (n_outputs,)
    """

    def __init__(self) -> None:
        self._training = _Sums()

    def add(self, x: torch.Tensor, y: torch.Tensor) -> None:
        """Take note of a block of training rows; the products are in its precision."""
        self._training.add(x, y)

    def solve(self, held_out: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> Ridge:
        """Fit with the penalty that predicts the held-out rows best.

        Penalties are tried from the largest on, which is taken if nothing is held out.
        """
        sums, judge = self._training, _Sums()
        for x, y in held_out:
            judge.add(x, y)
        mean_x, mean_y = sums.x / sums.n_rows, sums.y / sums.n_rows
        gram, cross = sums.centred(mean_x, mean_y)
        unit = gram.diagonal().mean().clamp(min=torch.finfo(gram.dtype).tiny)
        penalties = _PENALTIES if judge.n_rows else _PENALTIES[:1]
        best = math.inf
        for penalty in penalties:
            regular = gram + penalty * unit * torch.eye(len(gram), dtype=gram.dtype)
            factor, failed = torch.linalg.cholesky_ex(regular)
            weight = torch.cholesky_solve(cross, factor)
            loss = _loss(weight, *judge.centred(mean_x, mean_y)) if judge.n_rows else 0
            if failed or not loss < best:
                break
            best, self.weight_ = loss, weight
        self.bias_ = mean_y - mean_x @ self.weight_
        return self


def _loss(weight: torch.Tensor, gram: torch.Tensor, cross: torch.Tensor) -> float:
    """Mean squared error, less what does not depend on the weights."""
    return float((weight * (gram @ weight - 2 * cross)).sum())
