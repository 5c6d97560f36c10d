"""Where the random numbers of a fit come from."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.utils import check_random_state


class Draws:
    """numpy's and torch's random numbers of one fit, from one ``random_state``.

    Attributes
    ----------
    random_state : RandomState
        For what is drawn from rows.
    generator : torch.Generator
        For weights, batches and noise.
    """

    def __init__(self, random_state: int | np.random.RandomState | None) -> None:
        self.random_state: np.random.RandomState = check_random_state(random_state)
        self.generator = torch.Generator("cpu").manual_seed(self.seed())

    def seed(self) -> int:
        """Draw the seed of a further generator."""
        return int(self.random_state.randint(2**31 - 1))
