"""What every loss offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

Pointwise = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def identity(x: torch.Tensor) -> torch.Tensor:
    """Return `x`: the link of a loss that bounds nothing."""
    return x


@dataclass(frozen=True)
class Loss:
    """What counts as close, element by element, neither reduced nor weighted.

    Estimators take one as ``loss`` in the place of a name.

    Parameters
    ----------
    pointwise : callable
        ``(output, target) -> loss`` of every element, which torch can differentiate.
        A function of a module or a :func:`functools.partial` of one can be pickled.
    link, inverse_link : callable, default=identity
        From the network's output to the scale of the features, and back. With a link, X
        is neither centred nor scaled, and only
        :class:`~skae.AutoencoderTransformer` with ``start=None`` takes it.
    rotation_invariant : bool, default=False
        Whether the sum over features is the same in every orthonormal basis.
    unit_interval : bool, default=False
        Whether targets must lie in [0, 1] and hence must not be rescaled.
    slope : callable or None, default=None
        ``(output, target) -> derivative`` of `pointwise` with respect to the output. By
        default torch finds it, which takes longer.

    See Also
    --------
    skae.AutoencoderTransformer : Minimises it.

    Examples
    --------
    Huber's loss, which is linear for large errors:

    >>> from functools import partial
    >>> from torch.nn.functional import huber_loss
    >>> from skae import AutoencoderTransformer
    >>> from skae.losses import Loss
    >>> huber = Loss(partial(huber_loss, reduction="none", delta=0.5))
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.preprocessing import scale
    >>> reducer = AutoencoderTransformer(2, loss=huber, max_iter=5, random_state=0)
    >>> reducer.fit_transform(scale(load_wine().data)).shape
    (178, 2)
    """

    pointwise: Pointwise
    link: Callable[[torch.Tensor], torch.Tensor] = identity
    inverse_link: Callable[[torch.Tensor], torch.Tensor] = identity
    rotation_invariant: bool = False
    unit_interval: bool = False
    slope: Pointwise | None = None

    @property
    def linked(self) -> bool:
        """Whether the output of a network is not on the scale of the features."""
        return self.link is not identity
