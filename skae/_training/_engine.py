"""The engine that trains every module of the package."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from skae._tables import full_precision
from skae._training._adam import Adam
from skae._training._batches import HeldOutBatches, TrainingBatches, gather
from skae._training._flat import FlatParameters
from skae._training._gradient import gradient_of
from skae._training._objective import Objective, Tensors, total
from skae._training._problem import History, Problem, Settings
from skae._training._schedule import Schedule
from skae.networks._members import member_lists, member_tensors
from skae.networks._randomness import global_draws_from

_DIVERGED = 10  # a loss that has grown by this factor does not come back

#: Runs the round that it is given, and tells whether to stop. Its second argument gives
#: the module the best weights so far and returns the history.
Watch = Callable[[Callable[[], None], Callable[[], History]], bool]
#: Is told of every round: its entry in the history, and the errors of held-out rows in
#: the order of ``folds.held_out_rows``, or None.
Report = Callable[[dict[str, Any], np.ndarray | None], None]


@dataclass(frozen=True)
class Training:
    """What came of a training.

    Attributes
    ----------
    history : list of dict
        One entry a round: ``round``, ``loss``, ``steps``, the ``duration`` of the steps
        in seconds and, with held-out rows, ``validation_loss``.
    diverged : bool
        Whether the loss was no longer finite, or ten times what it was before the first
        step and what it is of zeros. The best weights before that are kept.
    """

    history: History
    diverged: bool


def unwatched(run: Callable[[], None], so_far: Callable[[], History]) -> bool:
    """Run a round and nothing else."""
    run()
    return False


def unreported(entry: dict[str, Any], errors: np.ndarray | None) -> None:
    """Tell nobody of a round."""


@torch.enable_grad()
def train(
    problem: Problem,
    settings: Settings,
    generator: torch.Generator,
    watch: Watch = unwatched,
    report: Report = unreported,
) -> Training:
    """Train all members of a module at once, in place.

    The steps are taken in float32 on the device, by a copy; the module itself stays
    where and what it is and receives the weights of the best round: the one with the
    least mean error of all held-out rows or, where none are held out, the least loss.

    Parameters
    ----------
    problem : Problem
    settings : Settings
    generator : torch.Generator
        Source of the order of rows and of the noise.
    watch : callable
        Runs every round.
    report : callable
        Is told of every round whose loss is finite.
    """
    device = settings.device
    working = copy.deepcopy(problem.module).float().to(device)
    rounds = _Rounds(working, problem, settings, generator, report)

    def so_far() -> History:
        rounds.best_weights.hand_to(problem.module)
        return [*rounds.history]

    with full_precision(device.type):
        rounds.run(lambda run: watch(run, so_far))
    return Training(so_far(), rounds.diverged)


def held_out_error(problem: Problem) -> np.ndarray:
    """Error of every held-out row, by the member that did not train on it.

    Returns
    -------
    error : ndarray of shape (n_held_out,)
        In the order of ``folds.held_out_rows``.
    """
    held_out = HeldOutBatches(problem.folds, problem.row_size)
    batches = _held_out(problem, held_out)
    return _errors(problem.module, problem.objective, batches, held_out)


@torch.inference_mode()
def held_out_output(problem: Problem) -> np.ndarray:
    """Output for every held-out row, by the member that did not train on it.

    Returns
    -------
    output : ndarray of shape (n_held_out, n_outputs)
        In the order of ``folds.held_out_rows``.
    """
    held_out = HeldOutBatches(problem.folds, problem.row_size)
    with _first_members(problem.module, held_out.members) as module:
        outputs = [module(batch)["output"] for batch in _held_out(problem, held_out)]
    return held_out.select(torch.cat(outputs, dim=1))


def _held_out(problem: Problem, held_out: HeldOutBatches) -> Iterator[Tensors]:
    """Batches of the held-out rows in the precision of the module."""
    dtype = next(problem.module.parameters()).dtype
    return (
        {name: tensor.to(dtype) for name, tensor in batch.items()}
        for batch in (gather(problem.tensors, rows) for rows in held_out)
    )


@torch.inference_mode()
def _errors(
    module: nn.Module,
    objective: Objective,
    batches: Iterator[Tensors],
    held_out: HeldOutBatches,
) -> np.ndarray:
    module.eval()
    with _first_members(module, held_out.members):
        errors = [
            total(objective(module, batch)) / batch["target"][0, 0].numel()
            for batch in batches
        ]
    return held_out.select(torch.cat(errors, dim=1))


@contextmanager
def _first_members(module: nn.Module, members: int) -> Iterator[nn.Module]:
    """Let a module consist of its first members only, as views of its tensors."""
    tensors = list(member_tensors(module))
    whole = [tensor.data for tensor in tensors]
    for tensor in tensors:
        tensor.data = tensor.data[:members]
    try:
        yield module
    finally:
        for tensor, data in zip(tensors, whole, strict=True):
            tensor.data = data


class _Rounds:
    """The rounds of a training, each a fixed number of steps and an evaluation.

    Parameters
    ----------
    module : nn.Module
        What is trained, in float32 and on the device of the training.
    problem : Problem
    settings : Settings
    generator : torch.Generator
    report : callable
    """

    def __init__(
        self,
        module: nn.Module,
        problem: Problem,
        settings: Settings,
        generator: torch.Generator,
        report: Report,
    ) -> None:
        self._module = module
        self._objective = problem.objective
        self._device = settings.device
        self._tensors = {
            name: tensor.to(self._device) for name, tensor in problem.tensors.items()
        }
        self._batches = TrainingBatches(
            problem.folds, settings.batch_size, settings.steps, generator
        )
        self._held_out = None
        if problem.provable:
            self._held_out = HeldOutBatches(problem.folds, problem.row_size)
        self._schedule = Schedule(
            settings.learning_rate,
            settings.max_iter,
            settings.tol,
            settings.n_iter_no_change,
        )
        self._noise = _on_device(generator, self._device)
        self._flat = FlatParameters(module)
        self._gradient = gradient_of(module, self._objective, self._flat, self._noise)
        self._adam = Adam(self._flat.values, self._flat.gradient)
        self._report = report
        self._best = math.inf
        self.best_weights = self._flat.copy()
        self.history: History = []

    def run(self, watch: Callable[[Callable[[], None]], bool]) -> None:
        """Run the rounds of the schedule, or as many as are asked for."""
        with self._own_draws():
            self._usual_loss = self._loss_of_one_pass()
        stop = False
        while not (stop or self.diverged or self._schedule.finished):
            stop = watch(self._run_round)

    @property
    def diverged(self) -> bool:
        if not self.history:
            return False
        loss = self.history[-1]["loss"]
        return not (np.isfinite(loss) and loss <= _DIVERGED * self._usual_loss)

    def _run_round(self) -> None:
        with self._own_draws():
            began = time.perf_counter()
            error = loss = self._take_steps()
            duration = time.perf_counter() - began
            errors = self._held_out_errors()
        entry = {"round": len(self.history) + 1, "loss": loss}
        if errors is not None:
            entry["validation_loss"] = error = float(errors.mean())
        entry |= {"steps": self._batches.steps, "duration": duration}
        self.history.append(entry)
        if self.diverged:
            return
        if error < self._best:
            self._best, self.best_weights = error, self._flat.copy()
        self._schedule.update(error)
        self._report(entry, errors)

    def _take_steps(self) -> float:
        """Take the steps of a round and return the mean loss of a member."""
        self._module.train()
        steps = self._batches.steps
        total_loss = torch.zeros((), dtype=torch.float32, device=self._device)
        for step, rows in enumerate(self._batches.next_round()):
            batch = gather(self._tensors, rows.to(self._device))
            total_loss += self._gradient(batch)
            self._adam.step(self._schedule.rate((step + 0.5) / steps))
        return float(total_loss) / steps

    def _held_out_errors(self) -> np.ndarray | None:
        if self._held_out is None:
            return None
        rows = (rows.to(self._device) for rows in self._held_out)
        batches = (gather(self._tensors, indices) for indices in rows)
        return _errors(self._module, self._objective, batches, self._held_out)

    def _own_draws(self) -> AbstractContextManager[None]:
        """Let modules of users, which know no generator, draw from that of the rows."""
        if member_lists(self._module):
            return global_draws_from(self._batches.generator, self._device)
        return nullcontext()

    @torch.no_grad()
    def _loss_of_one_pass(self) -> float:
        """Mean loss of the rows, each once, or of as many as a third of a round has.

        It is that of an output of zeros where that is larger: beside a start that is
        all but perfect, any network is many times worse.
        """
        losses = []
        for rows in self._batches.next_round()[: self._batches.steps // 3]:
            batch = gather(self._tensors, rows.to(self._device))
            loss = total(self._objective(self._module, batch, self._noise)).mean()
            target = batch["target"]
            zeros = self._objective.loss.pointwise(torch.zeros_like(target), target)
            losses.append(max(float(loss) / target[0, 0].numel(), float(zeros.mean())))
        return float(np.mean(losses))


def _on_device(generator: torch.Generator, device: torch.device) -> torch.Generator:
    """Generator of the noise, which is drawn where the batches are."""
    if device.type == "cpu":
        return generator
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.Generator(device).manual_seed(seed)
