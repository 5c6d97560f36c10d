"""Scaling, core, surprise and the nearest rows of a detector, each by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skae import ReconstructionOutlierDetector
from skae.estimators.detector._core import Codebooks, core_rows, idle_rows
from skae.estimators.detector._nearest_rows import NearestRows
from skae.estimators.detector._prediction import Panel
from skae.estimators.detector._robust_scaling import (
    RobustScaling,
    deviation,
    first_positive,
)
from skae.estimators.detector._surprise import Surprise


def scaling_of(X: np.ndarray) -> RobustScaling:
    return RobustScaling().fit(X, idle_rows(X, np.random.RandomState(0)))


class TestScaling:
    """Centre and spread of the middle half, whatever the rest is."""

    def test_normal_columns_are_standardised(self, rng: np.random.RandomState) -> None:
        X = rng.normal([3.0, -100.0], [2.0, 1e-3], size=(20_000, 2))
        scaling = scaling_of(X)
        np.testing.assert_allclose(scaling.centre, [3, -100], atol=0.05)
        np.testing.assert_allclose(scaling.scale, [2, 1e-3], rtol=0.03)
        np.testing.assert_allclose(
            scaling.transform(X), np.arcsinh((X - scaling.centre) / scaling.scale)
        )

    @pytest.mark.parametrize("value", [1e3, -1e30])
    def test_gross_values_neither_shift_nor_stretch(
        self, rng: np.random.RandomState, value: float
    ) -> None:
        X = rng.normal(size=(1000, 2))
        clean = scaling_of(X)
        X[:100, 0] = value
        soiled = scaling_of(X)
        np.testing.assert_allclose(soiled.centre, clean.centre, atol=0.2)
        np.testing.assert_allclose(soiled.scale, clean.scale, rtol=0.2)
        # Compressed, a value of 1e30 is about a hundred units away.
        assert np.abs(soiled.transform(X)).max() < 100

    def test_column_that_is_constant_in_its_middle_half(self) -> None:
        X = np.repeat([[0.0], [5.0]], [90, 10], axis=0)
        assert scaling_of(X).scale == pytest.approx(X.std())

    @pytest.mark.parametrize("value", [0.1, 0.3, -1e6 - 0.1, 1e30, 1e-200])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_unit_of_a_constant_column_is_a_fraction_of_it(
        self, value: float, dtype: type
    ) -> None:
        """Its computed deviation is not always zero, but rounding of its mean."""
        X = np.full((300, 1), value, dtype)
        scaling = scaling_of(X)
        assert scaling.scale == pytest.approx([1e-4 * abs(X[0, 0]) or 1])
        assert not scaling.transform(X).any()

    def test_unit_of_a_column_of_zeros_is_one(self) -> None:
        assert scaling_of(np.zeros((9, 1))).scale == [1]

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_rounding_of_a_constant_is_no_spread(self, dtype: type) -> None:
        one = np.array(0.1, dtype)
        X = np.where(np.arange(90) % 2, one, np.nextafter(one, np.array(1, dtype)))
        assert scaling_of(X[:, None]).scale == pytest.approx([1e-5])

    @pytest.mark.parametrize("share", [0.3, 0.5, 0.75, 0.95])
    def test_idle_rows_do_not_change_the_spread_of_others(
        self, rng: np.random.RandomState, share: float
    ) -> None:
        active = rng.normal(size=(400, 2))
        idle = np.zeros((round(400 * share / (1 - share)), 2))
        scaling = scaling_of(np.concatenate([idle, active]))
        np.testing.assert_allclose(scaling.scale, [1, 1], rtol=0.15)

    def test_float32_is_scaled_as_float64(self, rng: np.random.RandomState) -> None:
        X = rng.lognormal(sigma=3, size=(500, 3)).astype(np.float32)
        single = scaling_of(X)
        double = scaling_of(X.astype(np.float64))
        assert np.array_equal(single.centre, double.centre)
        np.testing.assert_allclose(single.scale, double.scale)

    def test_deviation_of_equal_values_is_zero(self) -> None:
        assert np.full(300, 0.1).std() > 0
        assert deviation(np.full((1, 300), 0.1)) == [0]

    @pytest.mark.parametrize("unit", [1.0, 1e-200, 1e99])
    def test_deviation_in_any_unit(self, unit: float) -> None:
        column = unit * np.array([1.0, 2.0, 6.0])
        deviations = deviation(np.stack([column, column / unit]))
        expected = np.std([1, 2, 6]) * np.array([unit, 1])
        np.testing.assert_allclose(deviations, expected)

    def test_first_positive_scale(self) -> None:
        spread = np.array([2.0, 0.0, 1e-9, 0.0, 0.0])
        fallback = np.array([5.0, 5.0, 1e30, 0.0, 0.0])
        last = np.array([7.0, 7.0, 7.0, 7.0, 0.0])
        assert first_positive(spread, fallback, last).tolist() == [2, 5, 1e-9, 7, 1]


def core_of(X: np.ndarray, fraction: float, seed: int = 0) -> np.ndarray:
    random = np.random.RandomState(seed)
    idle = idle_rows(X, random)
    return core_rows(X, scaling_of(X), fraction, random, idle=idle)


class TestCore:
    """Rows that are surely normal."""

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("together", [True, False])
    @pytest.mark.parametrize("share", [0.02, 0.1, 0.2])
    def test_far_rows_are_left_out(
        self, share: float, together: bool, seed: int
    ) -> None:
        """Scattered or all in one place."""
        rng = np.random.RandomState(seed)
        X = rng.normal(size=(500, 6))
        n_far = round(share * len(X))
        directions = rng.normal(size=(1 if together else n_far, 6))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        X[:n_far] = 20 * directions + 0.3 * rng.normal(size=(n_far, 6))
        core = core_of(X, 0.75, seed)
        assert len(core) == 375
        assert core.min() >= n_far

    def test_distances_to_codebooks(self, rng: np.random.RandomState) -> None:
        """Averages over codebooks of the distance to the nearest code."""
        X = 1e3 * rng.normal(size=(30, 5)) + 1e6
        scaling = scaling_of(X)
        rows = scaling.transform(X)
        codes = rows[rng.randint(30, size=(3, 7))]  # three in each of seven codebooks
        expected = [
            np.mean([nearest(codes[:, b], row, 1)[0][0] for b in range(7)])
            for row in rows
        ]
        errors = Codebooks(scaling, codes).errors(X)
        np.testing.assert_allclose(errors, expected, atol=1e-7)

    def test_units_of_the_columns_do_not_matter(
        self, rng: np.random.RandomState
    ) -> None:
        X = rng.normal(size=(200, 4))
        X[:20] += 9
        units = np.ldexp(1.0, [-20, 0, 3, 40])
        assert np.array_equal(core_of(X * units, 0.75), core_of(X, 0.75))

    @pytest.mark.parametrize("n", [2, 3, 50])
    def test_all_rows_are_their_own_core(
        self, rng: np.random.RandomState, n: int
    ) -> None:
        assert np.array_equal(core_of(rng.normal(size=(n, 3)), 1.0), np.arange(n))

    @pytest.mark.parametrize(
        "n, fraction, size", [(2, 0.01, 2), (3, 0.75, 3), (9, 0.1, 2), (30, 0.75, 23)]
    )
    def test_has_at_least_two_rows(
        self, rng: np.random.RandomState, n: int, fraction: float, size: int
    ) -> None:
        core = core_of(rng.normal(size=(n, 3)), fraction)
        assert len(core) == size
        assert np.array_equal(core, np.unique(core))

    def test_of_rows_that_are_all_alike(self) -> None:
        assert len(core_of(np.ones((40, 3)), 0.75)) == 30

    def test_idle_rows_do_not_fill_it(self, rng: np.random.RandomState) -> None:
        X = np.concatenate([np.zeros((900, 3)), rng.normal(size=(100, 3))])
        core = core_of(X, 0.75)
        assert len(core) == 150
        assert (core >= 900).sum() == 50

    @pytest.mark.parametrize("copies, idle", [(25, 0), (26, 26), (99, 99)])
    def test_idle_is_a_row_that_fills_more_than_a_quarter(
        self, rng: np.random.RandomState, copies: int, idle: int
    ) -> None:
        X = rng.normal(size=(100, 2))
        X[:copies] = X[0]
        rows = idle_rows(X, rng)
        assert np.array_equal(np.flatnonzero(rows), np.arange(idle))


few = settings(max_examples=60, deadline=None, derandomize=True, database=None)
#: With ties, and with one value only.
references = st.lists(st.integers(0, 20), min_size=1, max_size=40).map(
    lambda values: np.array(values, dtype=float)
)


class TestSurprise:
    """A tail probability, continued beyond what was seen."""

    @few
    @given(reference=references)
    def test_counts_the_errors_that_are_at_least_as_large(
        self, reference: np.ndarray
    ) -> None:
        surprise = Surprise().fit(reference)
        for error in reference[reference <= np.quantile(reference, 0.75)]:
            as_large = sum(other >= error for other in reference) - 0.5
            expected = -np.log(as_large / (len(reference) - 0.5))
            assert surprise(np.array([error])) == pytest.approx(expected)

    @few
    @given(reference=references)
    def test_grows_with_the_error(self, reference: np.ndarray) -> None:
        errors = np.linspace(-1, 30, 200)
        values = Surprise().fit(reference)(errors)
        assert (np.diff(values) >= 0).all()
        beyond = values[errors >= np.quantile(reference, 0.75)]
        assert (np.diff(beyond) > 0).all()

    @few
    @given(reference=references)
    def test_is_zero_up_to_the_least_error(self, reference: np.ndarray) -> None:
        least = reference.min()
        errors = np.array([least, least - 1e-9, least - 5, -1e30])
        assert not Surprise().fit(reference)(errors).any()

    def test_is_interpolated_between_errors(self) -> None:
        surprise = Surprise().fit(np.arange(1.0, 101))
        low, middle, high = surprise(np.array([3.0, 3.25, 4.0]))
        assert middle == pytest.approx(low + (high - low) / 4)

    @few
    @given(reference=references)
    def test_is_linear_in_the_last_quarter_and_beyond(
        self, reference: np.ndarray
    ) -> None:
        surprise, tail = Surprise().fit(reference), np.quantile(reference, 0.75)
        at, one, hundred, far = surprise(tail + np.array([0.0, 1.0, 100.0, 1e12]))
        assert hundred - at == pytest.approx(100 * (one - at))
        assert far - at == pytest.approx(1e12 * (one - at))

    def test_goes_on_as_fast_as_from_the_middle_to_the_last_quarter(
        self, rng: np.random.RandomState
    ) -> None:
        reference = rng.exponential(size=1001)
        surprise = Surprise().fit(reference)
        middle, tail = np.quantile(reference, [0.5, 0.75])
        assert np.diff(surprise(np.array([middle, tail]))) == pytest.approx(
            np.diff(surprise(np.array([tail, 2 * tail - middle])))
        )
        # As of an exponential distribution, which this one is.
        assert surprise(np.array([5.0])) == pytest.approx(5, rel=0.1)

    def test_of_mostly_equal_errors_the_others_tell_what_is_far(self) -> None:
        reference = np.concatenate([np.zeros(90), np.linspace(1, 3, 9)])
        surprise = Surprise().fit(reference)
        assert surprise(np.array([0.0, 2.0])) == pytest.approx([0, np.log(2)])

    def test_gross_errors_do_not_change_those_of_others(
        self, rng: np.random.RandomState
    ) -> None:
        reference = np.sort(rng.exponential(size=200))
        clean = Surprise().fit(reference)
        reference[-48:] = 1e30
        soiled = Surprise().fit(reference)
        assert np.array_equal(soiled(reference), clean(reference))

    def test_is_finite_where_errors_differ_by_rounding(self) -> None:
        reference = np.repeat([1.0, np.nextafter(1.0, 2.0)], [95, 5])
        assert np.isfinite(Surprise().fit(reference)(np.array([1e30]))).all()

    def test_does_not_depend_on_the_order_of_the_references(
        self, rng: np.random.RandomState
    ) -> None:
        reference, errors = rng.exponential(size=100), rng.exponential(2, size=50)
        again = Surprise().fit(rng.permutation(reference))
        assert np.array_equal(again(errors), Surprise().fit(reference)(errors))


def expert_of(
    rows: np.ndarray, n_neighbors: int = 5, surprises: np.ndarray | None = None
) -> NearestRows:
    if surprises is None:
        surprises = np.zeros(len(rows))
    expert = NearestRows(scaling_of(rows), n_neighbors)
    expert.fit_surprises(rows, np.arange(len(rows)), surprises)
    return expert


def nearest(rows: np.ndarray, point: np.ndarray, k: int) -> tuple[list, list]:
    """Distances and indices of the k rows that are nearest to a point."""
    distances = [np.sqrt(((row - point) ** 2).sum()) for row in rows]
    order = np.argsort(distances, kind="stable")[:k]
    return [distances[i] for i in order], list(order)


def to_its_own(rows: np.ndarray, i: int, k: int) -> float:
    """Mean distance of a row to its neighbours."""
    return float(np.mean(nearest(np.delete(rows, i, axis=0), rows[i], k)[0]))


class TestNearestRows:
    """The local expert against its definition, written as loops."""

    @pytest.mark.parametrize("k", [1, 3, 5])
    def test_errors(self, rng: np.random.RandomState, k: int) -> None:
        rows, X = rng.normal(size=(40, 3)), rng.normal(scale=3, size=(25, 3))
        rows *= [1, 1e3, 1e-3]
        X *= [1, 1e3, 1e-3]
        scaling = scaling_of(rows)
        scaled_rows, scaled_X = scaling.transform(rows), scaling.transform(X)
        expected = np.empty_like(X)
        for i, x in enumerate(scaled_X):
            _, neighbors = nearest(scaled_rows, x, k)
            squared = np.mean([(x - scaled_rows[j]) ** 2 for j in neighbors], axis=0)
            apart = np.mean([to_its_own(scaled_rows, j, k) for j in neighbors])
            expected[i] = squared / apart
        np.testing.assert_allclose(expert_of(rows, k).errors(X), expected)

    def test_a_training_row_is_not_its_own_neighbour(
        self, rng: np.random.RandomState
    ) -> None:
        """It is judged as a new row is."""
        rows, k = rng.normal(size=(40, 3)), 4
        expert = expert_of(rows, k)
        scaled = scaling_of(rows).transform(rows)
        errors = []
        for i in range(len(rows)):
            others = np.delete(np.arange(len(rows)), i)
            distances, order = nearest(scaled[others], scaled[i], k)
            apart = np.mean([to_its_own(scaled, others[j], k) for j in order])
            errors.append(np.mean(np.square(distances)) / apart)
        np.testing.assert_allclose(expert.errors(rows).sum(axis=1), errors)
        np.testing.assert_allclose(expert.surprise.errors, np.sort(errors))

    def test_copies_do_not_vouch_for_each_other_unless_they_are_many(
        self, rng: np.random.RandomState
    ) -> None:
        rows = rng.normal(size=(40, 3))
        alone = expert_of(rows, 3).errors(rows[:1]).sum()
        for copies in (2, 3):
            copied = np.concatenate([rows, np.repeat(rows[:1], copies - 1, axis=0)])
            error = expert_of(copied, 3).errors(rows[:1]).sum()
            assert error == pytest.approx(alone, rel=0.5)
        many = np.concatenate([rows, np.repeat(rows[:1], 9, axis=0)])
        assert expert_of(many, 3).errors(rows[:1]).sum() == 0

    def test_neighbours_count_as_far_as_they_are_normal(
        self, rng: np.random.RandomState
    ) -> None:
        """Divided by the cube root of the share of rows that are as rare."""
        rows, new = rng.normal(size=(40, 3)), rng.normal(size=(10, 3))
        plain = expert_of(rows).errors(new)
        rare = expert_of(rows, surprises=np.full(40, np.log(8))).errors(new)
        np.testing.assert_allclose(rare, 2 * plain)
        # No row is rarer than the number of rows can tell.
        gross = expert_of(rows, surprises=np.full(40, 1e6)).errors(new)
        np.testing.assert_allclose(gross, np.cbrt(80) * plain)

    def test_anomalies_of_a_kind_do_not_vouch_for_each_other(
        self, rng: np.random.RandomState
    ) -> None:
        rows = np.concatenate([rng.normal(size=(100, 2)), 9 + rng.normal(size=(10, 2))])
        surprises = np.repeat([0.0, 5.0], [100, 10])
        errors = [
            expert_of(rows, surprises=told).errors(rows).sum(axis=1)
            for told in (np.zeros(110), surprises)
        ]
        plain, doubted = (np.median(e[100:]) / np.median(e[:100]) for e in errors)
        assert doubted > 4 * plain

    def test_training_rows_that_are_not_stored_are_judged_as_others(
        self, rng: np.random.RandomState
    ) -> None:
        X, reference = rng.normal(size=(50, 3)), rng.permutation(50)[:30]
        rareness = rng.exponential(size=50)
        expert = NearestRows(scaling_of(X), 5)
        surprises = expert.fit_surprises(X, reference, rareness)
        totals = expert.errors(X).sum(axis=1)
        assert np.array_equal(surprises, expert.surprise(totals))
        assert np.array_equal(expert.surprise.errors, np.sort(totals[reference]))

    @pytest.mark.parametrize("n", [2, 3, 5])
    def test_fewer_rows_than_neighbors(
        self, rng: np.random.RandomState, n: int
    ) -> None:
        rows = rng.normal(size=(n, 2))
        expert = expert_of(rows, 5)
        assert np.isfinite(expert.errors(rows)).all()

    def test_a_local_outlier_is_worse_than_a_row_among_sparse_ones(
        self, rng: np.random.RandomState
    ) -> None:
        dense, sparse = rng.normal(scale=0.01, size=(200, 2)), rng.normal(size=(200, 2))
        expert = expert_of(np.concatenate([dense, sparse + 5]))
        near_dense, among_sparse = expert.errors(np.array([[0.3, 0.3], [5.3, 5.3]]))
        assert near_dense.sum() > 3 * among_sparse.sum()

    def test_copies_of_rows(self, rng: np.random.RandomState) -> None:
        rows = np.repeat(rng.normal(size=(10, 3)), 20, axis=0)
        expert = expert_of(rows)
        assert not expert.errors(rows).any()
        new = expert.errors(rows + 1e-3)
        assert np.isfinite(new).all()
        assert (new > 0).all()

    @pytest.mark.parametrize("apart", [0.0, 1e-8, 1e-5])
    def test_copies_are_taken_to_lie_as_far_apart_as_rows_do(
        self, rng: np.random.RandomState, apart: float
    ) -> None:
        """Or what is beside them would be infinitely far away from them.

        So are rows that are all but copies of each other, as those are that were
        rounded on the way.
        """
        rows, k = with_copies(rng, apart), 5
        scaling = scaling_of(rows)
        scaled, new = scaling.transform(rows), rows[:1] + 0.05
        x = scaling.transform(new)[0]
        distances, neighbors = nearest(scaled, x, k)
        assert set(neighbors) <= set(range(20))  # which are the copies
        each = np.array([to_its_own(scaled, i, k) for i in range(len(rows))])
        usual = np.median(each[each > 0])
        expected = np.mean(np.square(distances)) / usual
        error = expert_of(rows, k).errors(new).sum(axis=1)
        np.testing.assert_allclose(error, expected, rtol=1e-3)


def with_copies(rng: np.random.RandomState, apart: float) -> np.ndarray:
    """A hundred rows, of which the first twenty are one, but for so much."""
    rows = rng.normal(size=(100, 3))
    rows[:20] = rows[0] + apart * rng.normal(size=(20, 3))
    return rows


class Told:
    """An expert that is told its errors and how surprised it is by them."""

    def __init__(self, weights: list[float], unit: float) -> None:
        self.weights = np.array(weights)
        self.unit = unit

    def errors(self, X: np.ndarray) -> np.ndarray:
        return self.weights * np.abs(X)

    def surprise(self, error: np.ndarray) -> np.ndarray:
        return self.unit * error


class TestPanel:
    """Experts together: the power mean of their surprises, and what adds to it."""

    ONE, TWO = Told([1.0, 1.0, 1.0], 0.5), Told([0.0, 3.0, 1.0], 2.0)

    @pytest.fixture
    def X(self, rng: np.random.RandomState) -> np.ndarray:
        return rng.normal(size=(20, 3))

    def test_score_is_minus_the_cubic_mean_in_which_nearest_rows_count_threefold(
        self, X: np.ndarray
    ) -> None:
        one, two = (e.surprise(e.errors(X).sum(axis=1)) for e in (self.ONE, self.TWO))
        expected = np.cbrt((one**3 + 3 * two**3) / 4)
        scores = Panel(self.ONE, self.TWO).scores(X)
        assert scores.shape == (20,)
        np.testing.assert_allclose(scores, -expected)
        np.testing.assert_allclose(Panel(self.ONE, None).scores(X), -one)

    def test_contributions_are_shares_of_the_experts_and_of_their_errors(
        self, X: np.ndarray
    ) -> None:
        panel = Panel(self.ONE, self.TWO)
        errors = [expert.errors(X) for expert in (self.ONE, self.TWO)]
        totals = [error.sum(axis=1, keepdims=True) for error in errors]
        cubes = [(0.5 * totals[0]) ** 3, 3 * (2.0 * totals[1]) ** 3]
        mean = np.cbrt((cubes[0] + cubes[1]) / 4)
        expected = sum(
            mean * cube / (cubes[0] + cubes[1]) * error / total
            for cube, error, total in zip(cubes, errors, totals, strict=True)
        )
        contributions = panel.contributions(X)
        np.testing.assert_allclose(contributions, expected)
        np.testing.assert_allclose(contributions.sum(axis=1), -panel.scores(X))

    def test_of_no_surprise_there_is_nothing_to_explain(self) -> None:
        """Neither where all experts expect a row nor where one of them does."""
        X = np.array([[0.0, 0, 0], [4, 0, 0]])
        panel = Panel(self.ONE, self.TWO)
        expected = [0, 2 / 4 ** (1 / 3)]
        np.testing.assert_allclose(panel.scores(X), np.negative(expected))
        contributions = panel.contributions(X)
        np.testing.assert_allclose(contributions[:, 0], expected)
        assert not contributions[:, 1:].any()

    def test_judges_float32_in_float64(self, X: np.ndarray) -> None:
        panel, single = Panel(self.ONE, self.TWO), X.astype(np.float32)
        for judge in (panel.scores, panel.contributions):
            judged = judge(single)
            assert judged.dtype == np.float64
            assert np.array_equal(judged, judge(single.astype(np.float64)))


def test_scores_of_more_training_rows_than_are_stored(
    rng: np.random.RandomState,
) -> None:
    """They are judged once, in the fit, and to the bit as they are later.

    Most have more neighbours at one distance than are asked for.
    """
    X = rng.randint(3, size=(4_500, 10)).astype(float)
    detector = ReconstructionOutlierDetector(max_iter=1, random_state=0).fit(X)
    assert len(detector.experts_[1].rows) == 4_096
    assert np.array_equal(detector.training_scores_, detector.score_samples(X))
