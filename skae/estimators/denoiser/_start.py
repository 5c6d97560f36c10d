"""The classical methods that a restorer can start from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from skae._starts import Examples, IdentityStart, LinearStart, LocalStart
from skae._tables import spread
from skae.estimators.denoiser._examples import Pairs
from skae.estimators.denoiser._surroundings import relative

_MOST_INPUTS = 4_096  # of a linear map, whose cost grows with their cube
_FEW_PIXELS = 512  # a linear map was better than a filter at 64 of them, not at 784
_ROWS_PER_INPUT = 10  # differently degraded rows that a linear map is fitted to
_WINDOWS = 2**18  # enough for a few hundred weights of a filter


@dataclass(frozen=True)
class Starting:
    """What starts are fitted to.

    Attributes
    ----------
    pairs : Pairs
    training, held_out : ndarray of int
        Rows of the pairs to fit to, and to choose parameters with.
    generator : torch.Generator
        Source of the noise.
    """

    pairs: Pairs
    training: np.ndarray
    held_out: np.ndarray
    generator: torch.Generator

    def candidates(self, name: str) -> dict[str, nn.Module]:
        """Return the starts to choose from: one, or with ``"auto"`` all that apply."""
        fits: dict[str, Callable[[], nn.Module]] = {
            "identity": self._identity,
            "linear": self._linear,
            "local": self._local,
        }
        obstacles = self._obstacles()
        possible = [start for start in fits if start not in obstacles]
        if name in obstacles or not possible:
            refused = name if name in obstacles else "linear"
            remedy = (
                f"set start={possible[-1]!r}"
                if possible
                else "reduce the number of features or, for images, pass "
                "network=ConvolutionalNetwork(image_shape=...)"
            )
            raise ValueError(f"start={refused!r} {obstacles[refused]}; {remedy}.")
        names = self._worthwhile(possible) if name == "auto" else [name]
        # Sums of products differ in the last bits between numbers of threads.
        with threadpool_limits(1, user_api="blas"):
            return {name: fits[name]() for name in names}

    def _obstacles(self) -> dict[str, str]:
        """Why a start does not apply, by its name."""
        degraded, clean = self.pairs.shapes
        n_in, n_out = math.prod(degraded), math.prod(clean)
        obstacles = {}
        if degraded != clean:
            obstacles["identity"] = (
                f"keeps the number of features, but X has {n_in} and X_clean {n_out}"
            )
        if max(n_in * (1 + self.pairs.gaps), n_out) > _MOST_INPUTS:
            obstacles["linear"] = (
                f"is for rows of up to {_MOST_INPUTS} values, gaps counted twice"
            )
        if len(clean) == 1:
            obstacles["local"] = (
                "is for images (network=ConvolutionalNetwork(image_shape=...))"
            )
        return obstacles

    def _worthwhile(self, possible: list[str]) -> list[str]:
        """Leave out what cannot be chosen, or is not worth a training."""
        if len(self.held_out) == 0:
            return possible[:1]
        if "local" in possible and self.pairs.clean[0].numel() > _FEW_PIXELS:
            return [name for name in possible if name != "linear"]
        return possible

    def _relative(self, examples: Examples) -> Examples:
        return (relative(self.pairs.surroundings, x, y) for x, y in examples)

    def _identity(self) -> IdentityStart:
        degraded, clean = self.pairs.views
        shift = (degraded.mean - clean.mean) / clean.scale
        gain = degraded.scale / clean.scale
        return IdentityStart(gain, torch.from_numpy(shift)[None])

    def _linear(self) -> LinearStart:
        n_inputs = self.pairs.degraded[0].numel() * (1 + self.pairs.gaps)
        wanted = math.ceil(_ROWS_PER_INPUT * n_inputs / len(self.training))
        return LinearStart(
            self._relative(
                self.pairs.blocks(self.training, min(wanted, 20), self.generator)
            ),
            self._relative(self.pairs.as_given(self.held_out)),
            gaps=self.pairs.gaps,
        )

    def _local(self) -> LocalStart:
        pixels = math.prod(self.pairs.degraded.shape[1:3])
        enough = math.ceil(_WINDOWS / pixels)
        training = spread(self.training, enough)
        passes = min(max(enough // len(training), 1), 10)
        return LocalStart(
            self._relative(self.pairs.blocks(training, passes, self.generator)),
            self._relative(self.pairs.as_given(spread(self.held_out, enough))),
            gaps=self.pairs.gaps,
        )
