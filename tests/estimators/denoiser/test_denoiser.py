"""What DenoisingTransformer promises, for tables and images."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skae import DenoisingTransformer
from skae.noise import GaussianNoise, MaskingNoise
from tests.estimators.denoiser._denoisers import (
    CASES,
    GAPS,
    IMAGES,
    QUICK,
    X,
    fitted,
    halved,
    with_gaps,
)
from tests.laws._tables import few, small_tables

each_case = pytest.mark.parametrize("case", CASES)
each_gapped_case = pytest.mark.parametrize("case", ["dense gaps", "image gaps"])


@each_case
def test_the_start_at_worst(case: str) -> None:
    """On the rows that were held out, and they chose the weight."""
    denoiser = fitted(case)
    assert denoiser.best_validation_score_ >= denoiser.start_validation_score_
    assert denoiser.uses_network_ == (denoiser.module_.weight > 0)


@each_case
def test_without_a_step_it_is_the_start(case: str) -> None:
    """Where nothing is held out, no network can prove its use."""
    denoiser = clone(CASES[case]).fit(X[:15])
    assert denoiser.n_iter_ == 0
    assert not denoiser.uses_network_
    assert denoiser.best_validation_score_ is None
    if case in {"dense", "images", "identity"}:
        assert denoiser.start_ == "identity"
        np.testing.assert_allclose(denoiser.transform(X), X, atol=1e-12)
    if case == "dense gaps":
        filled = np.where(np.isnan(with_gaps(X)), X[:15].mean(axis=0), X)
        np.testing.assert_allclose(denoiser.transform(with_gaps(X)), filled)


@each_gapped_case
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_gaps_are_replaced(case: str, dtype: type) -> None:
    rows = with_gaps(X).astype(dtype)
    restored = fitted(case).transform(rows)
    visible = ~np.isnan(rows)
    assert restored.dtype == dtype
    assert np.isfinite(restored).all()
    assert np.array_equal(restored[visible], rows[visible])
    assert np.array_equal(fitted(case).transform(X.astype(dtype)), X.astype(dtype))


@each_gapped_case
def test_gaps_of_training_rows_leave_these_out(case: str) -> None:
    rows = X.copy()
    rows[::3, 20] = np.nan
    denoiser = clone(CASES[case]).fit(rows)
    complete = clone(CASES[case]).fit(np.delete(X, np.s_[::3], axis=0))
    degraded = with_gaps(X)
    assert np.array_equal(denoiser.transform(degraded), complete.transform(degraded))


@each_case
@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda fit: pickle.loads(pickle.dumps(fit))],
    ids=["deepcopy", "pickle"],
)
def test_copies(case: str, copied: Callable) -> None:
    denoiser, rows = fitted(case), with_gaps(X) if "gaps" in case else X
    again, before = copied(denoiser), denoiser.transform(rows)
    assert np.array_equal(again.transform(rows), before)
    assert again.score(X) == denoiser.score(X)
    for tensor in again.module_.state_dict().values():
        tensor.zero_()
    assert np.array_equal(denoiser.transform(rows), before)


@each_gapped_case
def test_a_clone_fits_alike(case: str) -> None:
    denoiser, rows = fitted(case), with_gaps(X)
    twin = clone(denoiser)
    with pytest.raises(NotFittedError):
        twin.transform(rows)
    assert np.array_equal(twin.fit(X).transform(rows), denoiser.transform(rows))


@pytest.mark.parametrize("case", ["dense", "local", "dense gaps", "image gaps"])
def test_precision_of_the_training_rows(case: str) -> None:
    """Digits are exact in both; what is left is the rounding of the start."""
    rows = with_gaps(X) if "gaps" in case else X
    single = clone(CASES[case]).fit(X.astype(np.float32))
    assert single.start_ == fitted(case).start_
    np.testing.assert_allclose(
        single.transform(rows), fitted(case).transform(rows), atol=0.02
    )
    assert single.score(X) == pytest.approx(fitted(case).score(X), abs=0.1)


@each_case
def test_float32_rows_are_restored_in_float32_without_a_copy_of_the_network(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What computes in that precision is made once, by the fit."""
    rows = with_gaps(X) if "gaps" in case else X
    denoiser, expected = fitted(case), fitted(case).transform(rows)
    score = denoiser.score(X)

    def refused(*args: object) -> None:
        raise AssertionError("a copy was made")

    monkeypatch.setattr(copy, "deepcopy", refused)
    for _ in range(2):
        restored = denoiser.transform(rows.astype(np.float32))
        assert restored.dtype == np.float32
        np.testing.assert_allclose(restored, expected, atol=1e-4)
        # Nor is it the rounded result of float64, which would take longer.
        assert not np.array_equal(restored, expected.astype(np.float32))
        single = denoiser.score(X.astype(np.float32))
        assert single == pytest.approx(score, rel=1e-4)


@each_case
def test_score_is_that_of_rows_degraded_in_every_call_alike(case: str) -> None:
    score = fitted(case).score(X)
    assert isinstance(score, float)
    assert fitted(case).score(X) == score
    assert fitted(case).score(X) == pytest.approx(
        fitted(case).best_validation_score_, abs=4
    )


def test_score_of_pairs_is_the_mean_peak_signal_to_noise_ratio() -> None:
    noisy = X + np.random.RandomState(0).normal(scale=0.1, size=X.shape)
    denoiser = fitted("dense")
    error = np.square(denoiser.transform(noisy) - X).mean(axis=1)
    expected = (10 * np.log10(denoiser.data_range_**2 / error)).mean()
    assert denoiser.score(noisy, X_clean=X) == pytest.approx(expected)
    assert denoiser.data_range_ == X.max() - X.min()


def test_score_of_gaps_is_that_of_what_was_hidden() -> None:
    denoiser = fitted("dense gaps")
    gaps = with_gaps(X)
    gaps[5] = X[5]  # which counts for nothing
    squares = np.square(denoiser.transform(gaps) - X)
    errors = [
        row[hidden].mean()
        for row, hidden in zip(squares, np.isnan(gaps), strict=True)
        if hidden.any()
    ]
    ratios = -10 * np.log10(np.array(errors) / np.ptp(X) ** 2)
    assert len(ratios) == len(X) - 1
    assert denoiser.score(gaps, X_clean=X) == pytest.approx(ratios.mean())


def test_score_of_exact_rows_is_bounded() -> None:
    denoiser = DenoisingTransformer(noise=GaussianNoise(1e-12), **QUICK).fit(X)
    assert denoiser.score(X) == 100


def test_score_in_the_precision_of_the_rows() -> None:
    """Of float32 rows as well, and whatever the container of the output is."""
    denoiser = fitted("images")
    expected = denoiser.score(X)
    assert denoiser.score(X.astype(np.float32)) == pytest.approx(expected, rel=1e-4)
    frame = pd.DataFrame(X).add_prefix("pixel ")
    pairs = clone(CASES["dense"]).set_params(noise=None).fit(frame + 0.1, X_clean=frame)
    expected = pairs.score(frame + 0.1, X_clean=frame)
    pairs.set_output(transform="pandas")
    assert pairs.score(frame + 0.1, X_clean=frame) == expected


def test_noise_is_a_tenth_of_the_range_by_default() -> None:
    default = DenoisingTransformer(**QUICK).fit(255 * X + 3)
    noise = GaussianNoise(25.5 * np.ptp(X))
    chosen = DenoisingTransformer(noise=noise, **QUICK).fit(255 * X + 3)
    np.testing.assert_array_equal(default.transform(X), chosen.transform(X))


def test_a_parameter_changed_after_fit_changes_nothing() -> None:
    rows = with_gaps(X)
    completer = copy.deepcopy(fitted("dense gaps"))
    filled = completer.transform(rows)
    completer.set_params(noise=GaussianNoise(0.1))
    np.testing.assert_array_equal(completer.transform(rows), filled)
    cleaner = copy.deepcopy(fitted("dense")).set_params(noise=GAPS)
    with pytest.raises(ValueError, match="X contains NaN"):
        cleaner.transform(rows)


@pytest.mark.parametrize("value", [0.0, 1 / 3, 1e8 + 0.1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_from_rows_that_tell_nothing_the_mean_is_restored(
    value: float, dtype: type
) -> None:
    told = np.full(X.shape, value, dtype=dtype)
    denoiser = DenoisingTransformer(**QUICK).fit(told, X_clean=X)
    error = denoiser.transform(told[:1]) - X.mean(axis=0)
    assert np.abs(error).max() < 0.1


@pytest.mark.parametrize(
    "params, steps",
    [
        ({}, 20),  # twenty passes over 108 rows, which are no more than a batch
        ({"batch_size": 32}, 68),
        ({"batch_size": 8}, 100),
        ({"batch_size": 200}, 20),
        ({"network": IMAGES, "start": "local"}, 68),  # ten passes, 16 at a time
        ({"network": IMAGES, "start": "local", "batch_size": 2}, 150),
    ],
)
def test_steps_of_a_round(params: dict, steps: int) -> None:
    denoiser = DenoisingTransformer(**params, max_iter=1, random_state=0).fit(X)
    assert [row["steps"] for row in denoiser.history_] == [steps]


def test_strength_is_in_the_units_of_x() -> None:
    one, thousand = (
        DenoisingTransformer(noise=GaussianNoise(0.1 * unit), **QUICK).fit(X * unit)
        for unit in (1, 1024)
    )
    noisy = X + np.random.RandomState(0).normal(scale=0.1, size=X.shape)
    np.testing.assert_allclose(
        thousand.transform(noisy * 1024) / 1024, one.transform(noisy), atol=0.01
    )
    assert thousand.score(X * 1024) == pytest.approx(one.score(X), abs=0.1)


def test_values_are_not_clipped() -> None:
    rows = X * 3 - 5
    restored = DenoisingTransformer(noise=GaussianNoise(0.1), **QUICK).fit_transform(
        rows
    )
    assert restored.min() < -4.5
    assert restored.max() > -2.5


class TestPairs:
    def test_another_width(self) -> None:
        for network in ("dense", IMAGES):
            denoiser = DenoisingTransformer(network=network, **QUICK)
            restored = denoiser.fit_transform(halved(X), X_clean=X)
            assert restored.shape == X.shape
            assert denoiser.n_features_in_ == 16
            assert denoiser.n_features_out_ == 64
            assert denoiser.start_ in {"linear", "local"}
            assert np.array_equal(denoiser.transform(halved(X)), restored)

    def test_other_units(self) -> None:
        """Identity is that of the values, whatever the two tables lie around."""
        denoiser = DenoisingTransformer(start="identity", **QUICK).fit(
            X[:15] + 4, X_clean=X[:15] * 2
        )
        np.testing.assert_allclose(denoiser.transform(X), X, atol=1e-12)

    def test_copies_of_a_clean_row_share_a_side(self) -> None:
        """Or the rows that are held out would have been trained on."""
        clean = np.repeat(X[:30], 4, axis=0)
        rng = np.random.RandomState(0)
        noisy = clean + rng.normal(scale=0.3, size=clean.shape)
        denoiser = DenoisingTransformer(random_state=0).fit(noisy, X_clean=clean)
        new = X[60:] + rng.normal(scale=0.3, size=X[60:].shape)
        measured = denoiser.score(new, X_clean=X[60:])
        assert denoiser.best_validation_score_ == pytest.approx(measured, abs=2)

    def test_what_the_start_restores_needs_no_network(self) -> None:
        denoiser = DenoisingTransformer(start="identity", random_state=0)
        denoiser.fit(X, X_clean=X)
        assert denoiser.n_iter_ == 0
        np.testing.assert_allclose(denoiser.transform(X), X, atol=1e-12)


class TestNames:
    frame = pd.DataFrame(X, columns=[f"pixel {j}" for j in range(64)])

    def test_are_those_of_the_clean_table(self) -> None:
        denoiser = DenoisingTransformer(**QUICK).set_output(transform="pandas")
        small = pd.DataFrame(halved(X), columns=[f"small {j}" for j in range(16)])
        restored = denoiser.fit_transform(small, X_clean=self.frame)
        assert restored.columns.tolist() == self.frame.columns.tolist()
        assert denoiser.feature_names_in_.tolist() == small.columns.tolist()

    def test_are_those_of_x_where_the_clean_table_has_none(self) -> None:
        denoiser = DenoisingTransformer(**QUICK).fit(self.frame, X_clean=X)
        assert denoiser.get_feature_names_out().tolist() == list(self.frame)

    def test_are_numbered_where_nothing_else_fits(self) -> None:
        denoiser = DenoisingTransformer(**QUICK).fit(halved(X), X_clean=X)
        assert denoiser.get_feature_names_out().tolist() == [f"x{j}" for j in range(64)]


class TestTools:
    def test_clean_rows_are_routed_through_a_pipeline(self) -> None:
        expected = DenoisingTransformer(**QUICK).fit(halved(X), X_clean=X)
        with sklearn.config_context(enable_metadata_routing=True):
            denoiser = DenoisingTransformer(**QUICK).set_fit_request(X_clean=True)
            pipeline = make_pipeline(FunctionTransformer(halved), denoiser)
            pipeline.fit(X, X_clean=X)
            np.testing.assert_array_equal(
                pipeline.transform(X), expected.transform(halved(X))
            )
            before = make_pipeline(clone(denoiser), LogisticRegression(max_iter=1000))
            before.fit(halved(X), load_digits().target[:120], X_clean=X)
            assert before.score(halved(X), load_digits().target[:120]) > 0.9

    def test_a_regressor_behind_it(self) -> None:
        """Predicts from restored rows, as if these had been passed to it."""
        y = X.mean(axis=1)
        noisy = X + np.random.RandomState(0).normal(scale=0.1, size=X.shape)
        denoiser = DenoisingTransformer(**QUICK)
        pipeline = make_pipeline(denoiser, LinearRegression()).fit(X, y)
        restored = clone(denoiser).fit(X)
        alone = LinearRegression().fit(restored.transform(X), y)
        expected = alone.predict(restored.transform(noisy))
        np.testing.assert_allclose(pipeline.predict(noisy), expected)

    def test_grid_search_over_strengths(self) -> None:
        """By the score on clean rows that the noise of each candidate degrades."""
        denoiser = DenoisingTransformer(
            noise=GaussianNoise(), start="identity", hidden_layer_sizes=(4,), **QUICK
        )
        strengths, folds = [0.5, 0.01], [(np.arange(80), np.arange(80, 120))]
        search = GridSearchCV(denoiser, {"noise__strength": strengths}, cv=folds).fit(X)
        # Of little noise, little is left.
        assert search.best_params_["noise__strength"] == 0.01
        expected = [
            clone(denoiser).set_params(noise__strength=s).fit(X[:80]).score(X[80:])
            for s in strengths
        ]
        assert search.cv_results_["mean_test_score"].tolist() == expected

    def test_grid_search_over_channels_with_clean_rows(self) -> None:
        """Which are split as X is, for the fit as well as for the score."""
        train, test = np.arange(80), np.arange(80, 120)
        denoiser = DenoisingTransformer(network=IMAGES, start="local", **QUICK)
        with sklearn.config_context(enable_metadata_routing=True):
            asking = clone(denoiser).set_fit_request(X_clean=True)
            search = GridSearchCV(
                asking.set_score_request(X_clean=True),
                {"network__channels": [(2,)]},
                cv=[(train, test)],
            ).fit(halved(X), X_clean=X)
        alone = clone(denoiser).set_params(network__channels=(2,))
        alone.fit(halved(X)[train], X_clean=X[train])
        assert search.best_score_ == alone.score(halved(X)[test], X_clean=X[test])


class TestLittleToLearnFrom:
    @each_case
    def test_five_rows(self, case: str) -> None:
        denoiser = clone(CASES[case]).fit(X[:5])
        restored = denoiser.transform(with_gaps(X) if "gaps" in case else X)
        assert np.isfinite(restored).all()
        assert np.isfinite(denoiser.score(X))
        assert not denoiser.uses_network_

    def test_five_pairs_of_another_size(self) -> None:
        for network in ("dense", IMAGES):
            denoiser = DenoisingTransformer(network=network, **QUICK)
            restored = denoiser.fit_transform(halved(X[:5]), X_clean=X[:5])
            assert restored.shape == (5, 64)
            assert np.isfinite(restored).all()

    @each_case
    def test_rows_that_are_all_alike(self, case: str) -> None:
        denoiser = clone(CASES[case]).fit(np.full((60, 64), 0.3))
        assert np.isfinite(denoiser.transform(X)).all()
        assert np.isfinite(denoiser.score(X))
        if "gaps" in case:
            filled = denoiser.transform(np.full((2, 64), np.nan))
            np.testing.assert_allclose(filled, 0.3)

    @pytest.mark.parametrize("case", ["dense", "dense gaps"])
    def test_a_constant_column_is_restored(self, case: str) -> None:
        rows = X.copy()
        rows[:, 20] = 0.7
        denoiser = clone(CASES[case]).set_params(start="linear").fit(rows)
        rng = np.random.RandomState(0)
        noisy = rows + rng.normal(scale=0.1, size=rows.shape)
        if "gaps" in case:
            noisy[:, 20] = np.nan
        error = np.abs(denoiser.transform(noisy)[:, 20] - 0.7)
        assert error.max() < 0.05

    @pytest.mark.parametrize("case", ["local", "image gaps"])
    def test_images_of_one_colour_are_smoothed(self, case: str) -> None:
        """The best filter of a window of 25 pixels is close to their mean."""
        rng = np.random.RandomState(0)
        levels = rng.uniform(size=(200, 1)).repeat(64, axis=1)
        denoiser = clone(CASES[case]).fit(levels)
        if "gaps" in case:
            np.testing.assert_allclose(
                denoiser.transform(with_gaps(levels)), levels, atol=0.01
            )
            return
        noisy = levels + rng.normal(scale=0.1, size=levels.shape)
        error = np.square(denoiser.transform(noisy) - levels).mean()
        assert error < 0.01 / 9


@settings(few, max_examples=25)
@given(
    X=small_tables(),
    spec=st.sampled_from(["auto", MaskingNoise(0.5), GAPS]),
    start=st.sampled_from(["auto", "identity", "linear"]),
)
def test_small_and_degenerate_tables(X: np.ndarray, spec, start: str) -> None:
    denoiser = DenoisingTransformer(
        noise=spec, start=start, hidden_layer_sizes=(8,), **QUICK
    ).fit(X)
    restored = denoiser.transform(with_gaps(X) if spec is GAPS else X)
    assert restored.shape == X.shape
    assert np.isfinite(restored).all()
    assert np.isfinite(denoiser.score(X))
