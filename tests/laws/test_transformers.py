"""Laws over drawn tables: rows, units, precision and degenerate shapes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA

from tests.laws._estimators import INSTANCES, QUICK, each_estimator, rows

few = settings(max_examples=15, deadline=None, derandomize=True, database=None)
#: Rounding of float64, and nothing more.
TIGHT = {"rtol": 1e-9, "atol": 1e-9}
#: Rounding that the steps of a training have multiplied.
TRAINED = {"rtol": 0, "atol": 0.05}
seeds = st.integers(0, 2**32 - 1)


@cache
def fitted_to_rows(name: str) -> BaseEstimator:
    return clone(INSTANCES[name]).fit(rows())


@st.composite
def new_rows(draw: st.DrawFn, dtype: type = np.float64) -> np.ndarray:
    """Rows like the training rows, some of them blown up far beyond these."""
    rng = np.random.RandomState(draw(seeds))
    X = rows(80)[rng.randint(80, size=draw(st.integers(1, 40)))]
    factor = draw(st.sampled_from([1.0, 1.0, 3.0, 1e4]))
    return (X * rng.uniform(0, factor, size=(len(X), 1))).astype(dtype)


@pytest.mark.parametrize("name", INSTANCES)
class TestPrediction:
    """Every row is treated alone."""

    @few
    @given(X=new_rows(), seed=seeds)
    def test_order_of_rows(self, name: str, X: np.ndarray, seed: int) -> None:
        estimator = fitted_to_rows(name)
        order = np.random.RandomState(seed).permutation(len(X))
        codes = estimator.transform(X)
        np.testing.assert_allclose(estimator.transform(X[order]), codes[order], **TIGHT)
        np.testing.assert_allclose(
            estimator.reconstruct(X[order]), estimator.reconstruct(X)[order], **TIGHT
        )

    @few
    @given(X=new_rows())
    def test_one_row_or_many(self, name: str, X: np.ndarray) -> None:
        estimator = fitted_to_rows(name)
        alone = np.concatenate([estimator.transform(row[None]) for row in X])
        np.testing.assert_allclose(alone, estimator.transform(X), **TIGHT)
        alone = np.concatenate([estimator.reconstruct(row[None]) for row in X])
        np.testing.assert_allclose(alone, estimator.reconstruct(X), **TIGHT)

    @few
    @given(X=new_rows(np.float32))
    def test_float32(self, name: str, X: np.ndarray) -> None:
        """Computed in float64, and only then rounded to the precision of the rows."""
        estimator = fitted_to_rows(name)
        for method in (estimator.transform, estimator.reconstruct):
            single, double = method(X), method(X.astype(np.float64))
            assert single.dtype == np.float32
            assert double.dtype == np.float64
            assert np.array_equal(single, double.astype(np.float32))

    @few
    @given(X=new_rows())
    def test_two_steps_or_one(self, name: str, X: np.ndarray) -> None:
        estimator = fitted_to_rows(name)
        restored = estimator.inverse_transform(estimator.transform(X))
        np.testing.assert_allclose(restored, estimator.reconstruct(X), **TIGHT)


#: Without folds: the values of a row decide in which fold it is.
WITHOUT_FOLDS = {
    name: clone(estimator).set_params(cv=None)
    for name, estimator in INSTANCES.items()
    if estimator.get_params().get("loss") != "log_loss"
}
each_without_folds = pytest.mark.parametrize(
    "estimator", WITHOUT_FOLDS.values(), ids=WITHOUT_FOLDS.keys()
)


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


@st.composite
def small_tables(draw: st.DrawFn) -> np.ndarray:
    """1 to 50 rows of 1 to 8 columns, with copies, constants and linear relations."""
    n_samples, n_features = draw(st.integers(1, 50)), draw(st.integers(1, 8))
    rng = np.random.RandomState(draw(seeds))
    X = rng.normal(size=(n_samples, n_features))
    if draw(st.booleans()):
        X = X[rng.randint(n_samples, size=n_samples)]
    if draw(st.booleans()):
        X[:, rng.randint(n_features)] = draw(st.sampled_from([0.0, -7.0, 1e6]))
    if draw(st.booleans()):
        X[:, 0] = X[:, -1]
    return X * draw(st.sampled_from([1e-30, 1e-3, 1.0, 1e30]))


@each_estimator
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


@each_estimator
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
