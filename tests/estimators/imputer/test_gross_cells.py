"""Single cells that hold nonsense: what they may change, and what they may not."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.impute import KNNImputer, SimpleImputer

from skae import DenoisingImputer

QUICK = {"hidden_layer_sizes": (16,), "max_iter": 3, "random_state": 0}


@pytest.fixture(scope="module")
def X() -> np.ndarray:
    X = load_breast_cancer().data[:300, :5]
    return (X - X.mean(axis=0)) / X.std(axis=0)


@pytest.fixture(scope="module")
def gaps(X: np.ndarray) -> np.ndarray:
    gaps = np.random.RandomState(0).uniform(size=X.shape) < 0.15
    gaps[3] = False
    return gaps


@pytest.fixture(scope="module")
def table(X: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    return np.where(gaps, np.nan, X)


@pytest.fixture(scope="module")
def fitted(table: np.ndarray) -> DenoisingImputer:
    return DenoisingImputer(**QUICK).fit(table)


@pytest.mark.parametrize("value", [1e3, -1e6, 1e12, 1e100])
@pytest.mark.parametrize("column", [0, 4])
def test_a_mistyped_cell_changes_no_fill(
    X: np.ndarray, gaps: np.ndarray, table: np.ndarray, value: float, column: int
) -> None:
    """Hardly any: the fit has one value less."""
    wrong = table.copy()
    wrong[3, column] = value
    cells = gaps[:, column], column

    def error(imputer, table: np.ndarray) -> float:
        filled = imputer.fit_transform(table)
        np.testing.assert_array_equal(filled[~gaps], table[~gaps])
        return float(np.sqrt(np.mean((filled - X)[cells] ** 2)))

    ours = error(DenoisingImputer(**QUICK), wrong)
    assert ours < 1.05 * error(DenoisingImputer(**QUICK), table)
    for other in (KNNImputer(), SimpleImputer(), SimpleImputer(strategy="median")):
        assert ours < error(other, wrong)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neither_do_many(
    X: np.ndarray, gaps: np.ndarray, table: np.ndarray, dtype: type
) -> None:
    rng = np.random.RandomState(1)
    wrong = table.astype(dtype)
    mistyped = (rng.uniform(size=X.shape) < 0.01) & ~gaps
    size = 10.0 ** rng.randint(3, 13, size=mistyped.sum())
    wrong[mistyped] = size * rng.choice([-1, 1], size=len(size))
    imputer = DenoisingImputer(**QUICK).fit(wrong)
    clean = DenoisingImputer(**QUICK).fit(table)
    ours, expected = (
        np.sqrt(np.mean((filled - X)[gaps] ** 2))
        for filled in (imputer.transform(wrong), clean.transform(table))
    )
    assert ours < 1.1 * expected
    assert np.median(imputer.imputation_std(wrong)[gaps]) < 1.2 * np.median(
        clean.imputation_std(table)[gaps]
    )
    draws = imputer.sample(wrong, 5, random_state=0)[:, gaps]
    assert np.abs(draws).max() <= np.abs(table[~gaps]).max()
    np.testing.assert_allclose(
        imputer.statistics_, np.nanmean(np.where(mistyped, np.nan, table), axis=0), 1e-5
    )
    assert imputer.best_validation_score_ == pytest.approx(
        clean.best_validation_score_, abs=0.1
    )


@pytest.mark.parametrize("value", [1e3, -1e30, 1e100])
def test_what_stands_beside_one_is_filled_as_beside_a_gap(
    X: np.ndarray, fitted: DenoisingImputer, value: float
) -> None:
    rows = X[:4].copy()
    rows[:, 1] = np.nan
    beside, missing = rows.copy(), rows.copy()
    beside[:, 0], missing[:, 0] = value, np.nan
    for fill in (
        fitted.transform,
        fitted.imputation_std,
        lambda rows: fitted.sample(rows, 2, random_state=0),
    ):
        np.testing.assert_array_equal(fill(beside)[..., 1], fill(missing)[..., 1])
    assert (fitted.transform(beside)[:, 0] == value).all()


@pytest.mark.parametrize("constant", [0.0, 7.0])
def test_beside_a_constant(table: np.ndarray, constant: float) -> None:
    wrong = np.column_stack([table, np.where(np.isnan(table[:, 0]), np.nan, constant)])
    gaps = np.isnan(wrong)
    wrong[3, 5] = 1e6
    filled = DenoisingImputer(**QUICK).fit_transform(wrong)
    assert (filled[gaps[:, 5], 5] == constant).all()
    assert filled[3, 5] == 1e6


@pytest.mark.parametrize("unit", [1e-200, 1e90])
def test_units_do_not_matter(table: np.ndarray, unit: float) -> None:
    expected = DenoisingImputer(**QUICK).fit(table)
    imputer = DenoisingImputer(**QUICK).fit(table * unit)
    for found, wanted in (
        (imputer.transform(table * unit), expected.transform(table)),
        (imputer.imputation_std(table * unit), expected.imputation_std(table)),
    ):
        np.testing.assert_allclose(found / unit, wanted, rtol=1e-3, atol=1e-3)
