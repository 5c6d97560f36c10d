"""How rare an error is."""

from __future__ import annotations

import math

import numpy as np

_TAIL = 0.9  # quantile beyond which the size of an error counts, and not its rank
_ROUNDING = 1e-12  # of an error
_TINY = 1e-100  # what is divided by it stays finite


class Surprise:
    """Minus the logarithm of the share of reference errors that are at least as large.

    Between two reference errors it is interpolated. Beyond nine tenths of them it grows
    linearly with the error, as of an exponential distribution whose median is that of
    the last tenth: of two errors that nearly no row reaches, one that is ten times
    larger is rarer by more than a rank.
    """

    def fit(self, reference: np.ndarray) -> Surprise:
        """Take the errors ``(n_references,)`` of some rows as the population."""
        self.errors, counts = np.unique(reference, return_counts=True)
        at_least_as_large = counts[::-1].cumsum()[::-1]
        # Half a row less, so that the share of the largest error is not overstated.
        self.values = -np.log((at_least_as_large - 0.5) / (len(reference) - 0.5))
        self.tail = float(np.quantile(reference, _TAIL))
        excess = reference[reference > self.tail] - self.tail
        self.slope = 1.0
        if len(excess) > 0:
            half = max(float(np.median(excess)), _ROUNDING * self.tail, _TINY)
            self.slope = math.log(2) / half
        return self

    def __call__(self, errors: np.ndarray) -> np.ndarray:
        rank = np.interp(np.minimum(errors, self.tail), self.errors, self.values)
        return rank + self.slope * np.maximum(errors - self.tail, 0)
