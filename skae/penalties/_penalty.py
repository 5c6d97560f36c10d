"""What every penalty specification offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from numbers import Real

import torch
from sklearn.base import BaseEstimator

Encode = Callable[[torch.Tensor], torch.Tensor]


class Penalty(BaseEstimator, ABC):
    """Specification of what training adds to the error of every row."""

    @abstractmethod
    def term(self, encode: Encode, x: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        """Return what is added to the loss of each row, strength included.

        Parameters
        ----------
        encode : callable
            The encoder, which treats every row of a batch alone.
        x : tensor of shape (members, batch, n_inputs)
            Inputs, with their noise.
        code : tensor of shape (members, batch, n_components)
            ``encode(x)``.

        Returns
        -------
        term : tensor of shape (members, batch)

        Raises
        ------
        ValueError
            If a parameter is out of range.
        """


def check_strength(strength: float) -> float:
    """Return the weight of a penalty; a ValueError says what is allowed."""
    if not (isinstance(strength, Real) and 0 <= strength < float("inf")):
        raise ValueError(f"strength must be a non-negative number, got {strength!r}.")
    return float(strength)
