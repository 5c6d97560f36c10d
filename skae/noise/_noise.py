"""What every noise specification offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from sklearn.base import BaseEstimator

Corruption = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


class Noise(BaseEstimator, ABC):
    """Specification of what is done to a batch before the network sees it.

    Attributes
    ----------
    rotation_invariant : bool
        Whether the noise means the same in every orthonormal basis. One that looks at
        single columns does not.
    """

    rotation_invariant: ClassVar[bool] = False

    @abstractmethod
    def corruption(self, rows: torch.Tensor, zero: torch.Tensor) -> Corruption:
        """Return a function that corrupts batches.

        Parameters
        ----------
        rows : tensor of shape (n_samples, n_inputs)
            Training rows as the network sees them.
        zero : tensor of shape (n_inputs,)
            How the network sees a row of zeros.

        Returns
        -------
        corrupt : callable
            ``corrupt(x, generator)`` takes a batch ``(members, batch, n_inputs)``,
            leaves it as it is and returns the corrupted one.

        Raises
        ------
        ValueError
            If a parameter is out of range.
        """
