"""What every noise specification offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from sklearn.base import BaseEstimator

from skae.noise._strength import Strength

#: ``(x, generator) -> x`` with noise; leaves the batch that it is given as it is.
Corruption = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


@dataclass(frozen=True)
class Units:
    """How large what a user speaks of is, as the network sees it.

    Attributes
    ----------
    x : float or tensor of shape (n_inputs,)
        A difference of one in X.
    std : float
        The standard deviation of the features of X: of each feature where an estimator
        scales them one by one, else their root mean square.
    """

    x: float | torch.Tensor = 1.0
    std: float = 1.0


class Noise(BaseEstimator, ABC):
    """Base of noise specifications: what is done to a batch before it is seen.

    Derive a class from it for a noise of your own; its parameters are stored as they
    are, as in any :class:`~sklearn.base.BaseEstimator`, and checked in `corruption`.

    Attributes
    ----------
    strength : float or (float, float)
        A parameter of every noise; zero changes nothing.
    rotation_invariant : bool, default=False
        Whether the noise means the same in every orthonormal basis. One that looks at
        single features does not.

    See Also
    --------
    GaussianNoise : Adds to every value.
    MaskingNoise : Hides values.

    Examples
    --------
    A noise that rounds values, as a coarse sensor does:

    >>> import torch
    >>> from skae import DenoisingTransformer
    >>> from skae.noise import Noise
    >>> class Rounding:  # not a nested function, so that it can be pickled
    ...     def __init__(self, step):
    ...         self.step = step
    ...
    ...     def __call__(self, x, generator):
    ...         return (x / self.step).round() * self.step
    >>> class RoundingNoise(Noise):
    ...     def __init__(self, strength=0.25):
    ...         self.strength = strength
    ...
    ...     def corruption(self, rows, zero, units):
    ...         return Rounding(self.strength * units.x)
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data / 16
    >>> denoiser = DenoisingTransformer(
    ...     noise=RoundingNoise(0.5), max_iter=5, random_state=0
    ... ).fit(X[:500])
    >>> coarse = (2 * X[500:600]).round() / 2
    >>> restored = denoiser.transform(coarse)
    >>> bool(((restored - X[500:600])**2).mean() < ((coarse - X[500:600])**2).mean())
    True
    """

    strength: Strength
    rotation_invariant: ClassVar[bool] = False

    @property
    def leaves_gaps(self) -> bool:
        """Whether what is hidden becomes NaN, so that a network can see where it was.

        Most estimators have no use for missing values.
        """
        return False

    @abstractmethod
    def corruption(
        self, rows: torch.Tensor, zero: torch.Tensor, units: Units
    ) -> Corruption:
        """Return a function that corrupts batches.

        Parameters
        ----------
        rows : tensor of shape (n_samples, n_inputs)
            Training samples as the network sees them.
        zero : tensor of shape (n_inputs,)
            How the network sees a sample of zeros.
        units : Units
            How the network sees the units of X.

        Returns
        -------
        corrupt : callable
            ``corrupt(x, generator)`` takes a batch ``(members, batch, n_inputs)``,
            leaves it as it is and returns the corrupted one. It can be pickled.

        Raises
        ------
        ValueError
            If a parameter is out of range.
        """

    def negligible(self, units: Units) -> bool:
        """Tell whether the strength is so small that it is likely a mistake."""
        return False
