"""What is trained, what for, on what, by whom and how."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from skae._training._folds import Folds
from skae._training._objective import Objective, Tensors

History = list[dict[str, Any]]
Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class Problem(Generic[Module]):
    """What is trained, what for, on what, and who on which rows.

    Attributes
    ----------
    module : nn.Module
        Takes and returns tensors of shape ``(members, batch, ...)``. Parameters that
        require no gradient stay as they are.
    objective : Objective
    tensors : dict of str to tensor
        Equally long; a batch is a selection of their rows.
    folds : Folds
        Rows on which each member trains and is judged.
    """

    module: Module
    objective: Objective
    tensors: Tensors
    folds: Folds

    @property
    def provable(self) -> bool:
        """Whether rows are held out that could prove a gain."""
        return len(self.folds.held_out_rows) > 0

    @property
    def row_size(self) -> int:
        """Values in a row of the largest tensor."""
        return max(tensor[0].numel() for tensor in self.tensors.values())

    def snapshot(self) -> Problem[Module]:
        """Return the same with a copy of the module, whose training goes on."""
        return replace(self, module=copy.deepcopy(self.module))


@dataclass(frozen=True)
class Settings:
    """How a module is trained.

    Attributes
    ----------
    batch_size : int
        Rows in a step.
    steps : int
        Steps in a round.
    learning_rate : float
        Of Adam, before it decays.
    max_iter : int
        Largest number of rounds.
    tol : float
        Relative decrease of the error that counts as progress.
    n_iter_no_change : int
        Rounds without progress after which the learning rate decays.
    device : torch.device
        Where the steps are taken.
    """

    batch_size: int
    steps: int
    learning_rate: float
    max_iter: int
    tol: float
    n_iter_no_change: int
    device: torch.device
