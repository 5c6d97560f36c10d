"""From degraded rows to restored ones: what a fitted denoiser predicts with."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch

from skae._coordinates import Coordinates
from skae._degradation import Degradation
from skae._restorer import Restorer

_TILE = 256  # side of a tile of a large image, in pixels

_LEAST_ERROR = np.finfo(
    np.float64
).eps  # of a row that is perfect, in units of the peak


def mean_psnr(error: np.ndarray, peak: float) -> float:
    """Mean peak signal-to-noise ratio of rows, in decibel, from mean squared errors."""
    ratio = np.sqrt(error) / (peak if peak > 0 else 1.0)
    return float(-20 * np.log10(ratio.clip(min=_LEAST_ERROR)).mean())


@dataclass(frozen=True)
class Restoration:
    """A trained module between the coordinates of degraded and of clean rows.

    Attributes
    ----------
    module : Restorer
    degraded, clean : Coordinates
        For images with one mean for all pixels.
    shape : tuple of int
        In which the module sees a degraded row.
    degrade : Degradation or None
        What clean rows were degraded by in training.
    seed : int
        Of the degradation of the rows that are scored.
    """

    module: Restorer
    degraded: Coordinates
    clean: Coordinates
    shape: tuple[int, ...]
    degrade: Degradation | None
    seed: int

    def in_precision(self, dtype: np.dtype) -> Restoration:
        """Return one that computes in this precision; fitted modules are in float64."""
        if dtype == np.float64:
            return self
        return replace(self, module=copy.deepcopy(self.module).float())

    def restore(self, rows: np.ndarray) -> np.ndarray:
        """Return restored rows."""
        restored = self._apply(rows.reshape(-1, *self.shape)).reshape(len(rows), -1)
        return self._kept(rows, restored)

    def error_after_degrading(
        self, clean: np.ndarray, generator: torch.Generator
    ) -> np.ndarray:
        """Degrade clean rows and return the mean squared error of what is restored."""
        x = torch.from_numpy(self.clean.transform(clean)).unflatten(1, self.shape)
        degraded = self.degrade(x[None], generator)[0].flatten(1).numpy()
        restored = self.restore(self.degraded.inverse_transform(degraded))
        return np.square(restored - clean).mean(axis=1, keepdims=True)

    def restore_image(self, image: np.ndarray) -> np.ndarray:
        """Return a restored image of any size, worked on tile by tile.

        Each tile is seen with all that its pixels depend on, so that it leaves no
        trace.
        """
        factor = self.module.factor
        height, width, channels = image.shape
        restored = np.empty((height * factor, width * factor, channels), image.dtype)
        for top in range(0, height, _TILE):
            for left in range(0, width, _TILE):
                tile = slice(top, top + _TILE), slice(left, left + _TILE)
                enlarged = tuple(slice(s.start * factor, s.stop * factor) for s in tile)
                restored[enlarged] = self._restore_tile(image, *tile)
        return self._kept(image, restored)

    def _restore_tile(self, image: np.ndarray, *tile: slice) -> np.ndarray:
        margin, factor = self.module.radius, self.module.factor
        begins = [max(side.start - margin, 0) for side in tile]
        seen = tuple(
            slice(begin, side.stop + margin)
            for begin, side in zip(begins, tile, strict=True)
        )
        inner = tuple(
            slice((side.start - begin) * factor, (side.stop - begin) * factor)
            for begin, side in zip(begins, tile, strict=True)
        )
        return self._apply(image[seen][None])[0][inner]

    def _kept(self, degraded: np.ndarray, restored: np.ndarray) -> np.ndarray:
        """Where there can be gaps, only these are replaced."""
        if not self.module.gaps:
            return restored
        return np.where(np.isnan(degraded), restored, degraded)

    @torch.inference_mode()
    def _apply(self, rows: np.ndarray) -> np.ndarray:
        dtype = next(self.module.parameters()).dtype
        x = torch.from_numpy(self.degraded.transform(rows)).to(dtype)
        output = self.module({"input": x[None]})["output"][0]
        return self.clean.inverse_transform(output.double().numpy())
