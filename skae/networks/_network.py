"""What every network specification offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from sklearn.base import BaseEstimator


class Network(BaseEstimator, ABC):
    """Specification of a network: parameters only, never a module or a tensor.

    Because a specification is a :class:`~sklearn.base.BaseEstimator`, ``clone`` copies
    it and a grid reaches its parameters (``network__hidden_layer_sizes``).

    Attributes
    ----------
    rotation_invariant : bool
        Whether the network means the same in every orthonormal basis of its inputs.
    code_activation : str
        Activation function of the code; a parameter where others than ``"identity"``
        are on offer.
    """

    rotation_invariant: ClassVar[bool]
    code_activation: str = "identity"

    @abstractmethod
    def build(
        self,
        input_shape: tuple[int, ...],
        output_shape: tuple[int, ...],
        n_components: int | None = None,
        *,
        members: int,
        generator: torch.Generator,
    ) -> torch.nn.Module:
        """Return a new module with freshly drawn weights.

        The module has ``forward(batch, generator=None) -> {"output": tensor}`` and
        ``zero_output_``; every tensor that it takes and returns has the shape
        ``(members, batch, *shape)``, and so has every parameter and buffer a leading
        axis of members. With `n_components` it is an autoencoder: it has ``encoder``,
        ``decoder``, ``encode``, ``decode`` and ``stages``, and ``forward`` returns the
        ``code`` as well. Without, it maps inputs to outputs in one piece.
        """

    def row_shapes(
        self, n_in: int, n_out: int
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the shapes in which a map sees rows of inputs and of outputs.

        A network that knows nothing of their shape sees them as they are.
        """
        return (n_in,), (n_out,)
