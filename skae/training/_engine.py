"""The engine that trains every module of the package."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from sklearn.exceptions import ConvergenceWarning
from torch import nn
from tqdm.auto import tqdm

from skae.training._batches import HeldOutBatches, Tensors, TrainingBatches, gather
from skae.training._flat import FlatParameters
from skae.training._folds import Folds
from skae.training._schedule import Schedule


# A loss that has grown by this factor does not come back.
_DIVERGED = 100


@dataclass(frozen=True)
class Training:
    """What a training leaves behind.

    Attributes
    ----------
    module : nn.Module
        The kept member alone, in float64, on the CPU, in evaluation mode.
    history : list of dict
        One entry a round.
    start_error, held_out_error : ndarray of shape (n_held_out,) or None
        Error of every held-out row before the first step and with the best weights;
        None if no rows are held out.
    """

    module: nn.Module
    history: list[dict[str, Any]]
    start_error: np.ndarray | None
    held_out_error: np.ndarray | None


def train(
    module: nn.Module,
    objective: nn.Module,
    tensors: Tensors,
    folds: Folds,
    *,
    generator: torch.Generator,
    batch_size: int,
    learning_rate: float,
    max_iter: int,
    tol: float,
    n_iter_no_change: int,
    device: str = "cpu",
    verbose: int = 0,
) -> Training:
    """Train all members of a module at once and keep the best weights of the last.

    Parameters
    ----------
    module : nn.Module
        Takes and returns tensors of shape ``(members, batch, ...)``. It is trained in
        place, in float32; its buffers are constants and keep their precision.
    objective : nn.Module
        ``(module, batch, generator) -> {name: term of shape (members, batch)}``.
    tensors : dict of str to tensor
        Equally long; a batch is a selection of their rows.
    folds : Folds
        Rows on which each member trains and is judged. The mean error of all held-out
        rows decides which weights are best; without any, the training loss does.
    generator : torch.Generator
        Source of the order of rows and of the noise.

    Warns
    -----
    ConvergenceWarning
        If the loss is no longer finite, or a hundred times what it was.
    """
    constants = {name: value.double() for name, value in module.named_buffers()}
    flat = FlatParameters(module.float().to(device))
    net = _RoundNet(
        module,
        objective,
        flat=flat,
        batches=TrainingBatches(folds, batch_size, generator),
        held_out=HeldOutBatches(folds) if len(folds.held_out_rows) else None,
        schedule=Schedule(learning_rate, max_iter, tol, n_iter_no_change),
        generator=_on_device(generator, device),
        device=device,
    )
    tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
    progress = tqdm(total=max_iter, desc="fit", unit="round", disable=not verbose)
    try:
        with progress:
            errors = net.run(tensors, progress)
    finally:
        flat.release()
    _keep_last_member(module, constants)
    return Training(module, net.rounds(), *errors)


class _RoundNet(NeuralNet):
    """skorch's net with a round in the place of an epoch.

    A round is a fixed number of steps. skorch's own epoch collates the rows of every
    batch and notes every batch in its history, which on small networks takes longer
    than the training; here a batch is a gather, and a history entry is a round.
    """

    def __init__(
        self,
        module: nn.Module,
        criterion: nn.Module,
        *,
        flat: FlatParameters,
        batches: TrainingBatches,
        held_out: HeldOutBatches | None,
        schedule: Schedule,
        generator: torch.Generator,
        device: str,
    ) -> None:
        super().__init__(
            module,
            criterion,
            optimizer=torch.optim.Adam,
            optimizer__fused=True,
            lr=schedule.learning_rate,
            callbacks="disable",
            verbose=0,
            device=device,
        )
        self.flat = flat
        self.batches = batches
        self.held_out = held_out
        self.schedule = schedule
        self.generator = generator

    def run(
        self, tensors: Tensors, progress: tqdm
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Run the rounds and leave the best weights in place.

        Returns the held-out errors before the first step and with the best weights.
        """
        self.initialize()
        start_error = best_error = None
        best = math.inf
        if self.held_out is not None:
            start_error = best_error = self._evaluate(self.get_iterator(tensors))
            best = float(start_error.mean())
        weights = self.flat.copy()
        while not self.schedule.finished:
            self.fit_loop(tensors, epochs=1)
            if self._has_diverged():
                break
            loss = self._judgement()
            if loss < best:
                best, weights, best_error = loss, self.flat.copy(), self.held_out_error
            self.schedule.update(loss)
            progress.set_postfix(loss=f"{self.history[-1, 'loss']:.3g}", best=f"{best:.3g}")
            progress.update()
        self.flat.restore(weights)
        return start_error, best_error

    def _judgement(self) -> float:
        """What decides which round was best."""
        return self.history[-1, "loss" if self.held_out is None else "validation_loss"]

    def _has_diverged(self) -> bool:
        losses = self.history[:, "loss"]
        if np.isfinite(losses[-1]) and losses[-1] <= _DIVERGED * losses[0]:
            return False
        warnings.warn(
            f"Training diverged in round {len(losses)} and the best weights before it "
            "are kept. Lower learning_rate_init, or scale the columns of X, for "
            "instance with StandardScaler.",
            ConvergenceWarning,
            stacklevel=5,
        )
        return True

    def rounds(self) -> list[dict[str, Any]]:
        """The history as plain dictionaries."""
        recorded = ("loss", "validation_loss", "steps", "duration")
        return [
            {"round": row["epoch"]} | {key: row[key] for key in recorded if key in row}
            for row in self.history
        ]

    # What follows is called by skorch.

    def get_all_learnable_params(self) -> Iterator[tuple[str, nn.Parameter]]:
        yield "flat", self.flat.tensor

    def get_split_datasets(
        self, X: Tensors, y: None = None, **fit_params: Any
    ) -> tuple[Tensors, Tensors | None]:
        return X, None if self.held_out is None else X

    def get_iterator(self, dataset: Tensors, training: bool = False) -> Iterator:
        rows = self.batches.next_round() if training else self.held_out
        return (gather(dataset, indices) for indices in rows)

    def run_single_epoch(
        self,
        iterator: Iterator[Tensors] | None,
        training: bool,
        prefix: str,
        step_fn: Any,
        **fit_params: Any,
    ) -> None:
        if training:
            self._train_round(iterator)
        elif iterator is not None:
            self.held_out_error = self._evaluate(iterator)
            self.history.record("validation_loss", float(self.held_out_error.mean()))

    def _train_round(self, batches: Iterator[Tensors]) -> None:
        self.module_.train()
        steps, total, began = self.batches.steps, 0.0, time.perf_counter()
        for step, batch in enumerate(batches):
            self.optimizer_.param_groups[0]["lr"] = self.schedule.rate(step / steps)
            self.flat.gradient.zero_()
            terms = self.criterion_(self.module_, batch, self.generator)
            # Members are summed, not averaged: each one's gradient is its own.
            members = sum(term.mean(dim=1) for term in terms.values())
            members.sum().backward()
            self.optimizer_.step()
            total += members.detach().mean()
        self.history.record("loss", float(total) / steps)
        self.history.record("steps", steps)
        self.history.record("duration", time.perf_counter() - began)

    @torch.inference_mode()
    def _evaluate(self, batches: Iterator[Tensors]) -> np.ndarray:
        self.module_.eval()
        blocks = [
            sum(self.criterion_(self.module_, batch).values()) for batch in batches
        ]
        return self.held_out.select(torch.cat(blocks, dim=1))


def _on_device(generator: torch.Generator, device: str) -> torch.Generator:
    """Generator for tensors on `device`, seeded by one on the CPU."""
    if torch.device(device).type == "cpu":
        return generator
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.Generator(device).manual_seed(seed)


@torch.no_grad()
def _keep_last_member(module: nn.Module, constants: Tensors) -> None:
    """Turn `module` into its last member: float64, on the CPU, in evaluation mode."""
    module.cpu().double().eval().requires_grad_(False)
    for parameter in module.parameters():
        parameter.data = parameter.data[-1:].clone()
    for name, buffer in module.named_buffers():
        buffer.data = constants[name][-1:].clone()
