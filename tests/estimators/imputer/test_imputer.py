"""What DenoisingImputer promises, on tables of every shape."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.impute import MissingIndicator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skae import DenoisingImputer

QUICK = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}


def table(n_samples: int = 60, share: float = 0.2, seed: int = 0) -> np.ndarray:
    """Rows near a bent line with gaps."""
    rng = np.random.RandomState(seed)
    t = rng.uniform(-1, 1, n_samples)
    X = np.stack([t, t**2, np.sin(3 * t), 10 + 5 * t], axis=1)
    X += rng.normal(scale=0.05, size=X.shape)
    X[rng.uniform(size=X.shape) < share] = np.nan
    return X


@pytest.fixture(scope="module")
def fitted() -> DenoisingImputer:
    return DenoisingImputer(**QUICK).fit(table())


def everything(imputer: DenoisingImputer, X) -> list[np.ndarray]:
    return [
        imputer.transform(X),
        imputer.imputation_std(X),
        imputer.sample(X, 2, random_state=0),
    ]


def assert_same(one: list[np.ndarray], two: list[np.ndarray]) -> None:
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=25, deadline=None, derandomize=True, database=None)


@st.composite
def patterns(draw: st.DrawFn) -> np.ndarray:
    """Rows with gaps of any kind, whole rows and columns among them."""
    rng = np.random.RandomState(draw(seeds))
    X = table(draw(st.integers(1, 40)), draw(st.sampled_from([0, 0.1, 0.5, 0.9])))
    if draw(st.booleans()):
        X[rng.randint(len(X))] = np.nan
    if draw(st.booleans()):
        X[:, rng.randint(4)] = np.nan
    factor = draw(st.sampled_from([1.0, 1.0, 1e-3, 1e6]))
    return (X * factor).astype(draw(st.sampled_from([np.float32, np.float64])))


class TestObserved:
    @few
    @given(X=patterns())
    def test_is_never_changed(self, fitted: DenoisingImputer, X: np.ndarray) -> None:
        filled, std, tables = everything(fitted, X)
        gaps = np.isnan(X)
        assert filled.dtype == tables.dtype == X.dtype
        assert filled.shape == std.shape == X.shape
        assert tables.shape == (2, *X.shape)
        for complete in (filled, *tables):
            np.testing.assert_array_equal(complete[~gaps], X[~gaps])
            assert np.isfinite(complete).all()
        assert (std[~gaps] == 0).all()
        assert (std[gaps] > 0).all()

    @few
    @given(X=patterns(), seed=seeds)
    def test_each_row_is_filled_by_itself(
        self, fitted: DenoisingImputer, X: np.ndarray, seed: int
    ) -> None:
        filled = fitted.transform(X)
        order = np.random.RandomState(seed).permutation(len(X))
        np.testing.assert_allclose(fitted.transform(X[order]), filled[order], 1e-6)
        alone = np.concatenate([fitted.transform(row[None]) for row in X])
        np.testing.assert_allclose(alone, filled, rtol=1e-6, atol=1e-9)

    @few
    @given(X=patterns())
    def test_any_pattern_can_be_fitted(self, X: np.ndarray) -> None:
        imputer = DenoisingImputer(**QUICK, keep_empty_features=True)
        if np.isnan(X).all():
            with pytest.raises(ValueError, match="no observed value"):
                imputer.fit(X)
            return
        filled = imputer.fit_transform(X)
        gaps = np.isnan(X)
        np.testing.assert_array_equal(filled[~gaps], X[~gaps])
        empty = gaps.all(axis=0)
        assert (filled[:, empty] == 0).all()
        known = np.nan_to_num(X[:, ~empty], nan=np.nan)
        low, high = np.nanmin(known, axis=0), np.nanmax(known, axis=0)
        room = 1e-6 * np.maximum(abs(low), abs(high))
        assert (filled[:, ~empty] >= low - room).all()
        assert (filled[:, ~empty] <= high + room).all()


class TestColumns:
    def test_empty_in_fit(self) -> None:
        X = table()
        X[:, 1] = np.nan
        dropped = DenoisingImputer(**QUICK).fit(X)
        with pytest.warns(UserWarning, match=r"dropped: \['x1'\]"):
            assert dropped.transform(X).shape == (60, 3)
        assert dropped.imputation_std(X).shape == (60, 3)
        assert dropped.sample(X).shape == (5, 60, 3)
        assert dropped.get_feature_names_out().tolist() == ["x0", "x2", "x3"]
        assert np.isnan(dropped.statistics_).tolist() == [False, True, False, False]
        kept = DenoisingImputer(**QUICK, keep_empty_features=True).fit(X)
        assert (kept.transform(X)[:, 1] == 0).all()
        assert kept.statistics_[1] == 0
        new = table()
        np.testing.assert_array_equal(
            kept.transform(new)[:, 1], np.nan_to_num(new[:, 1])
        )

    def test_empty_in_transform_only(self, fitted: DenoisingImputer) -> None:
        X = table()
        X[:, 2] = np.nan
        filled = fitted.transform(X)
        known = ~np.isnan(X[:, 0])
        expected = np.sin(3 * X[known, 0])
        assert np.corrcoef(filled[known, 2], expected)[0, 1] > 0.9

    def test_gaps_in_transform_only(self) -> None:
        fitted = DenoisingImputer(**QUICK).fit(table(share=0))
        assert np.isfinite(fitted.transform(table())).all()

    def test_one_observed_value(self) -> None:
        X = table()
        X[1:, 0], X[0, 0] = np.nan, 3.5
        assert (DenoisingImputer(**QUICK).fit_transform(X)[:, 0] == 3.5).all()

    def test_constant_and_collinear(self) -> None:
        X = table()
        X = np.column_stack([X, 2 * X[:, 0], np.where(np.isnan(X[:, 0]), np.nan, 7)])
        filled = DenoisingImputer(**QUICK).fit_transform(X)
        assert (filled[:, 5] == 7).all()
        X[:5, 4] = np.nan
        again = DenoisingImputer(**QUICK).fit_transform(X)
        known = ~np.isnan(X[:5, 0])
        np.testing.assert_allclose(again[:5, 4][known], 2 * X[:5, 0][known], atol=0.3)

    def test_more_columns_than_rows(self) -> None:
        X = np.random.RandomState(0).normal(size=(8, 30))
        X[:, ::3] = np.where(X[:, ::3] > 0.5, np.nan, X[:, ::3])
        assert np.isfinite(DenoisingImputer(**QUICK).fit_transform(X)).all()

    def test_a_wide_table_trains_no_network_unless_asked(self) -> None:
        X = np.random.RandomState(0).normal(size=(40, 21))
        X[::3, ::2] = np.nan
        wide = DenoisingImputer(**QUICK).fit(X)
        assert (wide.n_iter_, wide.uses_network_) == (0, False)
        assert wide.start_validation_score_ == wide.best_validation_score_
        assert DenoisingImputer(**QUICK).fit(X[:, :20]).n_iter_ > 0
        assert DenoisingImputer(**QUICK, cv=None).fit(X).uses_network_

    def test_a_single_column_is_filled_with_its_mean(self) -> None:
        X = table()[:, :1]
        filled = DenoisingImputer(**QUICK).fit_transform(X)
        np.testing.assert_allclose(
            filled[np.isnan(X)], np.nanmean(X), atol=0.3 * np.nanstd(X)
        )

    @pytest.mark.parametrize("n_samples", [1, 2, 3, 19])
    def test_few_rows_get_the_start(self, n_samples: int) -> None:
        fitted = DenoisingImputer(random_state=0).fit(table(n_samples))
        assert not fitted.uses_network_
        assert fitted.n_iter_ == 0
        assert np.isfinite(fitted.transform(table())).all()


class TestParameters:
    def test_another_missing_value(self) -> None:
        X = table()
        marked = np.where(np.isnan(X), -99.0, X)
        imputer = DenoisingImputer(**QUICK, missing_values=-99)
        expected = DenoisingImputer(**QUICK).fit_transform(X)
        np.testing.assert_array_equal(imputer.fit_transform(marked), expected)
        with pytest.raises(ValueError, match="contains NaN"):
            imputer.fit(X)

    def test_integers(self) -> None:
        X = np.random.RandomState(0).poisson(4, size=(60, 3))
        imputer = DenoisingImputer(**QUICK, missing_values=0)
        filled = imputer.fit_transform(X)
        np.testing.assert_array_equal(filled[X > 0], X[X > 0])
        assert (filled > 0).all()

    @pytest.mark.parametrize("missing_values", [np.nan, pd.NA])
    def test_pandas_missing_values(self, missing_values: object) -> None:
        X = table()
        frame = pd.DataFrame(X).convert_dtypes()
        imputer = DenoisingImputer(**QUICK, missing_values=missing_values)
        expected = DenoisingImputer(**QUICK).fit_transform(X)
        np.testing.assert_array_equal(imputer.fit_transform(frame), expected)

    def test_add_indicator(self) -> None:
        frame = pd.DataFrame(table(), columns=list("abcd"))
        frame["c"] = 1.0
        imputer = DenoisingImputer(**QUICK, add_indicator=True)
        filled = imputer.set_output(transform="pandas").fit_transform(frame)
        names = [f"missingindicator_{name}" for name in "abd"]
        assert filled.columns.tolist() == [*"abcd", *names]
        expected = MissingIndicator().fit_transform(frame)
        np.testing.assert_array_equal(filled[names], expected)

    def test_limits(self) -> None:
        X = table()
        low, high = np.array([0, -np.inf, -1, 9]), np.array([0.1, 0.2, 1, np.inf])
        imputer = DenoisingImputer(**QUICK, min_value=low, max_value=high).fit(X)
        gaps = np.isnan(X)
        for filled in (imputer.transform(X), *imputer.sample(X)):
            assert ((filled >= low) | ~gaps).all()
            assert ((filled <= high) | ~gaps).all()
        assert (
            DenoisingImputer(**QUICK, min_value=50).fit_transform(X)[gaps] == 50
        ).all()

    def test_none_is_no_limit(self, fitted: DenoisingImputer) -> None:
        again = clone(fitted).set_params(min_value=None, max_value=None).fit(table())
        assert_same(everything(again, table()), everything(fitted, table()))

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"min_value": 2, "max_value": 2}, "below max_value"),
            ({"min_value": [0, 1]}, "shape"),
            ({"hidden_layer_sizes": (0,)}, "positive integer"),
            ({"device": "nowhere"}, "not available"),
        ],
    )
    def test_what_is_refused(self, params: dict, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            DenoisingImputer(**QUICK | params).fit(table())

    @pytest.mark.parametrize("value", [np.inf, -np.inf])
    def test_infinity_is_refused(self, fitted: DenoisingImputer, value: float) -> None:
        X = table()
        X[3, 2] = value
        for use in (clone(fitted).fit, fitted.transform, fitted.sample):
            with pytest.raises(ValueError, match="infinity"):
                use(X)

    def test_a_failed_fit_leaves_the_fit_before(self) -> None:
        imputer = DenoisingImputer(**QUICK).fit(table())
        before, fitted = everything(imputer, table()), dict(vars(imputer))
        with pytest.raises(ValueError, match="no observed value"):
            imputer.fit(np.full((5, 3), np.nan))
        assert_same(everything(imputer, table()), before)
        assert vars(imputer).keys() == fitted.keys()
        for name, value in fitted.items():
            assert getattr(imputer, name) is value

    def test_a_failed_first_fit_leaves_nothing_behind(self) -> None:
        imputer = DenoisingImputer(**QUICK)
        with pytest.raises(ValueError, match="no observed value"):
            imputer.fit(np.full((5, 4), np.nan))
        with pytest.raises(NotFittedError):
            imputer.transform(table())

    def test_without_held_out_rows_the_network_is_kept(self) -> None:
        fitted = DenoisingImputer(**QUICK, cv=None).fit(table())
        assert fitted.uses_network_
        assert fitted.best_validation_score_ is None

    def test_a_divergence_is_told(self) -> None:
        imputer = DenoisingImputer(learning_rate_init=1e4, cv=None, random_state=0)
        with pytest.warns(UserWarning, match="diverged"):
            filled = imputer.fit(table(200)).transform(table())
        assert np.isfinite(filled).all()


class TestState:
    def test_the_same_seed_gives_the_same_bits(self, fitted: DenoisingImputer) -> None:
        again = clone(fitted).fit(table())
        assert_same(everything(again, table()), everything(fitted, table()))
        np.testing.assert_array_equal(
            clone(fitted).fit_transform(table()), fitted.transform(table())
        )

    def test_another_seed_does_not(self) -> None:
        first, second = (
            DenoisingImputer(**QUICK | {"random_state": seed}).fit_transform(table())
            for seed in (0, 1)
        )
        assert not np.allclose(first, second)

    def test_pickle(self, fitted: DenoisingImputer) -> None:
        again = pickle.loads(pickle.dumps(fitted))
        assert_same(everything(again, table()), everything(fitted, table()))

    @pytest.mark.parametrize("n_threads", [1, 2])
    def test_any_number_of_threads(
        self, fitted: DenoisingImputer, n_threads: int
    ) -> None:
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(n_threads)
            again = clone(fitted).fit(table())
        finally:
            torch.set_num_threads(before)
        assert_same(everything(again, table()), everything(fitted, table()))

    def test_global_state_and_data_are_left_alone(self) -> None:
        X = table()
        X.flags.writeable = False
        before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
        everything(DenoisingImputer(**QUICK).fit(X), X)
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002
        np.testing.assert_array_equal(X, table())

    def test_forms_of_data(self, fitted: DenoisingImputer) -> None:
        expected = everything(fitted, table())
        for form in (
            np.asfortranarray,
            lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
            np.ndarray.tolist,
        ):
            again = clone(fitted).fit(form(table()))
            assert_same(everything(again, form(table())), expected)

    def test_in_a_search(self) -> None:
        X = table(120)
        y = np.arange(120) % 2
        pipeline = make_pipeline(DenoisingImputer(**QUICK), LogisticRegression())
        grid = {"denoisingimputer__loss": ["squared_error", "absolute_error"]}
        assert 0 <= GridSearchCV(pipeline, grid, cv=2).fit(X, y).best_score_ <= 1


@pytest.mark.parametrize("n_draws", [1, 3])
def test_draws(fitted: DenoisingImputer, n_draws: int) -> None:
    tables = fitted.sample(table(), n_draws, random_state=0)
    assert tables.shape == (n_draws, 60, 4)
    np.testing.assert_array_equal(
        tables, fitted.sample(table(), n_draws, random_state=0)
    )
    other = fitted.sample(table(), n_draws, random_state=1)
    assert not np.array_equal(tables, other)


@pytest.mark.parametrize("n_draws", [0, -1, 2.5, "a", None])
def test_no_number_of_draws(fitted: DenoisingImputer, n_draws) -> None:
    with pytest.raises(ValueError, match=r"n_draws must be a positive integer, got"):
        fitted.sample(table(), n_draws)
