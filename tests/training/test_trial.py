"""A short training chooses among starts by what a network makes of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from skae._training import Folds, Objective, _trial, train
from skae._training import all_rows
from skae.estimators.denoiser._start import choose_start
from skae.losses import LOSSES

OBJECTIVE = Objective(LOSSES["squared_error"])
N = 60
ONES = torch.ones(N, 3)
HELD_OUT = Folds([np.arange(N - 20)], [np.arange(N - 20, N)])


class Residual(nn.Module):
    """A constant start, to which a constant is added that may learn, or may not."""

    def __init__(self, start: float, *, gain: float = 1.0) -> None:
        super().__init__()
        self.start, self.gain = start, gain
        self.learned = nn.Parameter(torch.zeros(1, 1, 1, dtype=torch.float64))

    def forward(
        self, batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
    ) -> dict[str, torch.Tensor]:
        added = (self.start + self.gain * self.learned).expand_as(batch["target"])
        return {"output": added}


def choose(
    residuals: dict[str, nn.Module],
    folds: Folds = HELD_OUT,
    x: torch.Tensor = ONES,
    **params,
) -> str:
    defaults = {
        "generator": torch.Generator().manual_seed(0),
        "batch_size": 10,
        "learning_rate": 0.05,
        "max_iter": 100,
        "tol": 0.0,
        "n_iter_no_change": 100,
    }
    tensors = {"input": x, "target": x}
    return choose_start(residuals, OBJECTIVE, tensors, folds, **(defaults | params))


def better_and_worse(**worse) -> dict[str, nn.Module]:
    """A start from which no gradient leads on, and one that is worse."""
    return {"better": Residual(0.8, gain=0.0), "worse": Residual(0.5, **worse)}


@pytest.mark.parametrize("turned", [False, True])
def test_takes_the_start_that_a_network_gets_farthest_from(turned: bool) -> None:
    residuals = better_and_worse()
    if turned:
        residuals = dict(reversed(residuals.items()))
    assert choose(residuals) == "worse"


@pytest.mark.parametrize("turned", [False, True])
def test_takes_the_better_start_where_no_network_learns(turned: bool) -> None:
    residuals = better_and_worse(gain=0.0)
    if turned:
        residuals = dict(reversed(residuals.items()))
    assert choose(residuals) == "better"


def test_the_training_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rounds, however many the whole training may have."""
    histories = []

    def watched(*args, **params) -> list[dict]:
        histories.append(train(*args, **params))
        return histories[-1]

    monkeypatch.setattr(_trial, "train", watched)
    choose({"one": Residual(0.5), "two": Residual(0.6)})
    assert [len(history) for history in histories] == [2, 2]


class Diverging(Residual):
    """Its slope at zero is infinite, after which no number is left."""

    def forward(
        self, batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
    ) -> dict[str, torch.Tensor]:
        output = (self.start + self.learned.sqrt()).expand_as(batch["target"])
        return {"output": output}


@pytest.mark.parametrize("diverging", [Residual(0.9, gain=1e20), Diverging(0.9)])
def test_a_training_that_diverges_is_not_taken(diverging: nn.Module) -> None:
    """Whether its loss is very large or no number at all; and nobody is warned."""
    residuals = {"diverges": diverging, "learns": Residual(0.5)}
    assert choose(residuals) == "learns"


def test_of_trainings_that_diverge_the_best_start_is_taken() -> None:
    residuals = {str(start): Diverging(start) for start in (0.5, 0.9, 0.7)}
    assert choose(residuals) == "0.9"


def test_is_judged_by_rows_that_are_held_out() -> None:
    """Here, by rows of ones, after a training on rows of zeros."""
    x = torch.cat([torch.zeros(N - 20, 3), torch.ones(20, 3)])
    residuals = {"learns": Residual(0.7), "learns nothing": Residual(0.8, gain=0.0)}
    assert choose(residuals, x=x) == "learns nothing"


def test_leaves_the_candidates_as_they_are() -> None:
    residuals = better_and_worse()
    states = {name: vars(module).copy() for name, module in residuals.items()}
    choose(residuals)
    for name, module in residuals.items():
        assert not module.learned.any()
        assert module.learned.grad is None
        assert vars(module) == states[name]


def test_is_the_same_on_repetition() -> None:
    """Also where candidates are nearly alike."""
    residuals = {str(j): Residual(0.5 + 1e-6 * j) for j in range(3)}
    first = choose(residuals)
    assert all(choose(residuals) == first for _ in range(3))


@pytest.mark.parametrize(
    "residuals, folds",
    [
        ({"only": Residual(0.5)}, HELD_OUT),
        ({"first": Residual(0.0), "second": Residual(1.0)}, all_rows(N)),
    ],
)
def test_without_a_choice_nothing_is_trained(
    residuals: dict[str, nn.Module], folds: Folds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forward(*_) -> None:
        raise AssertionError

    monkeypatch.setattr(Residual, "forward", forward)
    assert choose(residuals, folds) == next(iter(residuals))
