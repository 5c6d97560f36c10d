"""The best linear filter of a small window, for images of any size."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from skae._starts._linear_map import Examples, RestoringStart, split_gaps
from skae._starts._ridge import Ridge

_RADIUS = 2
_BLUR = 0.7  # standard deviation in pixels of the weights that fill a gap


class LocalStart(RestoringStart):
    """Least-squares filter of the window around a pixel, where gaps are filled first.

    An image that is enlarged by a factor of two has four filters, one for each of the
    pixels that a degraded pixel becomes. Beyond the border, an image goes on with the
    pixels at the border.

    Parameters
    ----------
    gaps : bool
        Whether images can have gaps. They are filled with the weighted mean of the
        visible pixels in the window; the filter sees the filled image and where the
        gaps were.
    """

    radius = 2 * _RADIUS  # of the fill and of the filter
    factor: int
    blur: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, *, gaps: bool) -> None:
        super().__init__()
        self.gaps = gaps
        distance = torch.arange(-_RADIUS, _RADIUS + 1, dtype=torch.float64)
        line = torch.exp(-0.5 * (distance / _BLUR) ** 2)
        self.register_buffer("blur", line.outer(line)[None, None])

    def fit(self, training: Examples, held_out: Examples) -> LocalStart:
        """Fit to blocks of (degraded, clean) images ``(n, height, width, channels)``.

        Those held out choose the penalty.
        """
        ridge = Ridge()
        for x, y in training:
            self.factor = y.shape[1] // x.shape[1]
            channels = x.shape[3] * (1 + self.gaps)
            ridge.add(*self._windows(x, y))
        ridge.solve(self._windows(x, y) for x, y in held_out)
        side = 2 * _RADIUS + 1
        weight = torch.from_numpy(ridge.weight_.T.reshape(1, -1, channels, side, side))
        self.register_buffer("weight", weight.contiguous())
        self.register_buffer("bias", torch.from_numpy(ridge.bias_)[None])
        return self

    def forward(self, values: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        images = _padded(self._seen(values.flatten(0, 1), visible.flatten(0, 1)))
        filtered = functional.conv2d(images, self.weight[0], self.bias[0])
        if self.factor > 1:
            filtered = functional.pixel_shuffle(filtered, self.factor)
        return filtered.permute(0, 2, 3, 1).unflatten(0, values.shape[:2])

    def _seen(self, values: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """Images with channels first."""
        values = values.permute(0, 3, 1, 2)
        if not self.gaps:
            return values
        visible = visible.permute(0, 3, 1, 2)
        # Zero outside, in both sums: the weights are those of visible pixels.
        blur = self.blur.to(values).expand(values.shape[1], -1, -1, -1)
        channels = values.shape[1]
        total = functional.conv2d(values, blur, padding=_RADIUS, groups=channels)
        weight = functional.conv2d(visible, blur, padding=_RADIUS, groups=channels)
        filled = torch.where(visible > 0, values, total / weight.clamp(min=1e-6))
        return torch.cat([filled, visible], dim=1)

    def _windows(
        self, x: torch.Tensor, y: torch.Tensor
    ) -> tuple[np.ndarray, np.ndarray]:
        """All windows of images, and the clean pixels that belong to each."""
        images = _padded(self._seen(*split_gaps(x)))
        windows = functional.unfold(images, 2 * _RADIUS + 1)
        clean = functional.pixel_unshuffle(y.permute(0, 3, 1, 2), self.factor)
        return _lines(windows), _lines(clean.flatten(2))


def _lines(columns: torch.Tensor) -> np.ndarray:
    return columns.mT.flatten(0, 1).numpy()


def _padded(images: torch.Tensor) -> torch.Tensor:
    return functional.pad(images, [_RADIUS] * 4, mode="replicate")
