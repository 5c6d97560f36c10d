"""A start and a network that restore rows: what is trained, weighed and predicts."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn import functional

from skae._starts import split_gaps
from skae.estimators.denoiser._surroundings import enlarged
from skae.networks import Network

Shape = tuple[int, ...]


class Restorer(nn.Module):
    """What a start makes of degraded rows, plus what a network adds to it.

    The network sees the degraded row, what the start made of it and, if there can be
    gaps, where they were. Its output begins at zero, so that before the first step this
    *is* the start. Rows are seen as they are, or as images with channels last; a
    degraded image may be smaller by a whole factor.

    Parameters
    ----------
    network : Network
        Specification of the network.
    degraded, clean : tuple of int
        Shapes of a degraded and of a clean row.
    surroundings : nn.Module
        ``(values, visible) -> (level, hints)``: what pixels are seen relative to, by
        the start and by the network, and what else the network is told of it.
    gaps : bool
        Whether rows can have gaps, which are NaN.

    Attributes
    ----------
    start : nn.Module
        ``(values, visible) -> restored``; to be set, and free to be changed.
    unit : float
        Unit of the network's output: the error of the start, so that a network has
        little to learn in order to change little.
    weight : float
        How much of the network is kept, in [0, 1]; chosen by a gate.
    """

    def __init__(
        self,
        network: Network,
        degraded: Shape,
        clean: Shape,
        surroundings: nn.Module,
        *,
        gaps: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.surroundings = surroundings
        self.gaps = gaps
        # Tables have no pixels to be made larger.
        self.factor = clean[0] // degraded[0] if len(clean) > 1 else 1
        seen = degraded[-1] * (1 + gaps + surroundings.n_hints)
        seen += clean[-1] * self.factor**2
        self.start = nn.Identity()
        self.network = network.build(
            (*degraded[:-1], seen), clean, members=1, generator=generator
        )
        self.network.zero_output_()
        self.unit, self.weight = 1.0, 0.0

    def with_start(self, start: nn.Module) -> Restorer:
        """Return a copy with this start."""
        restorer = copy.deepcopy(self)
        restorer.start = start
        return restorer

    @property
    def radius(self) -> int | None:
        """How far from a degraded pixel lies what its output depends on, in pixels.

        None where a restorer knows images of one size only.
        """
        if self.start.radius is None:
            return None
        own = self.start.radius + self.network.radius
        return own + self.surroundings.radius

    def forward(
        self, batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
    ) -> dict[str, torch.Tensor]:
        values, visible = split_gaps(batch["input"])
        level, hints = self.surroundings(values, visible)
        values = (values - level) * visible
        output = self.start(values, visible)
        if self.weight > 0:
            parts = [values, self._folded(output), *hints]
            if self.gaps:
                parts.append(visible)
            correction = self.network({"input": torch.cat(parts, dim=-1)})["output"]
            output = output + self.weight * self.unit * correction
        return {"output": output + enlarged(level, self.factor)}

    def _folded(self, clean: torch.Tensor) -> torch.Tensor:
        """Enlarged images as degraded ones with more channels."""
        if self.factor == 1:
            return clean
        folded = functional.pixel_unshuffle(clean.movedim(-1, -3), self.factor)
        return folded.movedim(-3, -1)
