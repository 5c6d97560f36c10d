"""A start and what a network adds to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import nn


class Gated(nn.Module, ABC):
    """The output of a start, plus as much of a network's correction as is of use.

    The last layer of the network begins at zero, so that before the first step this
    *is* the start.

    Attributes
    ----------
    weight : float
        How much of the network is kept, in [0, 1]: one in training, then chosen by a
        gate.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = 1.0

    @abstractmethod
    def start_output(self, *inputs: Any) -> torch.Tensor:
        """Return what the start makes of inputs."""

    @abstractmethod
    def correction(self, *inputs: Any) -> torch.Tensor:
        """Return what the network adds to it, times `weight`.

        It is for the module to say where the product costs least.
        """

    def gated(self, *inputs: Any) -> torch.Tensor:
        """Return the sum of both, as far as the weight goes."""
        if self.weight == 0:
            return self.start_output(*inputs)
        correction = self.correction(*inputs)
        return self.start_output(*inputs) + correction
