"""How well gaps of scikit-learn's own tables are filled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.impute import KNNImputer, SimpleImputer

from skae import DenoisingImputer

Load = Callable[[str], np.ndarray]


def with_gaps(X: np.ndarray, share: float = 0.3, seed: int = 0) -> np.ndarray:
    hidden = np.random.RandomState(seed).uniform(size=X.shape) < share
    return np.where(hidden, np.nan, X)


def rmse(filled: np.ndarray, X: np.ndarray, table: np.ndarray) -> float:
    return float(np.sqrt(np.mean((filled - X)[np.isnan(table)] ** 2)))


@pytest.mark.parametrize(
    ("name", "most"), [("iris", 0.65), ("wine", 0.8), ("breast_cancer", 0.5)]
)
def test_beats_the_mean_and_the_neighbours(
    standardised: Load, name: str, most: float
) -> None:
    """Over draws of the gaps: of small tables, one draw can suit any method."""
    X = standardised(name)[::-1]
    half = len(X) // 2
    order = np.random.RandomState(0).permutation(len(X))
    train, test = X[order[:half]], X[order[half:]]
    draws = [
        (with_gaps(train, seed=seed), with_gaps(test, seed=seed + 1))
        for seed in (0, 2, 4)
    ]
    ours, mean, neighbours = (
        np.mean(
            [
                rmse(imputer.fit(known).transform(asked), test, asked)
                for known, asked in draws
            ]
        )
        for imputer in (DenoisingImputer(random_state=0), SimpleImputer(), KNNImputer())
    )
    assert ours < most * mean
    assert ours < neighbours


def wide_tables() -> dict[str, np.ndarray]:
    """Rows of three factors, sparse indicators of four groups, and images."""
    rng = np.random.RandomState(0)
    factors = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 1000))
    groups = rng.randint(4, size=60)
    often = np.where(rng.uniform(size=(4, 300)) < 0.1, 0.5, 0.02)
    return {
        "factors": factors + rng.normal(size=factors.shape),
        "indicators": (rng.uniform(size=(60, 300)) < often[groups]).astype(float),
        "images": load_digits().data[:50],
    }


@pytest.mark.parametrize("name", ["factors", "indicators", "images"])
def test_more_columns_than_rows(name: str) -> None:
    X = wide_tables()[name]
    table = with_gaps(X, 0.2)
    imputer = DenoisingImputer(random_state=0).fit(table)
    ours = rmse(imputer.transform(table), X, table)
    mean = SimpleImputer(keep_empty_features=True)
    neighbours = KNNImputer(keep_empty_features=True)
    assert ours < rmse(neighbours.fit_transform(table), X, table)
    assert ours < rmse(mean.fit_transform(table), X, table)
    assert imputer.start_validation_score_ > 0
    gaps = np.isnan(table)
    std = imputer.imputation_std(table)[gaps]
    assert ours == pytest.approx(np.sqrt(np.mean(std**2)), rel=0.35)
    draws = imputer.sample(table, 40, random_state=0)[:, gaps].std(axis=0)
    assert np.median(draws) == pytest.approx(np.median(std), rel=0.35)


def test_wide_noise_is_filled_with_means() -> None:
    X = np.random.RandomState(0).normal(size=(40, 300))
    table = with_gaps(X)
    filled = DenoisingImputer(random_state=0).fit_transform(table)
    assert rmse(filled, X, table) < 1.03 * rmse(
        SimpleImputer().fit_transform(table), X, table
    )


def test_the_network_learns_what_is_bent(curve: np.ndarray) -> None:
    """A parabola, which no Gaussian knows."""
    rng = np.random.RandomState(0)
    t = rng.uniform(-1, 1, 1500)
    X = np.stack([t, t**2 + 0.05 * rng.normal(size=1500)], axis=1)
    table = X.copy()
    table[::4, 1] = np.nan
    fitted = DenoisingImputer(random_state=0).fit(table)
    assert fitted.best_validation_score_ >= fitted.start_validation_score_
    assert rmse(fitted.transform(table), X, table) < 0.25 * X[:, 1].std()


def test_pure_noise_is_filled_with_means() -> None:
    X = np.random.RandomState(0).normal(size=(400, 6))
    table = with_gaps(X)
    filled = DenoisingImputer(random_state=0).fit_transform(table)
    assert rmse(filled, X, table) < 1.03 * rmse(
        SimpleImputer().fit_transform(table), X, table
    )


def test_absolute_error_fills_with_the_median() -> None:
    rng = np.random.RandomState(0)
    X = rng.exponential(size=(1500, 2))
    table = with_gaps(X, 0.2, seed=1)
    gaps = np.isnan(table)
    mean, median = (
        DenoisingImputer(loss=loss, random_state=0).fit_transform(table)[gaps].mean()
        for loss in ("squared_error", "absolute_error")
    )
    assert mean == pytest.approx(1, abs=0.1)
    assert median == pytest.approx(np.log(2), abs=0.12)


def test_intervals_and_correlations_of_the_draws() -> None:
    X = load_breast_cancer().data[:, :6]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    table = with_gaps(X)
    gaps = np.isnan(table)
    fitted = DenoisingImputer(random_state=0).fit(table)
    draws = fitted.sample(table, 60, random_state=0)
    low, high = np.quantile(draws[:, gaps], [0.05, 0.95], axis=0)
    covered = np.mean((low <= X[gaps]) & (X[gaps] <= high))
    assert covered == pytest.approx(0.9, abs=0.05)
    spread = draws.std(axis=0)[gaps]
    std = fitted.imputation_std(table)[gaps]
    assert np.median(spread / std) == pytest.approx(1, abs=0.2)
    np.testing.assert_allclose(np.corrcoef(draws[0].T), np.corrcoef(X.T), atol=0.15)
