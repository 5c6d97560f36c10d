"""How rare an error is."""

from __future__ import annotations

import math

import numpy as np

# Quantiles of the errors: beyond the second, the size of an error counts and not its
# rank, at the rate between the two. A quarter of the rows may be anomalies, as many as
# are kept from the networks, and one of them would set a rate of the tail.
_MIDDLE, _TAIL = 0.5, 0.75
_ROUNDING = 1e-12  # of an error
_TINY = 1e-100  # what is divided by it stays finite


class Surprise:
    """Minus the logarithm of the share of reference errors that are at least as large.

    Between two reference errors it is interpolated. Beyond three quarters of them it
    grows linearly with the error, as fast as from the middle to there: of two errors
    that nearly no row reaches, one that is ten times larger is rarer by more than a
    rank.
    """

    def fit(self, reference: np.ndarray) -> Surprise:
        """Take the errors ``(n_references,)`` of some rows as the population."""
        self.errors, counts = np.unique(reference, return_counts=True)
        at_least_as_large = counts[::-1].cumsum()[::-1]
        # Half a row less, so that the share of the largest error is not overstated.
        self.values = -np.log((at_least_as_large - 0.5) / (len(reference) - 0.5))
        ends = np.quantile(reference, [_MIDDLE, _TAIL])
        (width,), (rise,) = np.diff(ends), np.diff(self._ranked(ends))
        self.tail = ends[1]
        if rise == 0:  # most rows are alike, and the others tell what is far from them
            beyond = reference[reference > self.tail] - self.tail
            width, rise = np.median(beyond) if len(beyond) else 1.0, math.log(2)
        self.slope = rise / max(width, _ROUNDING * self.tail, _TINY)
        return self

    def __call__(self, errors: np.ndarray) -> np.ndarray:
        beyond = np.maximum(errors - self.tail, 0)
        return self._ranked(np.minimum(errors, self.tail)) + self.slope * beyond

    def _ranked(self, errors: np.ndarray) -> np.ndarray:
        return np.interp(errors, self.errors, self.values)
