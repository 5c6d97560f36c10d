"""From degraded rows to restored ones: what a fitted denoiser predicts with."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from skae._tables import Coordinates, map_blocks, predicting, row_blocks
from skae.estimators.denoiser._examples import Degradation, Pairs
from skae.estimators.denoiser._module import Restorer
from skae.estimators.denoiser._range import value_range

_TILE = 256  # side of a tile of a large image, in pixels

_ELEMENTS = 2**16  # worked on at a time: with 16 channels each, they fit into a cache
_LARGEST_SINGLE = 1e15  # standardised: its square, and what a layer sums up, is finite
_MOST = 100  # decibel of a row that is restored exactly


def mean_psnr(errors: np.ndarray) -> float:
    """Mean peak signal-to-noise ratio of rows, in decibel.

    Errors are mean squares of rows, in squares of the peak. A single row has at most
    100 dB, or it would outweigh all others. So have no rows.
    """
    if len(errors) == 0:
        return float(_MOST)
    return float(-10 * np.log10(errors.clip(min=10 ** (-_MOST / 10))).mean())


@dataclass(frozen=True)
class Restoration:
    """A trained module between the coordinates of degraded and of clean rows.

    Attributes
    ----------
    degraded, clean : Coordinates
        For images with one mean for all pixels.
    shape : tuple of int
        In which the module sees a degraded row.
    n_out : int
        Values of a clean row.
    names_out : ndarray of str or None
        Names of the clean features, if they have any.
    peak : float
        Largest less smallest clean value, without values that may be mistakes.
    degrade : Degradation or None
        What clean rows were degraded by in training.
    seed : int
        Of the degradation of the rows that are scored.
    module : Restorer
        In float64.
    fast_module : Restorer
        The same in float32, for rows of that precision.
    """

    degraded: Coordinates
    clean: Coordinates
    shape: tuple[int, ...]
    n_out: int
    names_out: np.ndarray | None
    peak: float
    degrade: Degradation | None
    seed: int
    module: Restorer
    fast_module: Restorer

    @classmethod
    def by_the_start(
        cls,
        pairs: Pairs,
        clean: np.ndarray,
        names_out: np.ndarray | None,
        restorer: Restorer,
        seed: int,
    ) -> Restoration:
        """Restore by the start alone, as long as the restorer gives no other weight.

        Parameters
        ----------
        clean : ndarray of shape (n_samples, n_out)
            The clean rows of the training.
        """
        return cls(
            *pairs.views,
            pairs.shapes[0],
            clean.shape[1],
            names_out,
            value_range(clean),
            pairs.degrade,
            seed,
            restorer,
            restorer,
        )

    @property
    def gaps(self) -> bool:
        """Whether rows can have gaps, which are NaN."""
        return self.module.gaps

    def with_network(self, module: Restorer) -> Restoration:
        """Return one that predicts with a trained module."""
        module = module.eval().requires_grad_(False)
        return replace(self, module=module, fast_module=copy.deepcopy(module).float())

    @property
    def unit(self) -> float:
        """The peak; one where all values are equal."""
        return self.peak if self.peak > 0 else 1.0

    def score_of_training(self, errors: np.ndarray) -> float:
        """Score of rows from their mean squared errors in coordinates."""
        return mean_psnr(errors * (self.clean.scale / self.unit) ** 2)

    def restore(self, rows: np.ndarray) -> np.ndarray:
        """Return restored rows, block by block."""
        return map_blocks(
            self._restore, rows, self.n_out, working=rows.dtype, elements=_ELEMENTS
        )

    def errors(self, degraded: np.ndarray, clean: np.ndarray) -> np.ndarray:
        """Mean squared error of each restored row, in squares of :attr:`unit`.

        Where there can be gaps, it is that of what was hidden; rows without any are
        left out.
        """
        width = max(degraded.shape[1], clean.shape[1])
        blocks = row_blocks(len(clean), width, _ELEMENTS)
        return self._errors((degraded[rows], clean[rows]) for rows in blocks)

    def errors_after_degrading(
        self, clean: np.ndarray, degrade: Degradation
    ) -> np.ndarray:
        """Degrade clean rows, the same way in every call, and return the errors."""
        generator = torch.Generator("cpu").manual_seed(self.seed)
        blocks = row_blocks(len(clean), clean.shape[1], _ELEMENTS)
        return self._errors(
            (self._degraded(clean[rows], degrade, generator), clean[rows])
            for rows in blocks
        )

    @predicting()
    def _errors(self, pairs: Iterator[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        return np.concatenate([self._errors_of(*block) for block in pairs])

    def _errors_of(self, degraded: np.ndarray, clean: np.ndarray) -> np.ndarray:
        lost = self._restore(degraded).astype(np.float64) - clean
        squares = np.square(lost / self.unit)
        if not self.gaps:
            return squares.mean(axis=1)
        hidden = np.isnan(degraded)
        some = hidden.any(axis=1)
        return squares[some].mean(axis=1, where=hidden[some])

    def _degraded(
        self, clean: np.ndarray, degrade: Degradation, generator: torch.Generator
    ) -> np.ndarray:
        x = torch.from_numpy(self.clean.transform(clean)).unflatten(1, self.shape)
        degraded = degrade(x[None], generator)[0].flatten(1).numpy()
        return self.degraded.inverse_transform(degraded)

    def _restore(self, rows: np.ndarray) -> np.ndarray:
        restored = self._apply(rows.reshape(-1, *self.shape)).reshape(len(rows), -1)
        return self._kept(rows, restored)

    @predicting()
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
        if not self.gaps:
            return restored
        return np.where(np.isnan(degraded), restored, degraded)

    def _apply(self, rows: np.ndarray) -> np.ndarray:
        x = torch.from_numpy(self.degraded.transform(rows))
        single = rows.dtype == np.float32 and _in_reach(x)
        module, dtype = (
            (self.fast_module, torch.float32)
            if single
            else (self.module, torch.float64)
        )
        output = module({"input": x[None].to(dtype)})["output"][0]
        return self.clean.inverse_transform(output.double().numpy())


def _in_reach(x: torch.Tensor) -> bool:
    """Tell whether float32 has room for what a network makes of standardised values."""
    return bool(x.nan_to_num(nan=0.0).abs().max() < _LARGEST_SINGLE)
