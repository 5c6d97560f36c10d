"""What every penalty specification offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Real

import torch
from sklearn.base import BaseEstimator

from skae.networks import Autoencoder

Tensors = dict[str, torch.Tensor]


class Penalty(BaseEstimator, ABC):
    """Base of penalty specifications: what training adds to the error of every sample.

    Derive a class from it for a penalty of your own; its parameters are stored as they
    are, as in any :class:`~sklearn.base.BaseEstimator`, and checked in `term`.

    See Also
    --------
    L1Sparsity : Few components at a time.
    Contraction : Codes that hardly move when the input does.

    Examples
    --------
    Codes whose components are not correlated:

    >>> import torch
    >>> from skae import AutoencoderTransformer
    >>> from skae.penalties import Penalty
    >>> class Decorrelation(Penalty):
    ...     def __init__(self, strength=1.0):
    ...         self.strength = strength
    ...
    ...     def term(self, module, batch, outputs):
    ...         centred = outputs["code"] - outputs["code"].mean(dim=1, keepdim=True)
    ...         covariance = centred.mT @ centred / centred.shape[1]
    ...         crossed = covariance.square().sum((1, 2))
    ...         crossed -= covariance.diagonal(dim1=1, dim2=2).square().sum(1)
    ...         return self.strength * crossed[:, None].expand(centred.shape[:2])
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.preprocessing import scale
    >>> reducer = AutoencoderTransformer(
    ...     2, start=None, penalty=Decorrelation(3.0), random_state=0
    ... )
    >>> Z = reducer.fit_transform(scale(load_wine().data))
    >>> bool(abs(np.corrcoef(Z.T)[0, 1]) < 0.1)
    True
    """

    @abstractmethod
    def term(
        self, module: Autoencoder, batch: Tensors, outputs: Tensors
    ) -> torch.Tensor:
        """Return what is added to the loss of each sample, strength included.

        Parameters
        ----------
        module : Autoencoder
            What is trained; its ``encode`` treats every sample of a batch alone.
        batch : dict of str to tensor
            ``input``, with its noise, and ``target``, both of shape
            ``(members, batch, n_inputs)``.
        outputs : dict of str to tensor
            What `module` makes of the batch: ``output`` and ``code``, of shape
            ``(members, batch, n_components)``.

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
