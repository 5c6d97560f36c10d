"""Codes of which few are active at a time."""

from __future__ import annotations

import math
from numbers import Real

import torch
from torch.nn import functional

from skae.networks import Autoencoder
from skae.penalties._penalty import Penalty, Tensors, check_strength


class L1Sparsity(Penalty):
    """Add the absolute values of the code to the loss of every row.

    ``strength * sum_j |z_j|``, for the code ``z`` of a row. The encoder could as well
    make its codes small and the decoder large; ``tied_weights=True`` of the network
    stands against that.

    Parameters
    ----------
    strength : float, default=0.1
        Weight of the penalty beside the loss of a row, which is summed over features
        whose root mean square deviation is one.

    See Also
    --------
    KullbackLeiblerSparsity : For codes in (0, 1), with a target.
    skae.AutoencoderTransformer : Takes it as ``penalty``.

    References
    ----------
    .. [1] B. A. Olshausen and D. J. Field, "Emergence of simple-cell receptive field
       properties by learning a sparse code for natural images", Nature 381, 1996.

    Examples
    --------
    >>> from skae.penalties import L1Sparsity
    >>> L1Sparsity(strength=0.5)
    L1Sparsity(strength=0.5)
    """

    def __init__(self, strength: float = 0.1) -> None:
        self.strength = strength

    def term(
        self, module: Autoencoder, batch: Tensors, outputs: Tensors
    ) -> torch.Tensor:
        return check_strength(self.strength) * outputs["code"].abs().sum(-1)


class KullbackLeiblerSparsity(Penalty):
    """Draw the mean activation of every component towards a small target.

    ``strength * sum_j (t log(t / m_j) + (1 - t) log((1 - t) / (1 - m_j)))`` is added to
    the loss of every row, where ``t`` is the target and ``m_j`` the mean of component
    ``j`` over the rows of the batch: the divergence of a coin that shows heads with
    probability ``m_j`` from one that does with probability ``t``. The code must lie in
    (0, 1), so the network needs ``code_activation="logistic"``.

    Parameters
    ----------
    target : float, default=0.05
        Mean activation to aim at, in (0, 1).
    strength : float, default=1.0
        Weight of the penalty beside the loss of a row, which is summed over features
        whose root mean square deviation is one.

    See Also
    --------
    L1Sparsity : For codes of any range, without a target.
    skae.AutoencoderTransformer : Takes it as ``penalty``.

    References
    ----------
    .. [1] A. Ng, "Sparse autoencoder", CS294A lecture notes, Stanford University, 2011.

    Examples
    --------
    >>> from skae.penalties import KullbackLeiblerSparsity
    >>> KullbackLeiblerSparsity(target=0.1)
    KullbackLeiblerSparsity(target=0.1)
    """

    def __init__(self, target: float = 0.05, strength: float = 1.0) -> None:
        self.target = target
        self.strength = strength

    def term(
        self, module: Autoencoder, batch: Tensors, outputs: Tensors
    ) -> torch.Tensor:
        strength, t = check_strength(self.strength), self._check_target()
        code = outputs["code"]
        mean = code.mean(dim=1, keepdim=True)
        # Binary cross-entropy stays finite where all codes are rounded to zero or one.
        cross_entropy = functional.binary_cross_entropy(
            mean, torch.full_like(mean, t), reduction="none"
        )
        entropy = -t * math.log(t) - (1 - t) * math.log1p(-t)
        divergence = (cross_entropy - entropy).sum(-1)
        return strength * divergence.expand(code.shape[:-1])

    def _check_target(self) -> float:
        if not (isinstance(self.target, Real) and 0 < self.target < 1):
            raise ValueError(
                f"target must be a number in (0, 1), exclusive, got {self.target!r}."
            )
        return float(self.target)
