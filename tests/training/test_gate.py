"""The gate: what it takes to keep a network, and how much of it."""

from __future__ import annotations

import numpy as np
import pytest

from skae._training import Gate


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
