"""Columns, examples, start, network and residuals of an imputer, each by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm

from skae import DenoisingImputer
from skae._starts import ConditionalGaussian, NearestMean
from skae._training import Folds, Gate, Objective, Problem, held_out_output, weigh
from skae.estimators.imputer._columns import Columns, GapTable
from skae.estimators.imputer._examples import GapExamples
from skae.estimators.imputer._judged import JudgedFills
from skae.estimators.imputer._module import GapNetwork, QuantileEncoding
from skae.estimators.imputer._residual_quantiles import ResidualQuantiles
from skae.estimators.imputer._start import ConditionalStart, best_share
from skae.losses import LOSSES


class TestColumns:
    X = np.array([[1.0, 5.0, np.nan], [3.0, 5.0, 2.0], [np.nan, 5.0, 4.0]])
    observed = ~np.isnan(X)

    @staticmethod
    def of(X: np.ndarray) -> Columns:
        limits = np.repeat([[-np.inf], [np.inf]], X.shape[1], axis=1)
        return Columns.of(X, np.isnan(X), limits)

    def test_gaps_do_not_count(self) -> None:
        columns = self.of(self.X)
        np.testing.assert_allclose(columns.mean, np.nanmean(self.X, axis=0))
        np.testing.assert_allclose(columns.scale, [1, 1, 1])
        np.testing.assert_array_equal(columns.range, [[1, 5, 2], [3, 5, 4]])

    def test_there_and_back(self) -> None:
        columns, gaps = self.of(self.X), ~self.observed
        rows = columns.standardise(self.X, self.observed)
        np.testing.assert_array_equal(rows[gaps], 0)
        restored = columns.restore(rows)
        np.testing.assert_allclose(restored[~gaps], self.X[~gaps])
        means = np.nanmean(self.X, axis=0)[[2, 0]]
        np.testing.assert_allclose(restored[gaps], means)

    def test_nothing_leaves_the_range(self) -> None:
        columns = self.of(self.X)
        rows = columns.standardise(10 * self.X, self.observed)
        np.testing.assert_allclose(columns.restore(rows)[1], [3, 5, 4])
        np.testing.assert_allclose(columns.clip(rows)[1], [1, 0, 1])

    def test_rounding_is_no_spread(self) -> None:
        x = np.float32(0.1) + np.zeros((10, 1), dtype=np.float32)
        assert self.of(x).scale == 1

    def test_those_that_hold_nothing_are_left_out(self) -> None:
        X = np.insert(self.X, 1, np.nan, axis=1)
        limits = np.array([[-1.0, 0, -2, -3], [1, 0, 2, 3]])
        table = GapTable.of(X, np.isnan(X), limits, np.random.RandomState(0))
        np.testing.assert_array_equal(table.X, self.X)
        np.testing.assert_array_equal(table.observed, self.observed)
        columns = table.columns
        assert columns.n_features == 4
        assert columns.known.tolist() == [0, 2, 3]
        np.testing.assert_array_equal(columns.limits, [[-1, -2, -3], [1, 2, 3]])
        np.testing.assert_array_equal(columns.statistics(9.0), [2, 9, 5, 3])


class TestTrust:
    """Which values count, in columns of every kind."""

    @staticmethod
    def trusted(x: np.ndarray) -> np.ndarray:
        X = x[:, None].astype(np.float64)
        columns = TestColumns.of(X)
        return columns.trusted(X, ~np.isnan(X))[:, 0]

    @pytest.mark.parametrize("share", [0.5, 0.05, 0.02])
    @pytest.mark.parametrize("unit", [1.0, 1e-200, 1e90])
    def test_rare_values_count(
        self, share: float, unit: float, rng: np.random.RandomState
    ) -> None:
        """Frequent ones too, be they booleans, counts or amounts beside zeros."""
        rare = rng.permutation(400) < 400 * share
        for values in (1.0, rng.poisson(2, 400), 1 + rng.exponential(size=400)):
            assert self.trusted(7 * unit + rare * values * unit).all()

    @pytest.mark.parametrize(("n_samples", "few"), [(60, 1), (300, 4), (3000, 4)])
    def test_beside_a_constant_a_few_values_do_not(
        self, n_samples: int, few: int
    ) -> None:
        x = np.zeros(n_samples)
        x[:few] = 1
        np.testing.assert_array_equal(self.trusted(x), x == 0)
        x[few] = 1
        assert self.trusted(x).all()

    @pytest.mark.parametrize("value", [100.0, -1e6, 1e100])
    def test_mistakes_do_not(self, value: float, rng: np.random.RandomState) -> None:
        for x in (rng.normal(size=1000), rng.exponential(size=1000)):
            for n_samples, mistakes in ((5, 1), (20, 3), (100, 4), (1000, 30)):
                wrong = x[:n_samples].copy()
                wrong[:mistakes] = value
                expected = np.arange(n_samples) >= mistakes
                np.testing.assert_array_equal(self.trusted(wrong), expected)

    def test_long_tails_count(self, rng: np.random.RandomState) -> None:
        for x in (rng.standard_t(3, size=1000), np.exp(rng.normal(size=1000))):
            assert self.trusted(x).mean() >= 0.995

    def test_a_few_rows_count(self) -> None:
        for x in ([3.0], [0.0, 9.0], [0.0, 0.0, 3.0]):
            assert self.trusted(np.array(x)).all()


class TestLargeTables:
    """All rows are measured, some are learned from."""

    @pytest.mark.parametrize(
        ("shape", "most"), [((101_000, 3), 100_000), ((20_000, 200), 10_000)]
    )
    def test_a_sample_is_learned_from(
        self, shape: tuple[int, int], most: int, rng: np.random.RandomState
    ) -> None:
        X = rng.uniform(size=shape).astype(np.float32)
        X[7, 0] = 1.5
        limits = np.repeat([[-np.inf], [np.inf]], shape[1], axis=1)
        missing = np.zeros(shape, dtype=bool)
        table = GapTable.of(X, missing, limits, rng)
        assert table.X.shape == table.rows.shape == (most, shape[1])
        assert table.columns.range[1, 0] == 1.5
        np.testing.assert_allclose(table.columns.mean, X.mean(axis=0, dtype=float))
        again = GapTable.of(X, missing, limits, np.random.RandomState(1))
        assert not np.array_equal(again.X, table.X)
        assert len(GapTable.of(X[:most], missing[:most], limits, rng).X) == most

    def test_columns_without_a_value_in_the_sample(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("skae.estimators.imputer._columns._MOST_ROWS", 1_000)
        X = np.random.RandomState(0).normal(size=(10_000, 3))
        X[:, 1:] = np.nan
        X[-2:, 1], X[:, 2] = 5.0, X[:, 0]
        imputer = DenoisingImputer(hidden_layer_sizes=(4,), max_iter=1, random_state=0)
        filled = imputer.fit_transform(X)
        assert (filled[:, 1] == 5).all()
        assert imputer.statistics_[1] == 5


class TestExamples:
    """What is hidden for the training, and who is judged on it."""

    def test_only_known_values_are_hidden(self, rng: np.random.RandomState) -> None:
        observed = torch.from_numpy(rng.uniform(size=(40, 6)) > 0.4)
        examples = GapExamples.of(observed, rng)
        known = observed[examples.source]
        assert len(examples.source) == 64 * 40
        assert torch.equal(examples.hidden | examples.observed, known)
        assert not (examples.hidden & examples.observed).any()
        share = examples.hidden.sum() / known.sum()
        assert 0.25 < share < 0.4

    def test_every_example_hides_a_value(self, rng: np.random.RandomState) -> None:
        """Of two columns most would hide none if each were hidden by chance."""
        observed = torch.ones(100, 2, dtype=torch.bool)
        observed[:20, 0] = False
        observed[:5] = False
        examples = GapExamples.of(observed, rng)
        known = observed[examples.source]
        assert torch.equal(examples.hidden.any(1), known.any(1))
        # Of what is complete, one of the two is hidden as a rule and not both.
        assert examples.observed[known.all(1)].any(1).double().mean() > 0.8

    def test_gaps_are_borrowed(self, rng: np.random.RandomState) -> None:
        """Two columns are missing together in the table: they are hidden together."""
        observed = torch.ones(400, 6, dtype=torch.bool)
        observed[::3, :2] = False
        examples = GapExamples.of(observed, rng)
        only_these = examples.hidden[:, :2].all(1) & ~examples.hidden[:, 2:].any(1)
        assert only_these.double().mean() > 0.1

    def test_a_large_table_is_not_copied(self, rng: np.random.RandomState) -> None:
        examples = GapExamples.of(torch.ones(100_000, 10, dtype=torch.bool), rng)
        assert examples.copies == 1
        assert examples.hidden.any(1).all()

    @pytest.mark.parametrize(
        ("shape", "copies"),
        [((100, 5), 64), ((500, 5), 32), ((9_000, 5), 8), ((500, 400), 4)],
    )
    def test_few_rows_are_copied_more(
        self, shape: tuple[int, int], copies: int, rng: np.random.RandomState
    ) -> None:
        examples = GapExamples.of(torch.ones(shape, dtype=torch.bool), rng)
        assert examples.copies == copies
        assert len(examples.source) == copies * shape[0]

    def test_copies_of_rows(self, rng: np.random.RandomState) -> None:
        examples = GapExamples.of(torch.ones(10, 3, dtype=torch.bool), rng)
        rows = np.array([2, 5])
        indices = examples.of_rows(rows)
        assert set(examples.source[indices].tolist()) == {2, 5}
        assert len(indices) == 2 * examples.copies
        assert set(examples.judged(rows)) < set(indices)

    def test_few_rows_are_judged(self, rng: np.random.RandomState) -> None:
        examples = GapExamples.of(torch.ones(50_000, 2, dtype=torch.bool), rng)
        judged = examples.judged(np.arange(50_000), members=2)
        assert 1_000 < len(judged) <= 2_500


@pytest.fixture
def encoding() -> QuantileEncoding:
    x = torch.linspace(0, 4, 101, dtype=torch.float64)
    rows = torch.stack([x, torch.full_like(x, 7.0)], dim=1)
    observed = torch.ones(rows.shape, dtype=torch.bool)
    return QuantileEncoding.of(rows, observed, n_bins=4)


class TestEncoding:
    """Values as the filling levels of bins."""

    def test_bins_fill_from_left_to_right(self, encoding: QuantileEncoding) -> None:
        x = torch.tensor([[-1.0, 0.0], [1.5, 7.0], [9.0, 9.0]], dtype=torch.float64)
        constant = [0, 0, 0, 0]
        expected = [
            [0, 0, 0, 0, *constant],
            [1, 0.5, 0, 0, *constant],
            [1, 1, 1, 1, *constant],
        ]
        np.testing.assert_allclose(encoding(x[None])[0], expected, atol=1e-12)

    def test_gaps_do_not_count_in_the_quantiles(self) -> None:
        rows = torch.tensor([[0.0], [1.0], [99.0]], dtype=torch.float64)
        observed = torch.tensor([[True], [True], [False]])
        encoding = QuantileEncoding.of(rows, observed, n_bins=1)
        x = torch.tensor([[[0.5]]], dtype=torch.float64)
        np.testing.assert_allclose(encoding(x), [[[0.5]]])


class TestNetwork:
    """What corrects a fill."""

    def test_begins_at_no_correction(self, encoding: QuantileEncoding) -> None:
        generator = torch.Generator().manual_seed(0)
        network = GapNetwork(encoding, (5, 3), "silu", members=3, generator=generator)
        x = torch.randn(1, 6, 2, dtype=torch.float64)
        output = network({"input": x, "observed": torch.ones_like(x)})["output"]
        np.testing.assert_array_equal(output.detach(), np.zeros((3, 6, 2)))

    def test_weight_scales_the_correction(self, encoding: QuantileEncoding) -> None:
        generator = torch.Generator().manual_seed(0)
        network = GapNetwork(encoding, (5,), "tanh", members=1, generator=generator)
        for parameter in network.layers[-1].parameters():
            torch.nn.init.ones_(parameter)
        x = torch.randn(1, 6, 2, dtype=torch.float64)
        batch = {"input": x, "observed": torch.ones_like(x)}
        whole = network(batch)["output"]
        assert whole.all()
        network.weight = 0.25
        torch.testing.assert_close(network(batch)["output"], 0.25 * whole)

    def test_hidden_layer_sizes_are_checked(self, encoding: QuantileEncoding) -> None:
        with pytest.raises(ValueError, match="positive integer"):
            GapNetwork(encoding, (0,), "silu", members=1, generator=torch.Generator())


class TestJudgement:
    """How much of a network is kept, and what is learned of its residuals."""

    @pytest.fixture
    def problem(
        self, encoding: QuantileEncoding, rng: np.random.RandomState
    ) -> Problem[GapNetwork]:
        generator = torch.Generator().manual_seed(0)
        module = GapNetwork(encoding, 8, "silu", members=2, generator=generator)
        module.layers.blocks[-1][0].weight.data.normal_(generator=generator)
        rows = torch.from_numpy(rng.uniform(0, 4, size=(60, 2)))
        examples = GapExamples.of(torch.ones(rows.shape, dtype=torch.bool), rng)
        halves = np.split(rng.permutation(60), 2)
        folds = examples.folds(Folds(halves, halves[::-1]))
        filled = rows[examples.source] * examples.observed
        tensors = examples.tensors(rows, filled)
        # Half of what the networks say is right.
        unseen = Problem(module, Objective(LOSSES["squared_error"]), tensors, folds)
        half = torch.from_numpy(held_out_output(unseen)).float() / 2
        tensors["target"][folds.held_out_rows] = half
        return unseen

    @pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
    def test_one_pass_tells_what_a_pass_at_every_weight_tells(
        self, loss: str, problem: Problem[GapNetwork]
    ) -> None:
        problem = replace(problem, objective=Objective(LOSSES[loss]))
        fills = JudgedFills.of(problem, np.arange(3))
        weight, verdict = fills.verdict(LOSSES[loss], problem.folds)
        expected = weigh(problem, Gate(standard_errors=0))
        assert weight == problem.module.weight == 0.5
        assert verdict.uses_network
        np.testing.assert_allclose(verdict.start_error, expected.start_error)
        np.testing.assert_allclose(verdict.kept_error, expected.kept_error, atol=1e-9)

    def test_residuals_are_those_at_the_weight(
        self, problem: Problem[GapNetwork]
    ) -> None:
        gaussian = ConditionalGaussian().fit(
            torch.zeros(9, 2, dtype=torch.float64), torch.ones(9, 2, dtype=torch.bool)
        )
        fills = JudgedFills.of(problem, np.arange(3))
        spreads = [fills.residuals(w, gaussian).spread for w in (0.0, 0.5, 1.0)]
        np.testing.assert_allclose(spreads[1], 0, atol=1e-3 * spreads[0].min())
        np.testing.assert_allclose(spreads[0], spreads[2])


class TestResiduals:
    """How far true values are from what gaps are filled with."""

    def test_skewed_residuals_are_drawn_skewed(
        self, rng: np.random.RandomState
    ) -> None:
        deviations = rng.uniform(1, 2, size=(5_000, 1))
        quotients = rng.exponential(size=deviations.shape) - 1
        hidden = np.ones(deviations.shape, dtype=bool)
        fitted = ResidualQuantiles.of(quotients * deviations, deviations, hidden)
        normal = rng.normal(size=(50_000, 1))
        drawn = fitted.from_normal(normal)
        levels = [0.05, 0.5, 0.95]
        expected = np.quantile(quotients, levels)
        np.testing.assert_allclose(np.quantile(drawn, levels), expected, atol=0.1)
        np.testing.assert_allclose(fitted.spread, [1], atol=0.06)
        order = np.argsort(normal[:, 0])
        assert (np.diff(drawn[order, 0]) >= 0).all()

    def test_those_of_a_column_that_was_never_hidden_are_normal(self) -> None:
        zeros = np.zeros((10, 1))
        never = np.zeros((10, 1), dtype=bool)
        for fitted in (
            ResidualQuantiles.of(zeros, zeros, never),
            ResidualQuantiles.normal(1),
        ):
            tenth = norm.ppf([[0.1]])
            np.testing.assert_allclose(fitted.from_normal(tenth), tenth)
            np.testing.assert_allclose(fitted.spread, [1], atol=0.02)


class TestShare:
    """Of the nearest rows in what a column is filled with, beside the Gaussian."""

    def test_of_each_column(self) -> None:
        """The first column follows the one fill, the second the other."""
        generator = torch.Generator().manual_seed(0)
        gaussian_fill, nearest_fill = torch.randn(
            2, 5000, 2, generator=generator, dtype=torch.float64
        )
        truth = torch.stack([gaussian_fill[:, 0], nearest_fill[:, 1]], dim=1)
        hidden = torch.ones(truth.shape, dtype=torch.bool)
        gaussian = ConditionalGaussian().fit(truth, hidden)
        nearest = NearestMean().fit(truth[:10])
        for loss in ("squared_error", "absolute_error"):
            share = best_share(gaussian_fill, nearest_fill, truth, hidden, LOSSES[loss])
            np.testing.assert_allclose(share, [0, 1], atol=0.11)
            start = ConditionalStart(gaussian, nearest, share)
            np.testing.assert_allclose(
                start.mix(gaussian_fill, nearest_fill), truth, atol=1
            )

    def test_without_hidden_values_the_gaussian_remains(self) -> None:
        ones = torch.ones(5, 2, dtype=torch.float64)
        hidden = torch.zeros(5, 2, dtype=torch.bool)
        share = best_share(ones, 2 * ones, ones, hidden, LOSSES["squared_error"])
        np.testing.assert_array_equal(share, [0, 0])

    def test_fills_what_both_expect(self) -> None:
        """A gap is filled with the shares of both fills, and nothing else is."""
        generator = torch.Generator().manual_seed(0)
        rows = torch.randn(50, 3, generator=generator, dtype=torch.float64)
        observed = torch.rand(rows.shape, generator=generator) > 0.3
        gaussian = ConditionalGaussian().fit(rows, torch.ones_like(observed))
        nearest = NearestMean().fit(rows)
        share = torch.tensor([0.0, 0.3, 1.0], dtype=torch.float64)
        filled = ConditionalStart(gaussian, nearest, share).fill(rows, observed)
        one, other = (fill.fill(rows, observed) for fill in (gaussian, nearest))
        expected = (1 - share) * one + share * other
        np.testing.assert_allclose(filled[~observed], expected[~observed])
        np.testing.assert_array_equal(filled[observed], rows[observed])
