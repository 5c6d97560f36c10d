"""Laws of outlier detectors: flags, scores and their parts, units, ties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

from tests.laws._estimators import (
    DETECTORS,
    QUICK,
    assert_same,
    each_detector,
    outputs,
    rows,
)
from tests.laws._tables import (
    TIGHT,
    TRAINED,
    few,
    fitted_to_rows,
    new_rows,
    small_tables,
)

each_name = pytest.mark.parametrize("name", DETECTORS)
each_detecting_class = pytest.mark.parametrize(
    "estimator", sorted({type(e) for e in DETECTORS.values()}, key=str)
)


class TestFlags:
    @each_detector
    def test_in_one_step_or_two(self, estimator: BaseEstimator) -> None:
        flags = clone(estimator).fit_predict(rows())
        assert np.array_equal(flags, clone(estimator).fit(rows()).predict(rows()))
        assert flags.tolist().count(-1) in range(1, 30)

    @each_detector
    @pytest.mark.parametrize("contamination", [0.01, 0.1, 0.25, 0.5])
    def test_contamination_is_their_share_of_the_training_rows(
        self, estimator: BaseEstimator, contamination: float
    ) -> None:
        X = np.random.RandomState(0).normal(size=(300, 3))
        detector = clone(estimator).set_params(contamination=contamination)
        assert (detector.fit_predict(X) == -1).sum() == round(contamination * 300)

    @each_detector
    @pytest.mark.parametrize("contamination", [0, 0.0, -0.1, 0.51, 1, "some", None])
    def test_other_contaminations_are_refused(
        self, estimator: BaseEstimator, contamination
    ) -> None:
        detector = clone(estimator).set_params(contamination=contamination)
        with pytest.raises(ValueError, match="The 'contamination' parameter of"):
            detector.fit(rows())

    @each_detector
    def test_follow_the_offset_without_another_fit(
        self, estimator: BaseEstimator
    ) -> None:
        X = np.random.RandomState(0).normal(size=(300, 3))
        detector = clone(estimator).fit(X)
        scores = detector.score_samples(X)
        shares = np.linspace(0.01, 0.5, 50)
        thresholds = [detector.threshold(share) for share in shares]
        assert (np.diff(thresholds) >= 0).all()
        for share, threshold in zip(shares, thresholds, strict=True):
            detector.offset_ = threshold
            flagged = detector.predict(X) == -1
            assert flagged.sum() == pytest.approx(300 * share, abs=1)
            assert np.array_equal(flagged, detector.decision_function(X) < 0)
            assert np.array_equal(detector.decision_function(X), scores - threshold)
        assert np.array_equal(detector.score_samples(X), scores)

    @each_name
    @pytest.mark.parametrize("share", [0, -0.1, 0.51, np.nan, "a", None])
    def test_other_shares_have_no_threshold(self, name: str, share: float) -> None:
        with pytest.raises(ValueError, match=r"contamination must be .*\(0, 0.5\]"):
            fitted_to_rows(name).threshold(share)


class TestScores:
    @each_name
    @few
    @given(X=new_rows())
    def test_are_explained(self, name: str, X: np.ndarray) -> None:
        detector = fitted_to_rows(name)
        contributions = detector.explain(X)
        assert (contributions >= 0).all()
        np.testing.assert_allclose(
            contributions.sum(axis=1), -detector.score_samples(X), **TIGHT
        )

    @each_name
    @few
    @given(X=new_rows(), value=st.sampled_from([1e12, -1e30, 1e30]))
    def test_of_far_rows_are_low_and_explained(
        self, name: str, X: np.ndarray, value: float
    ) -> None:
        detector = fitted_to_rows(name)
        column = int(rows().std(axis=0).argmax())
        X[:, column] = value
        scores, contributions = detector.score_samples(X), detector.explain(X)
        assert (scores < detector.training_scores_.min()).all()
        np.testing.assert_allclose(contributions.sum(axis=1), -scores)
        assert (contributions.argmax(axis=1) == column).all()

    @each_name
    def test_of_the_training_rows_are_kept(self, name: str) -> None:
        detector = fitted_to_rows(name)
        assert np.array_equal(detector.score_samples(rows()), detector.training_scores_)

    @each_name
    def test_are_float64_in_every_precision(self, name: str) -> None:
        detector, X = fitted_to_rows(name), rows().astype(np.float32)
        assert detector.score_samples(X).dtype == np.float64
        assert detector.explain(X).dtype == np.float64
        assert detector.decision_function(X).dtype == np.float64

    @each_detector
    def test_do_not_depend_on_the_precision_of_training_rows(
        self, estimator: BaseEstimator
    ) -> None:
        """Values that both types hold exactly give the same fit."""
        double, single = (
            clone(estimator).fit(rows().astype(dtype)).score_samples(rows())
            for dtype in (np.float64, np.float32)
        )
        np.testing.assert_allclose(single, double, **TRAINED)


class TestUnits:
    """Columns need not be scaled."""

    @each_detector
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_factors_of_the_columns(
        self, estimator: BaseEstimator, dtype: type
    ) -> None:
        """A power of two changes no digit, so it may change none of the result."""
        X = rows().astype(dtype)
        exponents = np.random.RandomState(0).randint(-60, 60, size=X.shape[1])
        scaled_X = np.ldexp(X, exponents)
        plain, scaled = clone(estimator).fit(X), clone(estimator).fit(scaled_X)
        assert np.array_equal(scaled.score_samples(scaled_X), plain.score_samples(X))
        assert np.array_equal(scaled.explain(scaled_X), plain.explain(X))
        assert np.array_equal(
            scaled.reconstruct(scaled_X), np.ldexp(plain.reconstruct(X), exponents)
        )
        assert scaled.loss_curve_ == plain.loss_curve_

    @each_detector
    @pytest.mark.parametrize("shift", [-3.0, 1000.0])
    def test_shift(self, estimator: BaseEstimator, shift: float) -> None:
        plain, shifted = clone(estimator).fit(rows()), clone(estimator)
        X = rows() + shift * np.arange(rows().shape[1])
        np.testing.assert_allclose(
            shifted.fit(X).score_samples(X), plain.score_samples(rows()), **TRAINED
        )
        np.testing.assert_allclose(
            shifted.reconstruct(X) - X, plain.reconstruct(rows()) - rows(), **TRAINED
        )


def tied(n_samples: int, seed: int) -> np.ndarray:
    """Rows of few values, most of which have many neighbours at one distance."""
    return np.random.RandomState(seed).randint(3, size=(n_samples, 10)).astype(float)


class TestTies:
    @each_detector
    def test_one_row_or_many(self, estimator: BaseEstimator) -> None:
        detector, X = clone(estimator).fit(tied(300, seed=0)), tied(100, seed=1)
        together = outputs(detector, X)
        for name, values in together.items():
            alone = [getattr(detector, name)(row[None]) for row in X]
            np.testing.assert_allclose(np.concatenate(alone), values, **TIGHT)

    @each_detector
    def test_any_number_of_threads(self, estimator: BaseEstimator) -> None:
        X = tied(600, seed=0)
        fits = []
        for n_threads in (1, 2):
            with threadpool_limits(n_threads):
                fits.append(outputs(clone(estimator).fit(X), X))
        assert_same(*fits)


@each_detecting_class
@settings(few, max_examples=50)
@given(X=small_tables(min_rows=2), far=st.sampled_from([0.0, 1.0, 1e6, 1e30]))
def test_small_and_degenerate_tables(
    estimator: type, X: np.ndarray, far: float
) -> None:
    detector = estimator(**QUICK).fit(X)
    new = np.concatenate([X, X[:1] + far, -X[-1:]])
    scores, contributions = detector.score_samples(new), detector.explain(new)
    assert np.isfinite(scores).all()
    assert (scores <= 0).all()
    assert (contributions >= 0).all()
    np.testing.assert_allclose(contributions.sum(axis=1), -scores, **TIGHT)
    assert np.isfinite(detector.reconstruct(new)).all()
    assert np.array_equal(detector.score_samples(X), detector.training_scores_)
    assert (detector.predict(X) == 1).any()


@each_detector
def test_new_normal_rows_are_flagged_at_the_same_rate(estimator: BaseEstimator) -> None:
    """No training row is judged more kindly than a new one of the same law.

    Nor is one that is there twice.
    """
    rng = np.random.RandomState(0)
    mixing = rng.normal(size=(10, 10))
    rates = []
    for copies in (1, 1, 2, 2):
        X, new = (rng.normal(size=(n, 10)) @ mixing for n in (500, 2000))
        detector = clone(estimator).set_params(contamination=0.05)
        detector.fit(np.repeat(X, copies, axis=0))
        rates.append((detector.predict(new) == -1).mean())
    assert 0.03 < np.mean(rates) < 0.07
