"""A start and a network that restore rows: what is trained, weighed and predicts."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from skae._starts import RestoringStart, split_gaps
from skae._training import Gated, Tensors
from skae.estimators.denoiser._examples import Pairs
from skae.estimators.denoiser._surroundings import Surroundings, enlarged
from skae.networks import Network, NetworkModule
from skae.networks._pullback import Differentiable, Gradients


class Restorer(Gated, Differentiable):
    """What a start makes of degraded rows, plus what a network adds to it.

    The network sees the degraded row, what the start made of it and, if there can be
    gaps, where they were. Rows are seen as they are, or as images with channels last; a
    degraded image may be smaller by a whole factor.

    Parameters
    ----------
    network : NetworkModule
        Adds to the start.
    surroundings : Surroundings
        ``(values, visible) -> (level, hints)``: what pixels are seen relative to, by
        the start and by the network, and what else the network is told of it.
    factor : int
        By which height and width of images are enlarged.
    gaps : bool
        Whether rows can have gaps, which are NaN.

    Attributes
    ----------
    start : RestoringStart
        ``(values, visible) -> restored``; to be set, and free to be changed.
    unit : float
        Unit of the network's output: the error of the start, so that a network has
        little to learn in order to change little.
    """

    start: RestoringStart
    network: Any

    def __init__(
        self,
        network: NetworkModule,
        surroundings: Surroundings,
        factor: int,
        *,
        gaps: bool,
    ) -> None:
        super().__init__()
        self.surroundings = surroundings
        self.gaps = gaps
        self.factor = factor
        self.start = RestoringStart()
        self.network = network
        self.network.zero_output_()
        self.unit = 1.0

    @classmethod
    def build(
        cls, network: Network, pairs: Pairs, generator: torch.Generator
    ) -> Restorer:
        """Build the network that pairs need, without a start."""
        degraded, clean = pairs.shapes
        # Tables have no pixels to be made larger.
        factor = clean[0] // degraded[0] if len(clean) > 1 else 1
        seen = degraded[-1] * (1 + pairs.gaps + pairs.surroundings.n_hints)
        seen += clean[-1] * factor**2
        built = network.build_map(
            (*degraded[:-1], seen), clean, members=1, generator=generator
        ).double()
        return cls(built, pairs.surroundings, factor, gaps=pairs.gaps)

    def with_start(self, start: RestoringStart) -> Restorer:
        """Return a copy with this start, of which the network is no part yet."""
        restorer = copy.deepcopy(self)
        restorer.start, restorer.weight = start, 0.0
        return restorer

    @property
    def radius(self) -> int | None:
        """How far from a degraded pixel lies what its output depends on, in pixels.

        None where a restorer knows images of one size only.
        """
        parts = self.start.radius, self.network.radius, self.surroundings.radius
        known = [radius for radius in parts if radius is not None]
        return sum(known) if len(known) == len(parts) else None

    def forward(
        self, batch: Tensors, generator: torch.Generator | None = None
    ) -> Tensors:
        restored, level, seen = self._seen(batch["input"])
        return {"output": self.gated(restored, seen) + level}

    def record(self, batch: Tensors) -> tuple[torch.Tensor, Any]:
        restored, level, seen = self._seen(batch["input"])
        added, kept = self.network.record(torch.cat(seen, dim=-1))
        output = torch.add(restored, added, alpha=self.weight * self.unit)
        return output + level, kept

    def collect(self, gradient: torch.Tensor, kept: Any, gradients: Gradients) -> None:
        self.network.collect(gradient * (self.weight * self.unit), kept, gradients)

    def trained_parts(self) -> list[nn.Module]:
        return [self.network]

    def start_output(
        self, restored: torch.Tensor, seen: list[torch.Tensor]
    ) -> torch.Tensor:
        return restored

    def correction(
        self, restored: torch.Tensor, seen: list[torch.Tensor]
    ) -> torch.Tensor:
        return self.weight * self.unit * self.network(torch.cat(seen, dim=-1))

    def _seen(
        self, degraded: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """Return what the start restores, relative to what, and what a network sees."""
        values, visible = split_gaps(degraded)
        level, hints = self.surroundings(values, visible)
        values = (values - level) * visible
        restored = self.start(values, visible)
        seen = [values, self._folded(restored), *hints]
        if self.gaps:
            seen.append(visible)
        return restored, enlarged(level, self.factor), seen

    def _folded(self, clean: torch.Tensor) -> torch.Tensor:
        """Enlarged images as degraded ones with more channels."""
        if self.factor == 1:
            return clean
        folded = functional.pixel_unshuffle(clean.movedim(-1, -3), self.factor)
        return folded.movedim(-3, -1)
