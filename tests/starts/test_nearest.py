"""Filling from the nearest rows, alone and mixed with the Gaussian."""

from __future__ import annotations

import numpy as np
import torch

from skae._starts import ConditionalGaussian, NearestMean
from skae.estimators.imputer._start import ConditionalStart
from skae.losses import LOSSES

STORED = torch.tensor([[0.0, 0.0], [1.0, 10.0], [2.0, 20.0]], dtype=torch.float64)
QUERY = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
SEEN = torch.tensor([[True, False]])


def test_a_copy_of_a_row_is_filled_from_it() -> None:
    filled = NearestMean().fit(STORED).fill(QUERY, SEEN)
    np.testing.assert_allclose(filled, [[1.0, 10.0]])


def test_a_row_does_not_fill_itself() -> None:
    filled = NearestMean().fit(STORED).fill(QUERY, SEEN, own=torch.tensor([1]))
    np.testing.assert_allclose(filled, [[1.0, 10.0]])  # the mean of its neighbours
    stored = torch.tensor([[1.0, 99.0], [1.5, 3.0]], dtype=torch.float64)
    filled = NearestMean().fit(stored).fill(QUERY, SEEN, own=torch.tensor([0]))
    np.testing.assert_allclose(filled, [[1.0, 3.0]])


def test_a_row_of_gaps_is_filled_with_the_means() -> None:
    filled = NearestMean().fit(STORED).fill(QUERY, torch.tensor([[False, False]]))
    np.testing.assert_allclose(filled, [[1.0, 10.0]])


def test_only_what_is_observed_counts() -> None:
    wild = torch.tensor([[1.0, 1e6]], dtype=torch.float64)
    filled = NearestMean().fit(STORED).fill(wild, SEEN)
    np.testing.assert_allclose(filled, [[1.0, 10.0]])


def test_a_stray_row_is_filled_with_finite_numbers() -> None:
    for size in (1e-12, 1e6, 1e12):
        stray = torch.tensor([[size, 0.0]], dtype=torch.float64)
        assert NearestMean().fit(STORED).fill(stray, SEEN).isfinite().all()


def test_share_of_each_column() -> None:
    """The first column follows the one fill, the second the other."""
    generator = torch.Generator().manual_seed(0)
    gaussian_fill, nearest_fill = torch.randn(
        2, 5000, 2, generator=generator, dtype=torch.float64
    )
    truth = torch.stack([gaussian_fill[:, 0], nearest_fill[:, 1]], dim=1)
    hidden = torch.ones(truth.shape, dtype=torch.bool)
    start = ConditionalStart(
        ConditionalGaussian().fit(truth, hidden), NearestMean().fit(truth[:10])
    )
    for loss in ("squared_error", "absolute_error"):
        start.fit_share(
            gaussian_fill, nearest_fill, truth, hidden, LOSSES[loss].pointwise
        )
        np.testing.assert_allclose(start.share, [0, 1], atol=0.11)
        np.testing.assert_allclose(
            start.mix(gaussian_fill, nearest_fill), truth, atol=1
        )


def test_without_hidden_values_the_gaussian_remains() -> None:
    ones = torch.ones(5, 2, dtype=torch.float64)
    seen = torch.ones(5, 2, dtype=torch.bool)
    start = ConditionalStart(
        ConditionalGaussian().fit(ones, seen), NearestMean().fit(ones)
    )
    pointwise = LOSSES["squared_error"].pointwise
    start.fit_share(ones, 2 * ones, ones, torch.zeros_like(seen), pointwise)
    np.testing.assert_array_equal(start.share, [0, 0])
