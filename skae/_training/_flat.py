"""All parameters of a module in one piece of memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from skae.networks._members import member_lists


def trainable(module: nn.Module) -> Iterator[nn.Parameter]:
    """Return the parameters of a module that are not fixed."""
    return (p for p in module.parameters() if p.requires_grad)


def _moving(module: nn.Module) -> Iterator[torch.Tensor]:
    """Return the buffers that training changes, if any.

    The package's own modules have none; those of users may, such as moving averages.
    """
    return (buffer for own in member_lists(module) for buffer in own.buffers())


@dataclass(frozen=True)
class Weights:
    """What a training has learned.

    Attributes
    ----------
    parameters : tensor
        In one piece.
    buffers : list of tensor
    """

    parameters: torch.Tensor
    buffers: list[torch.Tensor]

    @torch.no_grad()
    def hand_to(self, module: nn.Module) -> None:
        """Copy everything to a module."""
        free = list(trainable(module))
        parts = self.parameters.split([p.numel() for p in free])
        for parameter, part in zip(free, parts, strict=True):
            parameter.copy_(part.view_as(parameter))
        for buffer, learned in zip(_moving(module), self.buffers, strict=True):
            buffer.copy_(learned)


class FlatParameters:
    """One tensor, and one gradient, of which a module's free parameters become views.

    The optimizer then has a single parameter to step, to clear and to copy; on small
    networks the calls cost more than the arithmetic. Only for a module that is thrown
    away after training: views of one tensor pickle at a multiple of their size
    and come apart in a deepcopy.
    """

    def __init__(self, module: nn.Module) -> None:
        parameters = list(trainable(module))
        self.values = torch.cat([p.detach().flatten() for p in parameters])
        self.gradient = torch.zeros_like(self.values)
        sizes = [p.numel() for p in parameters]
        views = zip(
            parameters,
            self.values.split(sizes),
            self.gradient.split(sizes),
            strict=True,
        )
        for parameter, value, gradient in views:
            parameter.data = value.view_as(parameter)
            parameter.grad = gradient.view_as(parameter)
        self._buffers = list(_moving(module))

    def copy(self) -> Weights:
        """Return a copy of all values."""
        return Weights(
            self.values.clone(), [buffer.clone() for buffer in self._buffers]
        )
