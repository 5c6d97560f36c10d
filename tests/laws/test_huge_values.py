"""A huge value gives a finite answer, or an error that names it; never NaN."""

from __future__ import annotations

import re
from functools import cache

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


@cache
def fitted_to_ordinary_rows(name: str) -> BaseEstimator:
    return clone(EVERY_INSTANCE[name]).fit(rows())


each_name = pytest.mark.parametrize("name", EVERY_INSTANCE)


@each_name
@pytest.mark.parametrize("value", [1e30, -1e99])
def test_large_values_are_computed_with(name: str, value: float) -> None:
    estimator, fitted = EVERY_INSTANCE[name], fitted_to_ordinary_rows(name)
    bounded = getattr(estimator, "loss", None) == "log_loss"
    for method, answer in answers(fitted, with_value(value)).items():
        assert np.isfinite(answer).all(), method
    if bounded:
        return  # refuses rows outside of [0, 1] in training
    fitted = clone(estimator).fit(with_value(value))
    for method, answer in answers(fitted, with_value(value)).items():
        assert np.isfinite(answer).all(), method


@each_name
@pytest.mark.parametrize("value", [1e101, -1e155, LARGEST_FLOAT])
def test_huger_values_are_named(name: str, value: float) -> None:
    message = rf"X holds {value:.6g} in column 2, row 7".replace("+", r"\+")
    with pytest.raises(ValueError, match=message):
        clone(EVERY_INSTANCE[name]).fit(with_value(value))
    with pytest.raises(ValueError, match=message):
        answers(fitted_to_ordinary_rows(name), with_value(value))


@each(EVERY_INSTANCE)
def test_largest_values_of_float32(estimator: BaseEstimator) -> None:
    """Also where they are far larger than the training rows."""
    unit = 1.0 if getattr(estimator, "loss", None) == "log_loss" else 2.0**-40
    fitted = clone(estimator).fit((rows() * unit).astype(np.float32))
    huge = (with_value(9e35 / unit) * unit).astype(np.float32)
    # A network without a start may take such a row anywhere, also beyond float32.
    anywhere = getattr(estimator, "start", "") is None
    try:
        for name, answer in answers(fitted, huge).items():
            assert np.isfinite(answer).all(), name
    except ValueError as error:
        assert anywhere and re.search("no room .* pass X as float64", str(error))
    with pytest.raises(ValueError, match=r"X holds 1e\+37 in column 2, row 7"):
        answers(fitted, with_value(1e37).astype(np.float32))
