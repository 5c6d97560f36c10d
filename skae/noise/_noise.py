"""What every noise specification offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from sklearn.base import BaseEstimator

from skae.noise._strength import Strength

Corruption = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


class Noise(BaseEstimator, ABC):
    """Specification of what is done to a batch before the network sees it.

    Attributes
    ----------
    strength : float or (float, float)
        A parameter of every noise; zero changes nothing.
    rotation_invariant : bool
        Whether the noise means the same in every orthonormal basis. One that looks at
        single columns does not.
    """

    strength: Strength
    rotation_invariant: ClassVar[bool] = False

    @property
    def leaves_gaps(self) -> bool:
        """Whether what is hidden becomes NaN, so that a network can see where it was.

        Most estimators have no use for gaps.
        """
        return False

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
            leaves it as it is and returns the corrupted one. It can be pickled.

        Raises
        ------
        ValueError
            If a parameter is out of range.
        """


def without_gaps(noise: Noise) -> Noise:
    """Return `noise`, or say that the estimator takes none that leaves gaps."""
    if noise.leaves_gaps:
        raise ValueError(
            f"noise={noise} leaves gaps, which only DenoisingTransformer can fill; set "
            "its fill to 'zero' or 'mean'."
        )
    return noise
