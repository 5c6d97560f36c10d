"""Members of a module: networks of one shape that are trained at once.

Tensors of the package's own layers begin with an axis of members. Modules that know
nothing of members stand in a list, one for each.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


class MemberList(nn.ModuleList):
    """One module for each member, with tensors of any shape."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply each module to the part of its member; there may be fewer parts."""
        parts = zip(self, x.unbind(), strict=False)
        return torch.stack([module(part) for module, part in parts])


def member_lists(module: nn.Module) -> list[MemberList]:
    """Return all lists of members in a module."""
    return [part for part in module.modules() if isinstance(part, MemberList)]


def member_tensors(module: nn.Module) -> Iterator[torch.Tensor]:
    """Return parameters and buffers that begin with an axis of members, each once."""
    in_lists = {id(tensor) for own in member_lists(module) for tensor in _tensors(own)}
    return (tensor for tensor in _tensors(module) if id(tensor) not in in_lists)


@torch.no_grad()
def last_member(module: Module) -> Module:
    """Keep only the last member of a module, with memory of its own."""
    for tensor in member_tensors(module):
        tensor.data = tensor.data[-1:].clone()
    for members in member_lists(module):
        del members[:-1]
    return module.eval().requires_grad_(False)


def repeated_member(module: Module, members: int) -> Module:
    """Return a fixed copy of a module of one member, with as many that are the same."""
    module = copy.deepcopy(module).requires_grad_(False)
    for tensor in member_tensors(module):
        tensor.data = tensor.data.repeat(members, *[1] * (tensor.dim() - 1))
    for own in member_lists(module):
        own.extend(copy.deepcopy(own[0]) for _ in range(members - 1))
    return module


def _tensors(module: nn.Module) -> Iterator[torch.Tensor]:
    yield from module.parameters()
    yield from module.buffers()
