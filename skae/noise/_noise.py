"""What every noise specification offers."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from sklearn.base import BaseEstimator


class Noise(BaseEstimator, ABC):
    """Specification of what is done to a batch before the network sees it."""

    @abstractmethod
    def corrupt(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return a corrupted copy of `x`; `x` itself is left as it is."""
