"""Gradients by a rule for each layer, which stands beside its ``forward``.

Autograd notes every operation of a step, adds each gradient to what is there and needs
that cleared before. On networks as small as those of a table, this takes longer than
the products do. Where every part of a module has a rule, none of it is needed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn


class Gradients:
    """Where the rules of one step leave the gradients of parameters.

    They are written to ``grad``, which is never cleared: the first gradient of a
    parameter takes the place of what is there, those of tied weights are added to it.
    A parameter that is fixed gets none.
    """

    def __init__(self) -> None:
        self._written: set[nn.Parameter] = set()

    def product(
        self, parameter: nn.Parameter, a: torch.Tensor, b: torch.Tensor
    ) -> None:
        """Note the products ``a @ b`` of all members."""
        if (there := parameter.grad) is None:
            return
        if self._is_first(parameter):
            torch.bmm(a, b, out=there)
        else:
            there.baddbmm_(a, b)

    def batch_sum(self, parameter: nn.Parameter, values: torch.Tensor) -> None:
        """Note the sum of values ``(members, batch, n)`` over the batch.

        For biases and factors, which no layer shares with another.
        """
        if (there := parameter.grad) is not None:
            torch.sum(values, 1, keepdim=True, out=there)

    def values(self, parameter: nn.Parameter, values: torch.Tensor) -> None:
        """Note what was computed elsewhere."""
        if (there := parameter.grad) is None:
            return
        if self._is_first(parameter):
            there.copy_(values)
        else:
            there.add_(values)

    def _is_first(self, parameter: nn.Parameter) -> bool:
        first = parameter not in self._written
        self._written.add(parameter)
        return first


class Differentiable(nn.Module, ABC):
    """A module that knows its own gradient.

    Beside ``forward``, it has a rule: ``record`` goes forward and keeps what the way
    back needs; ``collect`` or ``pull_back`` takes the gradient of the output back.
    """

    @abstractmethod
    def record(self, x: Any) -> tuple[torch.Tensor, Any]:
        """Return what ``forward`` does in training, and what the way back needs."""

    def collect(self, gradient: torch.Tensor, kept: Any, gradients: Gradients) -> None:
        """Leave the gradients of all parameters, given that of the output.

        A module without parameters leaves none.
        """

    def pull_back(
        self, gradient: torch.Tensor, kept: Any, gradients: Gradients
    ) -> torch.Tensor:
        """Leave the gradients of all parameters and return that of the input."""
        raise NotImplementedError

    def trained_parts(self) -> Iterable[nn.Module]:
        """Return the parts whose rules this one builds on."""
        return self.children()


class Parts(nn.Sequential, Differentiable):
    """Parts that follow each other."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for part in self:
            x = part(x)
        return x

    def record(self, x: torch.Tensor) -> tuple[torch.Tensor, list[Any]]:
        kept = []
        for part in self._parts:
            x, own = part.record(x)
            kept.append(own)
        return x, kept

    def collect(
        self, gradient: torch.Tensor, kept: list[Any], gradients: Gradients
    ) -> None:
        first, *others = self._parts
        gradient = _through(others, gradient, kept[1:], gradients)
        first.collect(gradient, kept[0], gradients)

    def pull_back(
        self, gradient: torch.Tensor, kept: list[Any], gradients: Gradients
    ) -> torch.Tensor:
        return _through(self._parts, gradient, kept, gradients)

    @property
    def _parts(self) -> list[Any]:
        return [*self._modules.values()]


def _through(
    parts: list[Any], gradient: torch.Tensor, kept: list[Any], gradients: Gradients
) -> torch.Tensor:
    for part, own in zip(reversed(parts), reversed(kept), strict=True):
        gradient = part.pull_back(gradient, own, gradients)
    return gradient


def covered(module: nn.Module) -> bool:
    """Tell whether a module and all parts that its rule builds on have a rule.

    The rule of a class is not that of one derived from it with a ``forward`` of its
    own, and none where a hook steps in.
    """
    return (
        isinstance(module, Differentiable)
        and issubclass(_origin(module, "record"), _origin(module, "forward"))
        and not (module._forward_hooks or module._forward_pre_hooks)
        and all(covered(part) for part in module.trained_parts())
    )


def _origin(module: nn.Module, method: str) -> type:
    """Class that a method of a module comes from."""
    return next(kind for kind in type(module).__mro__ if method in vars(kind))
