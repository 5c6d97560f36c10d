"""How much of a residual to keep."""

from __future__ import annotations

import numpy as np


class Gate:
    """Keep the network only where held-out rows prove that it is better.

    Attributes
    ----------
    weight_ : float
        One if the mean gain over the start exceeds its standard error, else zero.
    """

    def fit(self, held_out_error: np.ndarray, start_error: np.ndarray) -> Gate:
        """Decide from the errors of the same rows with and without the network."""
        gain = start_error - held_out_error
        standard_error = gain.std() / np.sqrt(len(gain))
        self.weight_ = float(gain.mean() > standard_error)
        return self
