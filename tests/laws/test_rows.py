"""Every row is treated alone, as a rule in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from skae import DenoisingTransformer
from tests.laws._estimators import INSTANCES, outputs
from tests.laws._tables import TIGHT, few, fitted_to_rows, new_rows, seeds


def restores(name: str) -> bool:
    return isinstance(INSTANCES[name], DenoisingTransformer)


each_name = pytest.mark.parametrize("name", INSTANCES)


def assert_close(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> None:
    for name in one:
        np.testing.assert_allclose(one[name], two[name], **TIGHT, err_msg=name)


@each_name
@few
@given(X=new_rows(), seed=seeds)
def test_order_of_rows(name: str, X: np.ndarray, seed: int) -> None:
    fitted = fitted_to_rows(name)
    order = np.random.RandomState(seed).permutation(len(X))
    ordered = {key: values[order] for key, values in outputs(fitted, X).items()}
    assert_close(outputs(fitted, X[order]), ordered)


@each_name
@few
@given(X=new_rows())
def test_one_row_or_many(name: str, X: np.ndarray) -> None:
    fitted = fitted_to_rows(name)
    alone = [outputs(fitted, row[None]) for row in X]
    joined = {key: np.concatenate([one[key] for one in alone]) for key in alone[0]}
    assert_close(joined, outputs(fitted, X))


@pytest.mark.parametrize("name", [n for n in INSTANCES if not restores(n)])
@few
@given(X=new_rows(np.float32))
def test_float32(name: str, X: np.ndarray) -> None:
    """Computed in float64; what has the units of X is rounded to its precision."""
    fitted = fitted_to_rows(name)
    single, double = outputs(fitted, X), outputs(fitted, X.astype(np.float64))
    for key in single:
        assert double[key].dtype == np.float64
        assert np.array_equal(single[key], double[key].astype(single[key].dtype)), key
    assert fitted.reconstruct(X).dtype == np.float32


@pytest.mark.parametrize("name", [*filter(restores, INSTANCES)])
@few
@given(X=new_rows(np.float32))
def test_float32_is_restored_in_float32(name: str, X: np.ndarray) -> None:
    """For speed; but the result is that of float64 up to rounding."""
    fitted = fitted_to_rows(name)
    single, double = fitted.transform(X), fitted.transform(X.astype(np.float64))
    assert single.dtype == np.float32
    assert double.dtype == np.float64
    rounding = 1e-5 * (1 + np.abs(double).max())
    np.testing.assert_allclose(single, double, rtol=0, atol=rounding)
