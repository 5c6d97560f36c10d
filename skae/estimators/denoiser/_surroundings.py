"""What a pixel is seen relative to."""

from __future__ import annotations

import torch
from torch import nn

from skae._starts import split_gaps

_RADII = 2, 8
_RADIUS = _RADII[-1]
_LEVELS = 0.5  # share of the variance that lies between images, from which on they vary
_KEPT = 0.01  # share of the variance between images that a degradation may add to it


class Surroundings(nn.Module):
    """Base of what pixels are seen relative to.

    Attributes
    ----------
    radius : int
        How far from a pixel lies what it is seen relative to, in pixels.
    n_hints : int
        Channels for every channel that tell more of the surroundings.
    """

    radius: int = 0
    n_hints: int = 0

    def forward(
        self, values: torch.Tensor, visible: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the level that pixels are seen relative to, and hints."""
        raise NotImplementedError


class NoSurroundings(Surroundings):
    """Rows and images are seen as they are."""

    def forward(
        self, values: torch.Tensor, visible: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        return torch.zeros_like(values[..., :1]), []


class MeanSurroundings(Surroundings):
    """Images are seen relative to the mean of the 17 x 17 pixels around each pixel.

    What brightens a whole image brightens what is made of it by as much: a network can
    not learn what the brightness of its training images happened to go with.

    Without gaps it is told as well which share of the variance around a pixel, seen so,
    is not noise, in 5 x 5 and in 17 x 17 pixels: what adaptive filters [1]_ go by.

    Parameters
    ----------
    noise_variance : float or None
        Mean square of what degrades a pixel; None where there are gaps, or where images
        are enlarged.

    References
    ----------
    .. [1] J.-S. Lee, "Digital image enhancement and noise filtering by use of local
       statistics", IEEE Transactions on Pattern Analysis and Machine Intelligence 2,
       1980.
    """

    radius = _RADIUS

    def __init__(self, noise_variance: float | None) -> None:
        super().__init__()
        self.noise_variance = noise_variance
        self.n_hints = 0 if noise_variance is None else len(_RADII)

    def forward(
        self, values: torch.Tensor, visible: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        if self.noise_variance is None:
            seen = _means(visible, _RADIUS).clamp(min=1e-6)
            return _means(values, _RADIUS) / seen, []
        level = _means(values, _RADIUS)
        # Squares of what is far from zero would leave rounding alone.
        centred = values - level
        moments = torch.cat([centred, centred.square()], dim=-1)
        around = (_means(moments, radius).chunk(2, dim=-1) for radius in _RADII)
        noise = max(self.noise_variance, torch.finfo(values.dtype).tiny)
        return level, [_gain(square - mean.square(), noise) for mean, square in around]


def _gain(variance: torch.Tensor, noise: float) -> torch.Tensor:
    """Share of a variance that is not noise."""
    return (variance - noise).clamp(min=0) / variance.clamp(min=noise)


def surroundings_of(degraded: torch.Tensor, clean: torch.Tensor) -> Surroundings:
    """Choose what pixels are seen relative to, from rows in the same units.

    Surroundings are for images like patches of photographs, which differ in brightness
    more than their pixels do, and for what leaves their brightness as it is. Strokes on
    paper are another matter: there black and white mean something.

    Parameters
    ----------
    degraded, clean : tensor of shape (n_samples, *shape)
    """
    if clean.ndim < 4:
        return NoSurroundings()
    level, brightness = degraded.nanmean((1, 2)), clean.mean((1, 2))
    total = clean.var((0, 1, 2), correction=0).mean()
    between = brightness.var(0, correction=0).mean()
    added = (level - brightness).square().mean()
    if not (between > _LEVELS * total and added < _KEPT * between):
        return NoSurroundings()
    if degraded.shape != clean.shape or degraded.isnan().any():
        return MeanSurroundings(None)
    return MeanSurroundings(float((degraded - clean).square().mean()))


def enlarged(images: torch.Tensor, factor: int) -> torch.Tensor:
    """Make every pixel of images with channels last a square of pixels."""
    if factor == 1:
        return images
    wide = images.repeat_interleave(factor, dim=-2)
    return wide.repeat_interleave(factor, dim=-3)


def relative(
    surroundings: Surroundings, degraded: torch.Tensor, clean: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pairs of images relative to the surroundings of the degraded pixels."""
    level, _ = surroundings(*split_gaps(degraded[None]))
    factor = clean.shape[1] // degraded.shape[1] if clean.ndim > 2 else 1
    return degraded - level[0], clean - enlarged(level, factor)[0]


def _means(images: torch.Tensor, radius: int) -> torch.Tensor:
    """Means over the squares around pixels, as far as they lie within the image.

    As two products with matrices of lines: the pooling of torch took longer than all
    convolutions of a network.
    """
    down, across = (
        _lines(side, radius).to(images) for side in (images.shape[-3], images.shape[-2])
    )
    planes = images.movedim(-1, -3)
    return (down @ planes @ across.mT).movedim(-3, -1)


def _lines(side: int, radius: int) -> torch.Tensor:
    """Matrix that averages along a side."""
    pixels = torch.arange(side)
    near = ((pixels[:, None] - pixels).abs() <= radius).double()
    return near / near.sum(dim=1, keepdim=True)
