"""A start and a network that fill gaps: what a fitted imputer predicts with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from sklearn.impute import MissingIndicator

from skae._tables import predicting
from skae.estimators.imputer._columns import Columns
from skae.estimators.imputer._module import GapNetwork
from skae.estimators.imputer._residual_quantiles import ResidualQuantiles
from skae.estimators.imputer._start import ConditionalStart

_BLOCK = 1_024  # rows that are filled at a time


@dataclass(frozen=True)
class GapFiller:
    """What is expected in the gaps of rows, and how far off it may be.

    All methods take a table and a mask of its gaps. The gaps of columns without an
    observed value are filled with zero.

    Attributes
    ----------
    columns : Columns
    start : ConditionalStart
    indicator : MissingIndicator or None
        What tells of the gaps beside the filled table.
    module : GapNetwork or None
        Corrects the start, which fills alone without it.
    residuals : ResidualQuantiles
    """

    columns: Columns
    start: ConditionalStart
    indicator: MissingIndicator | None
    module: GapNetwork | None
    residuals: ResidualQuantiles

    @classmethod
    def untrained(
        cls,
        columns: Columns,
        start: ConditionalStart,
        indicator: MissingIndicator | None,
    ) -> GapFiller:
        """Fill by the start alone."""
        normal = ResidualQuantiles.normal(len(columns.known))
        return cls(columns, start, indicator, None, normal)

    def with_network(
        self, module: GapNetwork, residuals: ResidualQuantiles
    ) -> GapFiller:
        """Return one that corrects the start, and knows how far off it was."""
        module = module.eval().requires_grad_(False)
        return replace(self, module=module, residuals=residuals)

    def fill(self, table: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Return the table with what is expected in its gaps."""

        def values(X: np.ndarray, observed: torch.Tensor) -> np.ndarray:
            return self.columns.restore(self._expected(X, observed))

        return self._fill_in(table.copy(), values, table, missing)

    def deviation(self, table: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Return the standard deviation from what is expected; zero without a gap."""
        unit = self.residuals.spread * self.columns.scale

        def values(X: np.ndarray, observed: torch.Tensor) -> np.ndarray:
            return self.start.gaussian.deviation(observed).numpy() * unit

        return self._fill_in(np.zeros(table.shape), values, table, missing)

    def draw(
        self,
        table: np.ndarray,
        missing: np.ndarray,
        n_draws: int,
        random_state: np.random.RandomState,
    ) -> np.ndarray:
        """Return tables ``(n_draws, ...)`` with values that may be in the gaps.

        The gaps of a row depend on each other as those of the Gaussian do; each alone
        is distributed as the residuals of its column are.
        """
        gaussian = self.start.gaussian

        def values(X: np.ndarray, observed: torch.Tensor) -> np.ndarray:
            expected = self._expected(X, observed)
            deviation = gaussian.deviation(observed)
            gaps = torch.where(observed, 1.0, deviation)
            drawn = np.empty((n_draws, *X.shape))
            for draw in drawn:
                drawn_gaps = gaussian.draw_deviations(observed, random_state)
                quotients = drawn_gaps / gaps
                residuals = self.residuals.from_normal(quotients.numpy())
                drawn_rows = expected + torch.from_numpy(residuals) * deviation
                draw[:] = self.columns.restore(drawn_rows)
            return drawn

        tables = np.repeat(table[None], n_draws, axis=0)
        return self._fill_in(tables, values, table, missing)

    def _expected(self, X: np.ndarray, observed: torch.Tensor) -> torch.Tensor:
        """Standardised rows with what is expected in their gaps."""
        rows = self.columns.standardise(X, observed.numpy())
        filled = self.columns.clip(self.start.fill(rows, observed))
        if self.module is None or self.module.weight == 0:
            return filled
        batch = {"input": filled[None], "observed": observed[None].to(filled.dtype)}
        return filled + self.module(batch)["output"].mean(0)

    @predicting()
    def _fill_in(
        self,
        result: np.ndarray,
        values: Callable[[np.ndarray, torch.Tensor], np.ndarray],
        table: np.ndarray,
        missing: np.ndarray,
    ) -> np.ndarray:
        """Return the result with `values` of the rows of the table in its gaps."""
        np.copyto(result, 0, where=missing)
        known = self.columns.known
        gappy = np.flatnonzero(missing[:, known].any(axis=1))
        for block in (gappy[i : i + _BLOCK] for i in range(0, len(gappy), _BLOCK)):
            cells = block[:, None], known
            gaps = missing[cells]
            X = table[cells].astype(np.float64)
            replaced = values(X, torch.from_numpy(self.columns.trusted(X, ~gaps)))
            result[..., *cells] = np.where(gaps, replaced, result[..., *cells])
        return result
