"""The engine that trains every module of the package."""

from __future__ import annotations

import copy
import functools
import math
import operator
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from torch import nn

from skae._tables import full_precision
from skae._training._batches import HeldOutBatches, TrainingBatches, gather
from skae._training._flat import FlatParameters
from skae._training._objective import Objective, Tensors
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
    net = _RoundNet(
        working,
        problem.objective,
        flat=FlatParameters(working),
        batches=TrainingBatches(
            problem.folds, settings.batch_size, settings.steps, generator
        ),
        held_out=(
            HeldOutBatches(problem.folds, problem.row_size)
            if problem.provable
            else None
        ),
        schedule=Schedule(
            settings.learning_rate,
            settings.max_iter,
            settings.tol,
            settings.n_iter_no_change,
        ),
        generator=_on_device(generator, device),
        device=device,
        report=report,
    )
    on_device = {name: tensor.to(device) for name, tensor in problem.tensors.items()}

    def so_far() -> History:
        net.best_weights.hand_to(problem.module)
        return net.rounds()

    with full_precision(device.type):
        net.run(on_device, lambda run: watch(run, so_far))
    return Training(so_far(), net.diverged)


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
            _total(objective(module, batch)) / batch["target"][0, 0].numel()
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
        report: Report,
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
        self.report = report

    def run(
        self, tensors: Tensors, watch: Callable[[Callable[[], None]], bool]
    ) -> None:
        """Run the rounds of the schedule, or as many as are asked for."""
        self.initialize()
        with self._own_draws():
            self.usual_loss = self._loss_of_one_pass(tensors)
        self.best, self.best_weights = math.inf, self.flat.copy()
        stop = False
        while not (stop or self.schedule.finished):
            stop = watch(functools.partial(self._run_round, tensors))
            if self.diverged:
                break

    def _run_round(self, tensors: Tensors) -> None:
        self.errors: np.ndarray | None = None
        with self._own_draws():
            self.fit_loop(tensors, epochs=1)
        if self.diverged:
            return
        judged_by = "loss" if self.held_out is None else "validation_loss"
        error = self.history[-1, judged_by]
        if error < self.best:
            self.best, self.best_weights = error, self.flat.copy()
        self.schedule.update(error)
        self.report(self.rounds()[-1], self.errors)

    def rounds(self) -> History:
        """Return the history as plain dictionaries."""
        recorded = ("loss", "validation_loss", "steps", "duration")
        return [
            {"round": row["epoch"]} | {key: row[key] for key in recorded if key in row}
            for row in self.history
        ]

    def _own_draws(self) -> AbstractContextManager[None]:
        """Let modules of users, which know no generator, draw from that of the rows."""
        if member_lists(self.module_):
            return global_draws_from(self.batches.generator, torch.device(self.device))
        return nullcontext()

    @torch.no_grad()
    def _loss_of_one_pass(self, tensors: Tensors) -> float:
        """Mean loss of the rows, each once, or of as many as a third of a round has.

        It is that of an output of zeros where that is larger: beside a start that is
        all but perfect, any network is many times worse.
        """
        losses = []
        for rows in self.batches.next_round()[: self.batches.steps // 3]:
            batch = gather(tensors, rows.to(self.device))
            loss = _total(self.criterion_(self.module_, batch, self.generator)).mean()
            target = batch["target"]
            zeros = self.criterion_.loss.pointwise(torch.zeros_like(target), target)
            losses.append(max(float(loss) / target[0, 0].numel(), float(zeros.mean())))
        return float(np.mean(losses))

    @property
    def diverged(self) -> bool:
        loss = self.history[-1, "loss"]
        return not (np.isfinite(loss) and loss <= _DIVERGED * self.usual_loss)

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
        assert rows is not None  # skorch asks for held-out rows if there are any
        return (gather(dataset, indices.to(self.device)) for indices in rows)

    def run_single_epoch(
        self,
        iterator: Iterator[Tensors] | None,
        training: bool,
        prefix: str,
        step_fn: Any,
        **fit_params: Any,
    ) -> None:
        if iterator is None:
            return
        if training:
            self._train_round(iterator)
        elif self.held_out is not None:
            errors = _errors(self.module_, self.criterion_, iterator, self.held_out)
            self.history.record("validation_loss", float(errors.mean()))
            self.errors = errors

    def _train_round(self, batches: Iterator[Tensors]) -> None:
        self.module_.train()
        steps, began = self.batches.steps, time.perf_counter()
        total = torch.zeros((), dtype=torch.float32, device=self.device)
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
