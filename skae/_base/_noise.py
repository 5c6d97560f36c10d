"""A noise as a part of a training."""

from __future__ import annotations

import torch

from skae._base._warning import warn
from skae._training import Tensors
from skae.noise import Corruption, Noise, Units


def corruption_of(
    noise: Noise, rows: torch.Tensor, zero: torch.Tensor, units: Units
) -> Corruption:
    """Return what corrupts batches, of a noise that somebody will notice.

    Parameters are those of :meth:`skae.noise.Noise.corruption`.
    """
    corruption = noise.corruption(rows, zero, units)
    warn_of_negligible(noise, units)
    return corruption


def warn_of_negligible(noise: Noise, units: Units) -> None:
    """Warn of a noise that nobody will notice."""
    if noise.negligible(units):
        warn(
            f"noise={noise} is less than 1 % of the standard deviation of the features "
            "of X; raise its strength, which is in the unit of X unless unit='std'."
        )


def without_gaps(noise: Noise) -> Noise:
    """Return `noise`, or say that the estimator takes none that leaves gaps."""
    if noise.leaves_gaps:
        raise ValueError(
            f"noise={noise} leaves gaps, which only DenoisingTransformer can fill; set "
            "its fill to 'zero' or 'mean'."
        )
    return noise


class NoisyInput:
    """Prepares batches of a training: corrupts their inputs.

    Samples that are judged are left as they are.
    """

    def __init__(self, corruption: Corruption) -> None:
        self._corrupt = corruption

    def __call__(self, batch: Tensors, generator: torch.Generator | None) -> Tensors:
        if generator is None:
            return batch
        return batch | {"input": self._corrupt(batch["input"], generator)}
