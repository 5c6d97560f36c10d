"""All parameters of a module in one piece of memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn


def trainable(module: nn.Module) -> Iterator[nn.Parameter]:
    """Return the parameters of a module that are not fixed."""
    return (p for p in module.parameters() if p.requires_grad)


class FlatParameters:
    """One tensor, and one gradient, of which a module's free parameters become views.

    The optimizer then has a single parameter to step, to clear and to copy; on small
    networks the calls cost more than the arithmetic. Only for a module that is thrown
    away after training: views of one tensor pickle at a multiple of their size
    and come apart in a deepcopy.
    """

    def __init__(self, module: nn.Module) -> None:
        parameters = list(trainable(module))
        self.tensor = nn.Parameter(
            torch.cat([p.detach().flatten() for p in parameters])
        )
        self.gradient = self.tensor.grad = torch.zeros_like(self.tensor)
        sizes = [p.numel() for p in parameters]
        views = zip(
            parameters,
            self.tensor.data.split(sizes),
            self.gradient.split(sizes),
            strict=True,
        )
        for parameter, value, gradient in views:
            parameter.data = value.view_as(parameter)
            parameter.grad = gradient.view_as(parameter)

    def copy(self) -> torch.Tensor:
        """Return a copy of all values."""
        return self.tensor.detach().clone()
