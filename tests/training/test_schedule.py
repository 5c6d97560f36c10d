"""The learning rate over the rounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skae._training._schedule import Schedule


def run(schedule: Schedule, errors) -> list[tuple[float, float]]:
    """Learning rates at the beginning and just before the end of every round."""
    rates = []
    for error in errors:
        if schedule.finished:
            break
        rates.append((schedule.rate(0.0), schedule.rate(1 - 1e-9)))
        schedule.update(error)
    return rates


def test_warms_up_in_the_first_round_only() -> None:
    rates = run(Schedule(0.1, 20, 1e-3, 3), 0.5 ** np.arange(10))
    assert rates[0] == pytest.approx((0.0, 0.1))
    assert rates[1:] == [(0.1, 0.1)] * 9


def test_rate_is_linear_within_a_round() -> None:
    schedule = Schedule(0.1, 20, 1e-3, 3)
    assert schedule.rate(0.25) == pytest.approx(0.025)
    assert schedule.rate(0.5) == pytest.approx(0.05)


@pytest.mark.parametrize("max_iter", [*range(1, 61), 100, 1000])
def test_steady_progress_takes_all_rounds(max_iter: int) -> None:
    schedule = Schedule(0.1, max_iter, 1e-3, 3)
    run(schedule, 0.5 ** np.arange(2000.0).clip(max=900))
    assert schedule.finished
    assert schedule.n_iter == max_iter


def test_decay_is_linear_to_zero_over_the_last_rounds() -> None:
    rates = run(Schedule(0.1, 100, 1e-3, 3), 0.5 ** np.arange(100.0))
    begins = np.array([begin for begin, _ in rates[1:]])
    decaying = np.flatnonzero(begins < 0.1 - 1e-12)
    assert rates[-1][1] == pytest.approx(0, abs=1e-9)
    steps = np.diff(begins[decaying[0] - 1 :])
    np.testing.assert_allclose(steps, steps[0])
    # 30 % of the rounds before it.
    assert len(decaying) + 1 == pytest.approx(0.3 * (100 - len(decaying) - 1), abs=1)


@pytest.mark.parametrize("patience", [1, 3, 10])
@pytest.mark.parametrize("progress", [0, 10])
def test_plateau_starts_the_decay(patience: int, progress: int) -> None:
    falling = [0.5**i for i in range(1, progress + 1)]
    schedule = Schedule(0.1, 1000, 1e-3, patience)
    rates = run(schedule, falling + [1.0] * 1000)
    # The first error is always an improvement, of nothing.
    before = max(progress, 1) + patience
    decay = max(1, round(0.3 * before))
    assert schedule.n_iter == before + decay
    assert rates[before - 1][1] == pytest.approx(0.1)
    assert rates[before][1] < 0.1
    assert rates[-1][1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("fall, progresses", [(0.9, True), (0.99, False)])
def test_progress_is_relative(fall: float, progresses: bool) -> None:
    """A fall by less than `tol` is none, whatever the unit of the error."""
    for unit in (1e-20, 1.0, 1e20):
        schedule = Schedule(0.1, 1000, 0.05, 3)
        run(schedule, unit * fall ** np.arange(50.0))
        assert schedule.finished is not progresses


@pytest.mark.parametrize(
    "error, tol",
    [(1.0, 0.0), (0.0, 0.0), (0.0, 1e-3), (math.nan, 0.0), (math.inf, 0.0)],
)
def test_an_error_that_stays_is_no_progress(error: float, tol: float) -> None:
    """Not even where any fall would be one, nor where no error can be lower."""
    schedule = Schedule(0.1, 1000, tol, 3)
    run(schedule, [error] * 1000)
    # What is finite in the first round is less than nothing known.
    assert schedule.n_iter == 3 + 1 + math.isfinite(error)


def test_small_falls_add_up_to_progress() -> None:
    schedule = Schedule(0.1, 1000, 0.05, 3)
    run(schedule, 0.975 ** np.arange(50.0))
    assert not schedule.finished


@settings(deadline=None, derandomize=True, database=None)
@given(
    max_iter=st.integers(1, 60),
    tol=st.floats(0, 0.9),
    patience=st.integers(1, 10),
    errors=st.lists(
        st.floats(0, 10) | st.sampled_from([math.nan, math.inf]),
        min_size=60,
        max_size=60,
    ),
)
def test_always_ends_in_time_with_sensible_rates(
    max_iter: int, tol: float, patience: int, errors: list[float]
) -> None:
    schedule = Schedule(0.1, max_iter, tol, patience)
    rates = run(schedule, errors)
    assert schedule.finished
    assert 1 <= len(rates) <= max_iter
    assert all(0 <= rate <= 0.1 for pair in rates for rate in pair)
    assert any(rate > 0 for pair in rates for rate in pair)
    assert rates[-1][1] == pytest.approx(0, abs=1e-8)
