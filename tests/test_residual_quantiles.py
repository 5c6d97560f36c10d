"""The distribution of residuals."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from skae.estimators.imputer._residual_quantiles import ResidualQuantiles


def test_skewed_residuals_are_drawn_skewed(rng: np.random.RandomState) -> None:
    deviations = rng.uniform(1, 2, size=(5_000, 1))
    quotients = rng.exponential(size=deviations.shape) - 1
    hidden = np.ones(deviations.shape, dtype=bool)
    fitted = ResidualQuantiles(quotients * deviations, deviations, hidden)
    normal = rng.normal(size=(50_000, 1))
    drawn = fitted.from_normal(normal)
    levels = [0.05, 0.5, 0.95]
    expected = np.quantile(quotients, levels)
    np.testing.assert_allclose(np.quantile(drawn, levels), expected, atol=0.1)
    np.testing.assert_allclose(fitted.spread, [1], atol=0.06)
    order = np.argsort(normal[:, 0])
    assert (np.diff(drawn[order, 0]) >= 0).all()


def test_a_column_that_was_never_hidden_is_normal() -> None:
    zeros = np.zeros((10, 1))
    fitted = ResidualQuantiles(zeros, zeros, np.zeros((10, 1), dtype=bool))
    np.testing.assert_allclose(fitted.from_normal(norm.ppf([[0.1]])), norm.ppf([[0.1]]))
    np.testing.assert_allclose(fitted.spread, [1], atol=0.02)
