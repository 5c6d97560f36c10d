"""Laws of transformers: codes and their way back, units, degenerate tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA

from tests.laws._estimators import QUICK, REDUCERS, each, each_transformer, rows
from tests.laws._tables import (
    TIGHT,
    TRAINED,
    few,
    fitted_to_rows,
    new_rows,
    small_tables,
)

each_reducing_class = pytest.mark.parametrize(
    "estimator", sorted({type(e) for e in REDUCERS.values()}, key=str)
)


@each_transformer
def test_fit_transform(estimator: BaseEstimator) -> None:
    fitted = clone(estimator).fit(rows())
    assert np.array_equal(
        clone(estimator).fit_transform(rows()), fitted.transform(rows())
    )


@pytest.mark.parametrize("name", REDUCERS)
@few
@given(X=new_rows())
def test_two_steps_or_one(name: str, X: np.ndarray) -> None:
    fitted = fitted_to_rows(name)
    restored = fitted.inverse_transform(fitted.transform(X))
    np.testing.assert_allclose(restored, fitted.reconstruct(X), **TIGHT)


#: Without folds: the values of a row decide in which fold it is.
WITHOUT_FOLDS = {
    name: clone(estimator).set_params(cv=None)
    for name, estimator in REDUCERS.items()
    if estimator.get_params().get("loss") != "log_loss"
}
each_without_folds = each(WITHOUT_FOLDS)


@each_without_folds
@pytest.mark.parametrize("exponent", [-90, -3, 1, 90])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_factor_for_the_table(
    estimator: BaseEstimator, exponent: int, dtype: type
) -> None:
    """A power of two changes no digit, so it may change none of the result."""
    plain, scaled = clone(estimator), clone(estimator)
    X = rows().astype(dtype)
    codes = plain.fit_transform(X)
    scaled_codes = scaled.fit_transform(np.ldexp(X, exponent))
    # Without a start, a network chooses the units of its code.
    unit = exponent if estimator.start == "pca" else 0
    assert np.array_equal(scaled_codes, np.ldexp(codes, unit))
    assert np.array_equal(
        scaled.inverse_transform(scaled_codes),
        np.ldexp(plain.inverse_transform(codes), exponent),
    )
    assert scaled.score(np.ldexp(X, exponent)) == plain.score(X)
    assert scaled.loss_curve_ == plain.loss_curve_


@each_without_folds
@pytest.mark.parametrize("shift", [-3.0, 1000.0])
def test_shift(estimator: BaseEstimator, shift: float) -> None:
    plain, shifted = clone(estimator), clone(estimator)
    codes = plain.fit_transform(rows())
    X = rows() + shift
    np.testing.assert_allclose(shifted.fit_transform(X), codes, **TRAINED)
    np.testing.assert_allclose(
        shifted.reconstruct(X) - shift, plain.reconstruct(rows()), **TRAINED
    )
    assert shifted.score(X) == pytest.approx(plain.score(rows()), abs=1e-2)


@each_without_folds
def test_precision_of_the_training_rows(estimator: BaseEstimator) -> None:
    """Values that both types hold exactly give nearly the same fit."""
    single, double = clone(estimator), clone(estimator)
    codes = single.fit_transform(rows().astype(np.float32))
    assert codes.dtype == np.float32
    np.testing.assert_allclose(codes, double.fit_transform(rows()), **TRAINED)


@each_reducing_class
@settings(few, max_examples=60)
@given(X=small_tables(), data=st.data())
def test_small_and_degenerate_tables(
    estimator: type, X: np.ndarray, data: st.DataObject
) -> None:
    n_samples, n_features = X.shape
    k = data.draw(st.integers(1, min(X.shape)), label="n_components")
    fitted = estimator(k, **QUICK).fit(X)
    codes, restored = fitted.transform(X), fitted.reconstruct(X)
    assert codes.shape == (n_samples, k)
    assert restored.shape == (n_samples, n_features)
    assert np.isfinite(codes).all()
    assert np.isfinite(restored).all()
    assert fitted.score(X) <= 1
    if n_samples == 1:
        np.testing.assert_allclose(restored, X)
        return
    with np.errstate(invalid="ignore"):  # rows without variance
        pca = PCA(k, svd_solver="full").fit(X)
    unit = np.abs(X).max() or 1.0
    if not fitted.uses_network_:
        expected = pca.inverse_transform(pca.transform(X))
        np.testing.assert_allclose(restored / unit, expected / unit, atol=1e-8)
        # Beyond the rank, signs and directions are arbitrary, and scores are zero.
        np.testing.assert_allclose(codes / unit, pca.transform(X) / unit, atol=1e-8)


@each_reducing_class
@settings(few, max_examples=10)
@given(X=small_tables(), k=st.integers(1, 12))
def test_small_tables_without_a_start(estimator: type, X: np.ndarray, k: int) -> None:
    """More components than rows or columns are allowed."""
    fitted = estimator(k, start=None, **QUICK).fit(X)
    codes = fitted.transform(X)
    assert codes.shape == (len(X), k)
    assert np.isfinite(codes).all()
    assert np.isfinite(fitted.reconstruct(X)).all()
    assert fitted.reconstruct(X).shape == X.shape
