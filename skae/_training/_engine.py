"""The engine that trains every module of the package."""

from __future__ import annotations

import copy
import functools
import math
import operator
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch import NeuralNet
from threadpoolctl import threadpool_limits
from torch import nn
from tqdm.auto import tqdm

from skae._training._batches import HeldOutBatches, Tensors, TrainingBatches, gather
from skae._training._flat import FlatParameters, trainable
from skae._training._folds import Folds
from skae._training._schedule import Schedule

_SHARED_WORK = 2**22  # products in a pass forward from which on threads pay
_DIVERGED = 10  # a loss that has grown by this factor does not come back

#: What is trained, what for, on what, and who on which rows.
Problem = tuple[nn.Module, nn.Module, Tensors, Folds]
History = list[dict[str, Any]]
#: Runs the round that it is given, and tells whether to stop. Its second argument gives
#: the module the best weights so far and returns the history.
Watch = Callable[[Callable[[], None], Callable[[], History]], bool]


def unwatched(run: Callable[[], None], so_far: Callable[[], History]) -> bool:
    """Run a round and nothing else."""
    run()
    return False


@torch.enable_grad()
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
    passes: float = 3,
    device: str | torch.device = "cpu",
    verbose: int = 0,
    watch: Watch = unwatched,
) -> History:
    """Train all members of a module at once, in place.

    The steps are taken in float32 on `device`, by a copy; `module` itself stays where
    and what it is and receives the weights of the best round: the one with the least
    mean error of all held-out rows or, where none are held out, the least loss.

    Parameters
    ----------
    module : nn.Module
        Takes and returns tensors of shape ``(members, batch, ...)``. Parameters that
        require no gradient stay as they are.
    objective : nn.Module
        ``(module, batch, generator) -> {name: term of shape (members, batch)}``, terms
        that sum over the elements of a row; losses are reported per element.
    tensors : dict of str to tensor
        Equally long; a batch is a selection of their rows.
    folds : Folds
        Rows on which each member trains and is judged.
    generator : torch.Generator
        Source of the order of rows and of the noise.
    passes : float
        Passes over the rows in a round of at least 20 and at most 300 steps.
    watch : callable
        Runs every round.

    Returns
    -------
    history : list of dict
        One entry a round: ``loss``, ``steps``, the ``duration`` of the steps in seconds
        and, with held-out rows, ``validation_loss``.

    Warns
    -----
    ConvergenceWarning
        If the loss is no longer finite, or ten times what it was before the first step.
    """
    working = copy.deepcopy(module).float().to(device)
    net = _RoundNet(
        working,
        objective,
        flat=FlatParameters(working),
        batches=TrainingBatches(folds, batch_size, generator, passes),
        held_out=(
            HeldOutBatches(folds, _width(tensors)) if len(folds.held_out_rows) else None
        ),
        schedule=Schedule(learning_rate, max_iter, tol, n_iter_no_change),
        generator=_on_device(generator, device),
        device=device,
    )
    on_device = {name: tensor.to(device) for name, tensor in tensors.items()}

    def so_far() -> History:
        _hand_over(net.best_weights, module)
        return net.rounds()

    with (
        tqdm(total=max_iter, unit="round", disable=not verbose) as progress,
        _threads_for(net.flat.tensor.numel() * batch_size),
    ):
        net.run(on_device, progress, lambda run: watch(run, so_far))
    return so_far()


@torch.no_grad()
def _hand_over(weights: torch.Tensor, module: nn.Module) -> None:
    """Copy weights that lie in one piece to the parameters of a module."""
    parameters = list(trainable(module))
    parts = weights.split([p.numel() for p in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.copy_(part.view_as(parameter))


def _threads_for(products: int) -> AbstractContextManager:
    """Limit the threads of steps that are too small to be shared.

    Threads wait for each other at every operation. Two of them took a quarter off steps
    of 13 million products on idle cores; on busy ones, steps of four million took ten
    times the CPU of one thread. The limit holds for the calling thread only.
    """
    if products < _SHARED_WORK:
        return threadpool_limits(1, user_api="openmp")
    return nullcontext()


def held_out_error(
    module: nn.Module, objective: nn.Module, tensors: Tensors, folds: Folds
) -> np.ndarray:
    """Error of every held-out row, by the member that did not train on it.

    Returns
    -------
    error : ndarray of shape (n_held_out,)
        In the order of ``folds.held_out_rows``.
    """
    held_out = HeldOutBatches(folds, _width(tensors))
    return _errors(module, objective, _held_out(module, tensors, held_out), held_out)


@torch.inference_mode()
def held_out_output(module: nn.Module, tensors: Tensors, folds: Folds) -> np.ndarray:
    """Output for every held-out row, by the member that did not train on it.

    Returns
    -------
    output : ndarray of shape (n_held_out, n_outputs)
        In the order of ``folds.held_out_rows``.
    """
    held_out = HeldOutBatches(folds, _width(tensors))
    outputs = [
        module(batch)["output"] for batch in _held_out(module, tensors, held_out)
    ]
    return held_out.select(torch.cat(outputs, dim=1))


def _held_out(
    module: nn.Module, tensors: Tensors, held_out: HeldOutBatches
) -> Iterator[Tensors]:
    """Batches of the held-out rows in the precision of the module."""
    dtype = next(module.parameters()).dtype
    return (
        {name: tensor.to(dtype) for name, tensor in gather(tensors, rows).items()}
        for rows in held_out
    )


@torch.inference_mode()
def _errors(
    module: nn.Module,
    objective: nn.Module,
    batches: Iterator[Tensors],
    held_out: HeldOutBatches,
) -> np.ndarray:
    module.eval()
    errors = [
        _total(objective(module, batch)) / batch["target"][0, 0].numel()
        for batch in batches
    ]
    return held_out.select(torch.cat(errors, dim=1))


def _width(tensors: Tensors) -> int:
    """Values in a row."""
    return max(tensor[0].numel() for tensor in tensors.values())


def _total(terms: Tensors) -> torch.Tensor:
    return functools.reduce(operator.add, terms.values())


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
        device: str | torch.device,
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
        self,
        tensors: Tensors,
        progress: tqdm,
        watch: Callable[[Callable[[], None]], bool],
    ) -> None:
        """Run the rounds of the schedule, or as many as are asked for."""
        self.initialize()
        self.start_loss = self._loss_of_one_pass(tensors)
        self.best, self.best_weights = math.inf, self.flat.copy()
        stop = False
        while not (stop or self.schedule.finished):
            stop = watch(functools.partial(self._run_round, tensors, progress))
            if self._diverged:
                self._warn_of_divergence()
                break

    def _run_round(self, tensors: Tensors, progress: tqdm) -> None:
        self.fit_loop(tensors, epochs=1)
        if self._diverged:
            return
        judged_by = "loss" if self.held_out is None else "validation_loss"
        error = self.history[-1, judged_by]
        if error < self.best:
            self.best, self.best_weights = error, self.flat.copy()
        self.schedule.update(error)
        progress.set_postfix(loss=self.history[-1, "loss"], best=self.best)
        progress.update()

    def rounds(self) -> History:
        """Return the history as plain dictionaries."""
        recorded = ("loss", "validation_loss", "steps", "duration")
        return [
            {"round": row["epoch"]} | {key: row[key] for key in recorded if key in row}
            for row in self.history
        ]

    @torch.no_grad()
    def _loss_of_one_pass(self, tensors: Tensors) -> float:
        """Mean loss of the rows, each once, or of as many as a third of a round has."""
        losses = []
        for rows in self.batches.next_round()[: self.batches.steps // 3]:
            batch = gather(tensors, rows.to(self.device))
            terms = self.criterion_(self.module_, batch, self.generator)
            losses.append(float(_total(terms).mean()) / batch["target"][0, 0].numel())
        return float(np.mean(losses))

    @property
    def _diverged(self) -> bool:
        loss = self.history[-1, "loss"]
        return not (np.isfinite(loss) and loss <= _DIVERGED * self.start_loss)

    def _warn_of_divergence(self) -> None:
        warnings.warn(
            f"Training diverged in round {len(self.history)}; the best weights before "
            "it are kept. Lower learning_rate_init, or scale the columns of X, for "
            "instance with StandardScaler.",
            ConvergenceWarning,
            stacklevel=4,
        )

    # What follows is called by skorch.

    def get_all_learnable_params(self) -> Iterator[tuple[str, nn.Parameter]]:
        yield "flat", self.flat.tensor

    def get_split_datasets(
        self, X: Tensors, y: None = None, **fit_params: Any
    ) -> tuple[Tensors, Tensors | None]:
        return X, None if self.held_out is None else X

    def get_iterator(
        self, dataset: Tensors, training: bool = False
    ) -> Iterator[Tensors]:
        rows = self.batches.next_round() if training else self.held_out
        return (gather(dataset, indices.to(self.device)) for indices in rows)

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
            errors = _errors(self.module_, self.criterion_, iterator, self.held_out)
            self.history.record("validation_loss", float(errors.mean()))

    def _train_round(self, batches: Iterator[Tensors]) -> None:
        self.module_.train()
        steps, total, began = self.batches.steps, 0.0, time.perf_counter()
        for step, batch in enumerate(batches):
            self.optimizer_.param_groups[0]["lr"] = self.schedule.rate(
                (step + 0.5) / steps
            )
            self.flat.gradient.zero_()
            terms = self.criterion_(self.module_, batch, self.generator)
            # Averaged over a batch but summed over members, whose gradients are apart.
            loss = _total(terms).sum() / batch["target"][0].numel()
            loss.backward()
            self.optimizer_.step()
            total += loss.detach()
        self.history.record("loss", float(total) / (steps * self.batches.members))
        self.history.record("steps", steps)
        self.history.record("duration", time.perf_counter() - began)


def _on_device(
    generator: torch.Generator, device: str | torch.device
) -> torch.Generator:
    """Generator of the noise, which is drawn where the batches are."""
    if torch.device(device).type == "cpu":
        return generator
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.Generator(device).manual_seed(seed)
