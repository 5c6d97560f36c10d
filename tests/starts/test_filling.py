"""What fills gaps: a Gaussian against formulas, the nearest rows by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris

from skae._starts import ConditionalGaussian, LowRankGaussian, NearestMean


@pytest.fixture(scope="module")
def rows() -> torch.Tensor:
    X = load_iris().data
    return torch.from_numpy((X - X.mean(axis=0)) / X.std(axis=0))


Gaussian = ConditionalGaussian | LowRankGaussian


@pytest.fixture(
    scope="module",
    params=[ConditionalGaussian(), LowRankGaussian(0.1), LowRankGaussian(0.6)],
    ids=["dense", "low rank", "shrunken"],
)
def fitted(rows: torch.Tensor, request: pytest.FixtureRequest) -> Gaussian:
    observed = torch.rand(rows.shape, generator=torch.Generator().manual_seed(0)) > 0.3
    return request.param.fit(rows * observed, observed)


def moments(fitted: Gaussian) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(fitted, ConditionalGaussian):
        covariance = fitted.covariance_
    else:
        covariance = fitted.loadings_ @ fitted.loadings_.T + fitted.noise_.diag()
    return fitted.mean_.numpy(), covariance.numpy()


masks = st.lists(st.booleans(), min_size=4, max_size=4)


@settings(max_examples=16, deadline=None, derandomize=True, database=None)
@given(mask=masks)
def test_conditional_moments(
    rows: torch.Tensor, fitted: Gaussian, mask: list[bool]
) -> None:
    """The textbook's formulas, one row at a time, with inverses written out."""
    observed = np.array(mask)
    row = rows[100].numpy()
    mean, covariance = moments(fitted)
    across = covariance[np.ix_(~observed, observed)]
    inverse = np.linalg.inv(covariance[np.ix_(observed, observed)])
    expected = mean[~observed] + across @ inverse @ (row - mean)[observed]
    variance = covariance[np.ix_(~observed, ~observed)] - across @ inverse @ across.T

    seen = torch.from_numpy(observed)[None]
    filled = fitted.fill(torch.from_numpy(row)[None] * seen, seen)[0].numpy()
    deviation = fitted.deviation(seen)[0].numpy()
    np.testing.assert_array_equal(filled[observed], row[observed])
    np.testing.assert_allclose(filled[~observed], expected, atol=1e-10)
    np.testing.assert_array_equal(deviation[observed], 0)
    np.testing.assert_allclose(deviation[~observed] ** 2, np.diag(variance), atol=1e-6)


def test_complete_rows_have_their_own_moments(rows: torch.Tensor) -> None:
    observed = torch.ones(rows.shape, dtype=torch.bool)
    fitted = ConditionalGaussian().fit(rows, observed)
    np.testing.assert_allclose(fitted.mean_, rows.mean(0), atol=1e-10)
    # One uncorrelated row more than there are.
    covariance = np.cov(rows.numpy().T, bias=True)
    off_diagonal = ~np.eye(4, dtype=bool)
    expected = covariance[off_diagonal] * len(rows) / (len(rows) + 1)
    np.testing.assert_allclose(fitted.covariance_[off_diagonal], expected, rtol=1e-6)


def test_no_update_lowers_the_likelihood(rows: torch.Tensor) -> None:
    """Expectation maximisation never does, but for the row that is added."""
    generator = torch.Generator().manual_seed(1)
    observed = torch.rand(rows.shape, generator=generator) > 0.3

    def likelihood(fitted: ConditionalGaussian) -> float:
        mean, covariance = fitted.mean_.numpy(), fitted.covariance_.numpy()
        return sum(
            multivariate_normal(mean[seen], covariance[np.ix_(seen, seen)]).logpdf(x)
            for x, seen in (
                (row[known], known)
                for row, known in zip(rows.numpy(), observed.numpy(), strict=True)
                if known.any()
            )
        )

    values = [
        likelihood(
            ConditionalGaussian(max_iter=n, tol=0).fit(rows * observed, observed)
        )
        for n in (1, 2, 4, 8, 15)
    ]
    assert all(later > earlier - 0.5 for earlier, later in pairwise(values))
    assert values[-1] > values[0] + 10


def test_draws_have_the_conditional_distribution(
    fitted: Gaussian, rng: np.random.RandomState
) -> None:
    observed = torch.tensor([[True, False, True, False]]).expand(20_000, -1)
    drawn = fitted.draw_deviations(observed, rng).numpy()
    _, covariance = moments(fitted)
    gaps, seen = [1, 3], [0, 2]
    across = covariance[np.ix_(gaps, seen)]
    inverse = np.linalg.inv(covariance[np.ix_(seen, seen)])
    expected = covariance[np.ix_(gaps, gaps)] - across @ inverse @ across.T
    np.testing.assert_array_equal(drawn[:, seen], 0)
    np.testing.assert_allclose(drawn[:, gaps].mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(np.cov(drawn[:, gaps].T), expected, atol=0.02)


def test_collinear_and_constant_columns() -> None:
    x = torch.linspace(-1, 1, 50, dtype=torch.float64)
    rows = torch.stack([x, x, -x, torch.zeros(50, dtype=torch.float64)], dim=1)
    observed = torch.ones(rows.shape, dtype=torch.bool)
    observed[::2, 1] = False
    fitted = ConditionalGaussian(max_iter=50, tol=0).fit(rows * observed, observed)
    filled = fitted.fill(rows * observed, observed)
    np.testing.assert_allclose(filled, rows, atol=0.05)


class TestLowRank:
    """Correlations of few rows with many columns."""

    @pytest.fixture
    def wide(self, rng: np.random.RandomState) -> torch.Tensor:
        X = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 200))
        X += rng.normal(size=X.shape)
        return torch.from_numpy((X - X.mean(axis=0)) / X.std(axis=0))

    @pytest.mark.parametrize("shrinkage", [0.1, 0.6])
    def test_correlations_are_shrunken_and_variances_kept(
        self, wide: torch.Tensor, shrinkage: float
    ) -> None:
        observed = torch.ones(wide.shape, dtype=torch.bool)
        mean, covariance = moments(LowRankGaussian(shrinkage).fit(wide, observed))
        np.testing.assert_allclose(mean, 0, atol=1e-12)
        np.testing.assert_allclose(np.diag(covariance), 1)
        off_diagonal = ~np.eye(200, dtype=bool)
        expected = (1 - shrinkage) * np.corrcoef(wide.numpy().T)
        np.testing.assert_allclose(
            covariance[off_diagonal], expected[off_diagonal], atol=1e-9
        )

    def test_factors_are_found_through_gaps(self, wide: torch.Tensor) -> None:
        generator = torch.Generator().manual_seed(0)
        observed = torch.rand(wide.shape, generator=generator) > 0.2
        filled = (
            LowRankGaussian(0.6).fit(wide, observed).fill(wide * observed, observed)
        )
        error = (filled - wide)[~observed].square().mean().sqrt()
        assert error < 0.7 * wide[~observed].square().mean().sqrt()

    def test_one_row_has_no_correlations(self, wide: torch.Tensor) -> None:
        observed = torch.ones(1, 200, dtype=torch.bool)
        observed[:, ::2] = False
        fitted = LowRankGaussian(0.3).fit(wide[:1], observed)
        filled = fitted.fill(2 * wide[:1] * observed, observed)
        np.testing.assert_array_equal(filled[~observed], 0)
        np.testing.assert_array_equal(fitted.deviation(observed)[~observed], 1)


class TestNearest:
    """The rows that are nearest to one, of three on a line."""

    QUERY = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    SEEN = torch.tensor([[True, False]])

    @pytest.fixture
    def nearest(self) -> NearestMean:
        stored = [[0.0, 0.0], [1.0, 10.0], [2.0, 20.0]]
        return NearestMean().fit(torch.tensor(stored, dtype=torch.float64))

    def test_a_copy_of_a_row_is_filled_from_it(self, nearest: NearestMean) -> None:
        filled = nearest.fill(self.QUERY, self.SEEN)
        np.testing.assert_allclose(filled, [[1.0, 10.0]])

    def test_a_row_does_not_fill_itself(self, nearest: NearestMean) -> None:
        filled = nearest.fill(self.QUERY, self.SEEN, own=torch.tensor([1]))
        np.testing.assert_allclose(filled, [[1.0, 10.0]])  # the mean of its neighbours
        stored = torch.tensor([[1.0, 99.0], [1.5, 3.0]], dtype=torch.float64)
        nearest = NearestMean().fit(stored)
        filled = nearest.fill(self.QUERY, self.SEEN, own=torch.tensor([0]))
        np.testing.assert_allclose(filled, [[1.0, 3.0]])

    def test_a_row_of_gaps_is_filled_with_the_means(self, nearest: NearestMean) -> None:
        filled = nearest.fill(self.QUERY, torch.tensor([[False, False]]))
        np.testing.assert_allclose(filled, [[1.0, 10.0]])

    def test_only_what_is_observed_counts(self, nearest: NearestMean) -> None:
        wild = torch.tensor([[1.0, 1e6]], dtype=torch.float64)
        filled = nearest.fill(wild, self.SEEN)
        np.testing.assert_allclose(filled, [[1.0, 10.0]])

    def test_float32_is_as_good(self, rows: torch.Tensor) -> None:
        """Examples are filled in it; a row that is stored is at no distance."""
        generator = torch.Generator().manual_seed(0)
        observed = torch.rand(rows.shape, generator=generator) > 0.3
        filled = NearestMean().fit(rows[:90]).fill(rows, observed)
        single = NearestMean().fit(rows[:90].float()).fill(rows.float(), observed)
        assert single.dtype == torch.float32
        np.testing.assert_allclose(single, filled, atol=1e-3)

    @pytest.mark.parametrize("size", [1e-12, 1e6, 1e12])
    def test_a_stray_row_is_filled_with_finite_numbers(
        self, nearest: NearestMean, size: float
    ) -> None:
        stray = torch.tensor([[size, 0.0]], dtype=torch.float64)
        assert nearest.fill(stray, self.SEEN).isfinite().all()
