"""A huge value gives a finite answer, or an error that names it; never NaN."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.utils import get_tags

from skae import DenoisingTransformer
from tests.laws._estimators import EVERY_INSTANCE, each, outputs, rows

LARGEST_FLOAT = float(np.finfo(np.float64).max)


def with_value(value: float) -> np.ndarray:
    table = rows().copy()
    table[7, 2] = value
    return table


def answers(estimator: BaseEstimator, X: np.ndarray) -> dict[str, np.ndarray]:
    """What it returns; beside the huge value there is a gap if it fills gaps."""
    if not get_tags(estimator).input_tags.allow_nan or isinstance(
        estimator, DenoisingTransformer
    ):
        return outputs(estimator, X)
    X = X.copy()
    X[7, 1] = np.nan
    return {
        "transform": estimator.transform(X),
        "imputation_std": estimator.imputation_std(X),
        "sample": estimator.sample(X, n_draws=2, random_state=0),
    }


@each(EVERY_INSTANCE)
@pytest.mark.parametrize("value", [1e30, -1e99])
def test_large_values_are_computed_with(estimator: BaseEstimator, value: float) -> None:
    bounded = getattr(estimator, "loss", None) == "log_loss"
    fitted = clone(estimator).fit(rows())
    for name, answer in answers(fitted, with_value(value)).items():
        assert np.isfinite(answer).all(), name
    if bounded or (isinstance(estimator, DenoisingTransformer) and value < 0):
        return  # are refused in training, each by an error of its own
    fitted = clone(estimator).fit(with_value(value))
    for name, answer in answers(fitted, with_value(value)).items():
        assert np.isfinite(answer).all(), name


@each(EVERY_INSTANCE)
@pytest.mark.parametrize("value", [1e101, -1e155, LARGEST_FLOAT])
def test_huger_values_are_named(estimator: BaseEstimator, value: float) -> None:
    message = rf"X holds {value:.6g} in column 2, row 7".replace("+", r"\+")
    with pytest.raises(ValueError, match=message):
        clone(estimator).fit(with_value(value))
    fitted = clone(estimator).fit(rows())
    with pytest.raises(ValueError, match=message):
        answers(fitted, with_value(value))


@each(EVERY_INSTANCE)
def test_largest_values_of_float32(estimator: BaseEstimator) -> None:
    """Also where they are far larger than the training rows."""
    unit = 1.0 if getattr(estimator, "loss", None) == "log_loss" else 2.0**-40
    fitted = clone(estimator).fit((rows() * unit).astype(np.float32))
    huge = (with_value(9e35 / unit) * unit).astype(np.float32)
    if getattr(estimator, "start", "") is None and unit < 1:
        # A network without a start may take such a row anywhere.
        with pytest.raises(ValueError, match=r"no room .* pass X as float64"):
            answers(fitted, huge)
    else:
        for name, answer in answers(fitted, huge).items():
            assert np.isfinite(answer).all(), name
    with pytest.raises(ValueError, match=r"X holds 1e\+37 in column 2, row 7"):
        answers(fitted, with_value(1e37).astype(np.float32))
