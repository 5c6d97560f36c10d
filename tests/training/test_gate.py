"""The gate: what it takes to keep a network, and how much of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from skae._training import Folds, Gate, Objective, Problem, held_out_error, weigh
from skae.losses import LOSSES


def errors_of(output: np.ndarray, target: np.ndarray):
    """Squared errors of a start at zero plus a share of what a network adds."""
    return lambda weight: (weight * output - target) ** 2


def test_keeps_all_of_a_network_that_is_right(rng: np.random.RandomState) -> None:
    target = rng.normal(size=200)
    gate = Gate().fit(errors_of(target, target))
    assert gate.weight_ == 1
    assert not gate.held_out_error_.any()
    np.testing.assert_allclose(gate.start_error_, target**2)


@pytest.mark.parametrize("overshoot, weight", [(2, 0.5), (4, 0.25), (1.1, 1.0)])
def test_keeps_part_of_a_network_that_exaggerates(
    rng: np.random.RandomState, overshoot: float, weight: float
) -> None:
    target = rng.normal(size=200)
    gate = Gate().fit(errors_of(overshoot * target, target))
    assert gate.weight_ == weight


@pytest.mark.parametrize("factor", [-1.0, 9.0])
def test_drops_a_network_that_is_wrong(
    rng: np.random.RandomState, factor: float
) -> None:
    target = rng.normal(size=200)
    gate = Gate().fit(errors_of(factor * target, target))
    assert gate.weight_ == 0
    assert np.array_equal(gate.held_out_error_, gate.start_error_)


@pytest.mark.parametrize("t, kept", [(1.5, False), (1.8, True)])
def test_gain_has_to_be_significant(t: float, kept: bool) -> None:
    """At the one-sided 5 % level: 1.645 standard errors."""
    gain = np.array([-1.0, 1.0] * 50)
    gain += t * gain.std() / np.sqrt(len(gain))
    gate = Gate().fit(lambda weight: 10 - gain if weight else np.full(100, 10.0))
    assert (gate.weight_ > 0) is kept


def test_of_weights_that_are_better_than_none_the_best_is_taken() -> None:
    """Also where chance could tell it from a smaller one."""
    alternating = np.array([-1.0, 1.0] * 50)
    errors = {0.0: 10.0, 0.25: 5.0, 0.5: 4.0, 0.75: 3.99 + alternating, 1.0: 6.0}
    gate = Gate().fit(lambda weight: errors[weight] + np.zeros(100))
    assert gate.weight_ == 0.75


def test_no_gain_is_no_reason_to_keep_a_network() -> None:
    assert Gate().fit(lambda weight: np.ones(50)).weight_ == 0
    assert Gate().fit(lambda weight: np.zeros(50)).weight_ == 0


def test_errors_that_are_not_finite_are_no_gain() -> None:
    start, broken = np.ones(50), np.full(50, np.nan)
    assert Gate().fit(lambda weight: broken if weight else start).weight_ == 0


def test_noise_is_mostly_dropped() -> None:
    rng = np.random.RandomState(0)
    kept = []
    for _ in range(200):
        target, output = rng.normal(size=(2, 300))
        kept.append(Gate().fit(errors_of(0.3 * output, target)).weight_ > 0)
    assert np.mean(kept) < 0.1


class Weighed(nn.Module):
    """Starts at zero; a network adds its input."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = 1.0
        # The engine asks a module for its precision.
        self.unused = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, batch: dict, generator: torch.Generator | None = None) -> dict:
        return {"output": self.weight * batch["input"]}


def weighing(
    output: np.ndarray, target: np.ndarray, n_copies: int, keys: bool
) -> Problem:
    """Rows of one value, each so many times, all of them held out."""
    tensors = {
        name: torch.from_numpy(values.repeat(n_copies))[:, None]
        for name, values in (("input", output), ("target", target))
    }
    rows = np.arange(len(output) * n_copies)
    copy_of = np.arange(len(output), dtype=np.uint64).repeat(n_copies)
    folds = Folds([rows], [rows], copy_of if keys else None)
    return Problem(Weighed(), Objective(LOSSES["squared_error"]), tensors, folds)


class TestWeigh:
    """Held-out rows set the weight of a module."""

    def test_chooses_as_the_gate_does(self, rng: np.random.RandomState) -> None:
        target = rng.normal(size=200)
        problem = weighing(2 * target, target, n_copies=1, keys=True)
        verdict = weigh(problem, gate := Gate())
        assert problem.module.weight == gate.weight_ == 0.5
        assert verdict.uses_network
        np.testing.assert_allclose(gate.start_error_, target**2)
        np.testing.assert_allclose(gate.held_out_error_, held_out_error(problem))
        assert verdict.start_error == pytest.approx(np.mean(target**2))
        assert verdict.kept_error == pytest.approx(held_out_error(problem).mean())

    @pytest.mark.parametrize("n_copies", [1, 4, 30])
    def test_copies_of_rows_prove_no_more_than_the_rows(self, n_copies: int) -> None:
        """A gain of 1.2 standard errors is chance, however often it is copied."""
        gain = np.array([-0.5, 0.5] * 18)
        gain += 1.2 * gain.std() / np.sqrt(len(gain))
        # The error falls from one by the gain.
        target = np.ones(36)
        output = 1 - np.sqrt(1 - gain)
        problem = weighing(output, target, n_copies, keys=True)
        gate = Gate(standard_errors=1.645)
        assert not weigh(problem, gate).uses_network
        assert gate.start_error_.shape == gate.held_out_error_.shape == (36,)
        assert problem.module.weight == 0
        # Were they rows of their own, they would prove it.
        independent = weighing(output, target, n_copies, keys=False)
        weigh(independent, Gate(standard_errors=1.645))
        assert (independent.module.weight > 0) == (n_copies > 1)
