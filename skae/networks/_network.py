"""What every network specification offers."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from sklearn.base import BaseEstimator


class Network(BaseEstimator, ABC):
    """Specification of a network: parameters only, never a module or a tensor.

    Because a specification is a :class:`~sklearn.base.BaseEstimator`, ``clone`` copies
    it and a grid reaches its parameters (``network__hidden_layer_sizes``).
    """

    @abstractmethod
    def build(
        self,
        input_shape: tuple[int, ...],
        output_shape: tuple[int, ...],
        n_components: int,
        *,
        members: int,
        generator: torch.Generator,
    ) -> torch.nn.Module:
        """Return a new bottleneck module with freshly drawn weights.

        The module has ``encode``, ``decode``, ``zero_output_`` and
        ``forward(batch, generator=None) -> {"output": tensor}``; every tensor it
        takes and returns has the shape ``(members, batch, *shape)``.
        """
