"""Surprise: a tail probability, continued beyond what was seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skae.estimators.detector._surprise import Surprise

few = settings(max_examples=60, deadline=None, derandomize=True, database=None)
#: With ties, and with one value only.
references = st.lists(st.integers(0, 20), min_size=1, max_size=40).map(
    lambda values: np.array(values, dtype=float)
)


@few
@given(reference=references)
def test_counts_the_errors_that_are_at_least_as_large(reference: np.ndarray) -> None:
    surprise = Surprise(reference)
    for error in reference:
        as_large = sum(other >= error for other in reference) - 0.5
        expected = -np.log(as_large / (len(reference) - 0.5))
        assert surprise(np.array([error])) == pytest.approx(expected)


@few
@given(reference=references)
def test_grows_with_the_error(reference: np.ndarray) -> None:
    errors = np.linspace(-1, 30, 200)
    values = Surprise(reference)(errors)
    assert (np.diff(values) >= 0).all()
    beyond = values[errors >= reference.max()]
    assert (np.diff(beyond) > 0).all()


@few
@given(reference=references)
def test_is_zero_up_to_the_least_error(reference: np.ndarray) -> None:
    least = reference.min()
    errors = np.array([least, least - 1e-9, least - 5, -1e30])
    assert not Surprise(reference)(errors).any()


def test_is_interpolated_between_errors() -> None:
    surprise = Surprise(np.array([1.0, 3.0, 7.0]))
    low, middle, high = surprise(np.array([3.0, 4.0, 7.0]))
    assert middle == pytest.approx(low + (high - low) / 4)


@few
@given(reference=references)
def test_is_linear_beyond_the_largest_error(reference: np.ndarray) -> None:
    surprise, most = Surprise(reference), reference.max()
    at, one, hundred, far = surprise(most + np.array([0.0, 1.0, 100.0, 1e12]))
    assert hundred - at == pytest.approx(100 * (one - at))
    assert far - at == pytest.approx(1e12 * (one - at))


def test_goes_on_as_steeply_as_over_the_last_tenth() -> None:
    reference = np.arange(1.0, 101)
    surprise = Surprise(reference)
    tenth, most, beyond = surprise(np.array([91.0, 100.0, 109.0]))
    # 91 is the least error that only a tenth reach.
    assert beyond - most == pytest.approx(most - tenth, rel=0.02)


def test_does_not_depend_on_the_order_of_the_references(
    rng: np.random.RandomState,
) -> None:
    reference, errors = rng.exponential(size=100), rng.exponential(2, size=50)
    again = Surprise(rng.permutation(reference))
    assert np.array_equal(again(errors), Surprise(reference)(errors))
