"""A fit leaves the process and the data of its user as they were."""

# ruff: noqa: NPY002, the legacy global state is one that must not change.

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, clone

from tests.laws._estimators import assert_same, each_instance, outputs, rows


def use(estimator: BaseEstimator, X) -> dict[str, np.ndarray]:
    """Fit a copy of the estimator and call all it offers."""
    return outputs(clone(estimator).fit(X), X)


def global_state() -> dict[str, object]:
    return {
        "numpy": np.random.get_state()[1].tolist(),
        "numpy position": np.random.get_state()[2],
        "numpy errors": np.geterr(),
        "torch": torch.get_rng_state().tolist(),
        "threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "grad": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


@each_instance
def test_global_state(estimator: BaseEstimator) -> None:
    before = global_state()
    use(estimator, rows())
    assert global_state() == before


@each_instance
def test_global_state_after_an_error(estimator: BaseEstimator) -> None:
    before = global_state()
    with pytest.raises(ValueError):
        clone(estimator).fit(np.full((30, 3), np.nan))
    assert global_state() == before


@pytest.fixture(scope="module")
def expected() -> Callable[[BaseEstimator], dict[str, np.ndarray]]:
    known: dict[str, dict[str, np.ndarray]] = {}

    def of(estimator: BaseEstimator) -> dict[str, np.ndarray]:
        if str(estimator) not in known:
            known[str(estimator)] = use(estimator, rows())
        return known[str(estimator)]

    return of


def read_only(X: np.ndarray) -> np.ndarray:
    X = X.copy()
    X.flags.writeable = False
    return X


def every_second(X: np.ndarray) -> np.ndarray:
    return np.repeat(X, 2, axis=0)[::2]


FORMS: dict[str, Callable[[np.ndarray], object]] = {
    "read-only": read_only,
    "Fortran": np.asfortranarray,
    "negative strides": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "every second row": every_second,
    "big-endian": lambda X: X.astype(">f8"),
    "list": lambda X: X.tolist(),
    "DataFrame": lambda X: pd.DataFrame(X),
}


@pytest.mark.parametrize("form", FORMS)
@each_instance
def test_data_is_left_alone_and_its_form_does_not_matter(
    estimator: BaseEstimator, expected: Callable, form: str
) -> None:
    X = FORMS[form](rows())
    before = copy.deepcopy(X)
    assert_same(use(estimator, X), expected(estimator))
    assert np.array_equal(np.asarray(X), np.asarray(before))


@each_instance
def test_float32_data_is_left_alone(estimator: BaseEstimator) -> None:
    X = rows().astype(np.float32)
    before = X.copy()
    use(estimator, X)
    assert np.array_equal(X, before)


@each_instance
def test_parameters_are_left_alone(estimator: BaseEstimator) -> None:
    """Specifications are cloned, and nothing that is resolved replaces `"auto"`."""
    fitted = clone(estimator)
    before = {name: id(value) for name, value in vars(fitted).items()}
    fitted.fit(rows())
    after = {name: id(value) for name, value in vars(fitted).items()}
    assert before.items() <= after.items()


@each_instance
def test_prediction_changes_no_state(estimator: BaseEstimator) -> None:
    fitted = clone(estimator).fit(rows())
    module = {k: v.clone() for k, v in fitted.module_.state_dict().items()}
    attributes = set(vars(fitted))
    outputs(fitted, rows())
    assert set(vars(fitted)) == attributes
    for name, tensor in fitted.module_.state_dict().items():
        assert torch.equal(tensor, module[name])
