"""Folds: who trains on which rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skae._training import (
    Folds,
    _folds,
    all_rows,
    choose_cross_validation,
    choose_folds,
    choose_split,
)
from skae._training._folds import row_keys

#: How many of five folds are held out of small tables by default.
AUTO = 3
quick = settings(deadline=None, derandomize=True, database=None, max_examples=60)


def assert_partitions(folds: Folds, n_samples: int) -> None:
    """No member is judged on a row that it trains on, and no row is forgotten."""
    assert folds.members == len(folds.training) == len(folds.held_out)
    for training, held_out in zip(folds.training, folds.held_out, strict=True):
        both = np.concatenate([training, held_out])
        assert np.array_equal(np.sort(both), np.arange(n_samples))
        assert len(training) > 0
    rows = folds.held_out_rows
    assert len(np.unique(rows)) == len(rows)


def assert_copies_stay_together(X: np.ndarray, folds: Folds) -> None:
    for training, held_out in zip(folds.training, folds.held_out, strict=True):
        known = {row.tobytes() for row in X[training]}
        assert not any(row.tobytes() in known for row in X[held_out])


@st.composite
def tables_with_copies(draw: st.DrawFn) -> np.ndarray:
    n_samples = draw(st.integers(1, 120))
    rng = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    X = rng.normal(size=(n_samples, draw(st.integers(1, 3))))
    return X[rng.randint(draw(st.integers(1, n_samples)), size=n_samples)]


@quick
@given(
    X=tables_with_copies(),
    cv=st.sampled_from(["auto", None]) | st.integers(2, 200),
    seed=st.integers(0, 1000),
)
def test_partition(X: np.ndarray, cv, seed: int) -> None:
    folds = choose_folds(X, cv, 0.1, np.random.RandomState(seed))
    assert_partitions(folds, len(X))
    assert_copies_stay_together(X, folds)
    n_distinct = len(np.unique(X, axis=0))
    if cv is None or n_distinct < 20:
        assert folds.members == 1
        assert len(folds.held_out_rows) == 0
    else:
        assert folds.members == 1 + (AUTO if cv == "auto" else min(cv, n_distinct))
        if cv != "auto":
            assert len(folds.held_out_rows) == len(X)
        # The member that is kept trains on all rows.
        assert np.array_equal(folds.training[-1], np.arange(len(X)))


@quick
@given(
    X=tables_with_copies(),
    n_folds=st.integers(2, 200),
    enough=st.none() | st.integers(1, 200),
    seed=st.integers(0, 1000),
)
def test_cross_validation_holds_something_out_of_every_member(
    X: np.ndarray, n_folds: int, enough: int | None, seed: int
) -> None:
    folds = choose_cross_validation(
        X, n_folds, np.random.RandomState(seed), enough=enough
    )
    assert_partitions(folds, len(X))
    assert_copies_stay_together(X, folds)
    n_distinct = len(np.unique(X, axis=0))
    if n_distinct < 20:
        assert folds.members == 1
        assert folds.judged_members == 0
    else:
        n_folds = min(n_folds, n_distinct)
        assert folds.members == folds.judged_members
        if enough is None:
            assert folds.members == n_folds
            assert len(folds.held_out_rows) == len(X)
        else:
            held_out = len(np.unique(X[folds.held_out_rows], axis=0))
            assert 1 <= folds.members <= 3
            assert folds.members in {3, n_folds} or held_out >= enough - folds.members


class TestMembers:
    """Members by hand: two that are judged, one that trains on all rows."""

    FOLDS = Folds(
        [np.array([2, 3, 4]), np.array([0, 1])],
        [np.array([0, 1]), np.array([4, 2, 3])],
    )

    def test_counts(self) -> None:
        assert self.FOLDS.members == self.FOLDS.judged_members == 2
        assert self.FOLDS.longest == 3
        assert self.FOLDS.held_out_rows.tolist() == [0, 1, 4, 2, 3]

    def test_with_all_rows(self) -> None:
        """The further member comes last and is not judged."""
        more = self.FOLDS.with_all_rows()
        assert more.members == 3
        assert more.judged_members == 2
        assert more.longest == 5
        assert more.training[-1].tolist() == [0, 1, 2, 3, 4]
        assert more.held_out_rows.tolist() == [0, 1, 4, 2, 3]
        assert self.FOLDS.members == 2

    def test_all_rows(self) -> None:
        folds = all_rows(4)
        assert folds.members == 1
        assert folds.judged_members == 0
        assert folds.longest == 4


class TestPerDistinctRow:
    """Copies of a row are no independent evidence: together they count as one."""

    def test_errors_are_averaged_over_the_copies(self) -> None:
        # Rows 0, 2 and 5 are copies of each other, and so are 1 and 4.
        keys = np.array([5, 8, 5, 1, 8, 5], dtype=np.uint64)
        nothing = np.arange(0)
        folds = Folds(
            [np.array([1, 3, 4]), np.array([0, 2, 3, 5]), np.arange(6)],
            [np.array([0, 2, 5]), np.array([1, 4]), nothing],
            keys,
        )
        # By rows: 0 -> 1, 2 -> 2, 5 -> 6, 1 -> 10, 4 -> 20.
        errors = folds.per_distinct_row(np.array([1.0, 2.0, 6.0, 10.0, 20.0]))
        assert sorted(errors.tolist()) == [3, 15]

    @pytest.mark.parametrize("keys", [None, np.array([9, 4, 7, 5], dtype=np.uint64)])
    def test_without_copies_errors_are_as_they_were(self, keys) -> None:
        halves = [np.array([0, 1]), np.array([2, 3])]
        folds = Folds(halves, halves[::-1], keys)
        errors = np.array([4.0, 3.0, 2.0, 1.0])
        assert folds.per_distinct_row(errors).tolist() == [4, 3, 2, 1]

    @quick
    @given(X=tables_with_copies(), seed=st.integers(0, 1000))
    def test_of_all_ways_to_choose(self, X: np.ndarray, seed: int) -> None:
        """What is the same for copies of a row is left once for each of them."""
        values = np.unique(X, axis=0, return_inverse=True)[1].ravel()
        for folds in (
            choose_folds(X, "auto", 0.1, np.random.RandomState(seed)),
            choose_folds(X, 4, 0.1, np.random.RandomState(seed)),
            choose_cross_validation(X, 4, np.random.RandomState(seed)),
            choose_split(X, 0.3, np.random.RandomState(seed)),
        ):
            held_out = values[folds.held_out_rows]
            left = folds.per_distinct_row(held_out.astype(float))
            np.testing.assert_allclose(np.sort(left), np.unique(held_out), rtol=1e-12)

    def test_of_a_single_split_of_a_large_table(self) -> None:
        X = np.arange(1200.0).repeat(2)[:, None]
        folds = choose_folds(X, "auto", 0.2, np.random.RandomState(0))
        left = folds.per_distinct_row(X[folds.held_out_rows, 0])
        assert sorted(left) == sorted(set(X[folds.held_out_rows, 0]))


@quick
@given(fraction=st.floats(0.01, 0.99), seed=st.integers(0, 1000))
def test_single_split(fraction: float, seed: int) -> None:
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(2500, 2))[rng.randint(2000, size=2500)]
    folds = choose_folds(X, "auto", fraction, rng)
    assert folds.members == 1
    assert_partitions(folds, 2500)
    assert_copies_stay_together(X, folds)
    # Every row is drawn on its own: five standard deviations of a binomial.
    assert abs(len(folds.held_out[0]) / 2500 - fraction) < 5 * 0.5 / 1400**0.5


@pytest.mark.parametrize("n_distinct", [1, 2])
def test_many_copies_of_a_few_rows_leave_rows_to_train_on(n_distinct: int) -> None:
    X = np.arange(3000.0)[:, None] % n_distinct
    for seed in range(20):
        folds = choose_folds(X, "auto", 0.5, np.random.RandomState(seed))
        assert_partitions(folds, 3000)


def test_held_out_rows_of_a_large_table_are_limited() -> None:
    """More would not sharpen the decision but cost time in every round."""
    X = np.arange(200_000.0)[:, None]
    folds = choose_folds(X, "auto", 0.5, np.random.RandomState(0))
    assert 4_500 < len(folds.held_out[0]) < 5_500


@pytest.mark.parametrize(
    "n, members",
    [(19, 1), (20, 4), (499, 4), (500, 3), (1000, 2), (1999, 2), (2000, 1)],
)
def test_auto_depends_on_the_number_of_rows(n: int, members: int) -> None:
    X = np.arange(float(n))[:, None]
    folds = choose_folds(X, "auto", 0.1, np.random.RandomState(0))
    assert folds.members == members


@pytest.mark.parametrize(
    "cv, sizes", [(5, [20, 20, 21, 21, 21]), (2, [51, 52]), ("auto", [21] * AUTO)]
)
def test_folds_are_equally_large(cv, sizes: list[int]) -> None:
    X = np.arange(103.0)[:, None]
    folds = choose_folds(X, cv, 0.1, np.random.RandomState(0))
    assert sorted(map(len, folds.held_out)) == [0, *sizes]


@pytest.mark.parametrize("n", [100, 5000])
def test_rows_are_drawn_by_the_random_state(n: int) -> None:
    X = np.arange(float(n))[:, None]
    one, two, other = (
        choose_folds(X, "auto", 0.1, np.random.RandomState(seed)).held_out_rows
        for seed in (0, 0, 1)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    # Held-out rows of a sorted table are not the first of it, nor the last.
    held_out = choose_folds(X, "auto", 0.1, np.random.RandomState(0)).held_out[0]
    assert held_out.mean() == pytest.approx(n / 2, rel=0.25)
    assert held_out.std() == pytest.approx(n / 12**0.5, rel=0.25)


class TestRowKeys:
    """Random numbers that are equal for copies of a row and for nothing else."""

    @staticmethod
    def assert_tell_rows_apart(X: np.ndarray) -> None:
        ours = row_keys(X, np.random.RandomState(0))
        theirs = np.unique(X, axis=0, return_inverse=True)[1].ravel()
        pairs = set(zip(ours.tolist(), theirs.tolist(), strict=True))
        assert len(pairs) == len(set(ours.tolist())) == len(set(theirs.tolist()))

    @quick
    @given(
        shape=st.tuples(st.integers(1, 60), st.integers(1, 5)),
        n_values=st.integers(1, 5),
        unit=st.sampled_from([1.0, 0.1, 1e-30, 1e30, 1 / 3]),
        dtype=st.sampled_from([np.float32, np.float64]),
        seed=st.integers(0, 1000),
    )
    def test_drawn(self, shape, n_values, unit, dtype, seed: int) -> None:
        values = np.random.RandomState(seed).randint(-n_values, n_values + 1, shape)
        self.assert_tell_rows_apart((values * unit).astype(dtype))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("n_columns, side", [(1, 60_000), (3, 40), (16, 2)])
    def test_all_of_a_grid(self, dtype: type, n_columns: int, side: int) -> None:
        """The bits of small integers are mostly zero, which is hard on a hash."""
        grid = np.meshgrid(*[np.arange(float(side))] * n_columns)
        X = np.stack(grid, axis=-1).reshape(-1, n_columns).astype(dtype)
        self.assert_tell_rows_apart(np.concatenate([X, X[::-7]]))

    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_every_bit_matters(self, dtype: type, seed: int) -> None:
        """Rows that differ in one bit, or in two of them, are no copies."""
        size = np.dtype(dtype).itemsize
        one = np.uint64(1) << np.arange(8 * size, dtype=np.uint64)
        flips = np.unique([*one, *(one[:, None] ^ one).flat]).astype(f"u{size}")
        X = (dtype(1.1).view(flips.dtype) ^ flips).view(dtype)[:, None]
        X = X[np.isfinite(X[:, 0])]
        keys = row_keys(X, np.random.RandomState(seed))
        assert len(np.unique(keys)) == len(X) > 500

    def test_order_of_values_matters(self) -> None:
        self.assert_tell_rows_apart(np.array([[1.0, 2, 3], [3, 2, 1], [2, 1, 3]]))

    def test_both_zeros_are_one(self) -> None:
        one, two = row_keys(np.array([[0.0, 1], [-0.0, 1]]), np.random.RandomState(0))
        assert one == two

    def test_a_row_counts_for_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither its place in the table nor the size of a block changes its key."""
        X = np.random.RandomState(0).normal(size=(50, 3))
        keys = row_keys(X, np.random.RandomState(0))
        reverse = row_keys(np.ascontiguousarray(X[::-1]), np.random.RandomState(0))
        assert np.array_equal(reverse[::-1], keys)
        monkeypatch.setattr(_folds, "_BLOCK", 7 * 3)
        assert np.array_equal(row_keys(X, np.random.RandomState(0)), keys)

    @pytest.mark.parametrize(
        "X",
        [
            np.arange(20_000.0)[:, None],
            np.arange(20_000, dtype=np.float32)[:, None],
            np.linspace(0, 1, 20_000)[:, None],
            np.random.RandomState(0).normal(size=(20_000, 3)),
            np.random.RandomState(0).randint(0, 256, size=(20_000, 50)).astype(float),
        ],
        ids=["integers", "float32 integers", "grid", "normal", "pixels"],
    )
    def test_are_uniform_and_independent_of_the_rows(self, X: np.ndarray) -> None:
        keys = row_keys(X, np.random.RandomState(0)) / 2.0**64
        counts = np.histogram(keys, bins=20, range=(0, 1))[0]
        # 1000 are expected in each bin, with a standard deviation of 31.
        assert np.abs(counts - 1000).max() < 5 * 31
        # A row that is held out must not be one that its neighbours were, too.
        assert abs(np.corrcoef(keys[1:], keys[:-1])[0, 1]) < 5 / 20_000**0.5
        assert abs(np.corrcoef(keys, X[:, 0])[0, 1]) < 5 / 20_000**0.5


@pytest.mark.parametrize("n_distinct", [20, 100, 3000])
@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 0.99])
def test_split_holds_out_a_share_of_the_distinct_rows(
    n_distinct: int, fraction: float
) -> None:
    X = np.tile(np.arange(2.0 * n_distinct).reshape(-1, 2), (3, 1))
    folds = choose_split(X, fraction, np.random.RandomState(0))
    (training,), (held_out,) = folds.training, folds.held_out
    assert sorted([*training, *held_out]) == list(range(len(X)))
    assert not set(training % n_distinct) & set(held_out % n_distinct)
    expected = min(max(round(fraction * n_distinct), 5), n_distinct - 5)
    assert len(set(held_out % n_distinct)) == expected


def test_split_of_a_handful() -> None:
    X = np.repeat(np.arange(19.0)[:, None], 10, axis=0)
    folds = choose_split(X, 0.5, np.random.RandomState(0))
    assert len(folds.held_out_rows) == 0
    assert len(folds.training[0]) == len(X)


@pytest.mark.parametrize(
    "n_features, most", [(1, 5_000), (40, 5_000), (50, 4_000), (6_000, 33)]
)
def test_split_holds_out_no_more_than_sharpens_a_decision(
    n_features: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5,000 rows or 200,000 values; here, a tenth of both."""
    monkeypatch.setattr(_folds, "_MOST_HELD_OUT", 500)
    monkeypatch.setattr(_folds, "_MOST_VALUES", 2 * 10**4)
    rows = np.arange(1_100, dtype=np.float32)[:, None]
    X = np.broadcast_to(rows, (1_100, n_features)).copy()
    folds = choose_split(X, 0.9, np.random.RandomState(0))
    assert len(folds.held_out_rows) == max(most // 10, 5)
    assert len(folds.training[0]) == 1_100 - len(folds.held_out_rows)


def test_limits_of_a_split() -> None:
    assert (_folds._MOST_HELD_OUT, _folds._MOST_VALUES) == (5_000, 2 * 10**5)
    X = np.random.RandomState(0).normal(size=(24, 12_000)).astype(np.float32)
    folds = choose_split(X, 0.9, np.random.RandomState(0))
    assert len(folds.held_out_rows) == 2 * 10**5 // 12_000


@pytest.mark.parametrize("n_distinct, split", [(5, False), (19, False), (200, True)])
def test_a_handful_of_rows_is_never_split_however_often_each_stands_there(
    n_distinct: int, split: bool
) -> None:
    X = np.random.RandomState(0).normal(size=(n_distinct, 3))[
        np.arange(4_000) % n_distinct
    ]
    for seed in range(8):
        folds = choose_folds(X, "auto", 0.1, np.random.RandomState(seed))
        assert (folds.judged_members > 0) == split
