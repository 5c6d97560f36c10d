"""How rare an error is."""

from __future__ import annotations

import numpy as np


class Surprise:
    """Minus the logarithm of the share of reference errors that are at least as large.

    Between two reference errors it is interpolated. Beyond the largest it grows
    linearly, as fast as over the last tenth of the references, so that the order of far
    outliers is not lost.
    """

    def fit(self, reference: np.ndarray) -> Surprise:
        """Take the errors ``(n_references,)`` of some rows as the population."""
        self.errors, counts = np.unique(reference, return_counts=True)
        at_least_as_large = counts[::-1].cumsum()[::-1]
        # Half a row less, so that the share of the largest error is not overstated.
        self.values = -np.log((at_least_as_large - 0.5) / (len(reference) - 0.5))
        self.slope = 1.0
        if len(self.errors) > 1:
            tenth = int(np.searchsorted(self.values, np.log(10)))
            below = min(tenth, len(self.errors) - 2)
            self.slope = (self.values[-1] - self.values[below]) / (
                self.errors[-1] - self.errors[below]
            )
        return self

    def __call__(self, errors: np.ndarray) -> np.ndarray:
        beyond = np.maximum(errors - self.errors[-1], 0)
        return np.interp(errors, self.errors, self.values) + self.slope * beyond
