"""Pairs of degraded and clean rows, to learn from and to be judged on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from skae._base import check_magnitude, warn_of_negligible
from skae._tables import Coordinates, magnitude, row_blocks, spread
from skae._training import Folds, Tensors
from skae.estimators.denoiser._range import without_mistakes
from skae.estimators.denoiser._surroundings import (
    NoSurroundings,
    Surroundings,
    surroundings_of,
)
from skae.noise import Noise, Units

Shape = tuple[int, ...]

_SAMPLE = 1_000  # rows that tell how large a noise is


class Degradation:
    """A noise in the units of X, for rows in coordinates and for images.

    Parameters
    ----------
    noise : Noise
    clean : tensor of shape (n_samples, *shape)
        Clean rows in coordinates.
    view : Coordinates
    std : float
        Root of the mean variance of the features of X.
    """

    def __init__(
        self, noise: Noise, clean: torch.Tensor, view: Coordinates, std: float
    ) -> None:
        self._unit = view.scale
        rows = clean.flatten(1) * self._unit
        zero = -torch.from_numpy(view.mean).expand(rows.shape[1])
        self._corrupt = noise.corruption(rows, zero, Units(std=std))

    def __call__(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        degraded = self._corrupt(x.flatten(2) * self._unit, generator) / self._unit
        return degraded.view_as(x)


@dataclass(frozen=True)
class Pairs:
    """Degraded and clean rows of one table.

    Attributes
    ----------
    degraded, clean : tensor of shape (n_samples, *shape)
        In coordinates.
    views : (Coordinates, Coordinates)
        The coordinates of degraded and of clean rows.
    surroundings : Surroundings
        What pixels are seen relative to.
    degrade : Degradation or None
        Degrades clean rows anew; None where the degraded rows are given.
    gaps : bool
        Whether degraded rows can have gaps, which are NaN.
    """

    degraded: torch.Tensor
    clean: torch.Tensor
    views: tuple[Coordinates, Coordinates]
    surroundings: Surroundings
    degrade: Degradation | None = None
    gaps: bool = False

    @classmethod
    def of(
        cls,
        X: np.ndarray,
        clean: np.ndarray,
        noise: Noise | None,
        shapes: tuple[Shape, Shape],
        folds: Folds,
        generator: torch.Generator,
    ) -> Pairs:
        """Pair the rows of two tables or, with a noise, clean rows with degraded ones.

        Parameters
        ----------
        shapes : (tuple of int, tuple of int)
            In which a network sees a degraded and a clean row.
        """
        clean = without_mistakes(clean)
        if noise is None:
            return given_pairs(without_mistakes(X), clean, shapes)
        return noisy_pairs(clean, shapes[1], noise, folds.held_out_rows, generator)

    @property
    def shapes(self) -> tuple[Shape, Shape]:
        """Shapes of a degraded and of a clean row."""
        return tuple(self.degraded.shape[1:]), tuple(self.clean.shape[1:])

    @property
    def tensors(self) -> Tensors:
        """What a network trains on."""
        return {"input": self.degraded, "target": self.clean}

    def prepare(self, batch: Tensors, generator: torch.Generator | None) -> Tensors:
        """Degrade the clean rows of a batch anew; those that are judged are given.

        Where there can be gaps, what is hidden counts alone.
        """
        if generator is not None and self.degrade is not None:
            batch = batch | {"input": self.degrade(batch["target"], generator)}
        if self.gaps:
            batch = batch | {"weight": batch["input"].isnan()}
        return batch

    def blocks(
        self, rows: np.ndarray, passes: int, generator: torch.Generator
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Blocks of rows, degraded anew in each of so many passes.

        Where degraded rows are given, one pass holds all there is.
        """
        for _ in range(passes if self.degrade else 1):
            for block in self._blocks(rows):
                clean = self.clean[block]
                if self.degrade is None:
                    yield self.degraded[block], clean
                else:
                    yield self.degrade(clean[None], generator)[0], clean

    def as_given(self, rows: np.ndarray) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Blocks of rows as they were degraded once."""
        for block in self._blocks(rows):
            yield self.degraded[block], self.clean[block]

    def _blocks(self, rows: np.ndarray) -> Iterator[torch.Tensor]:
        width = max(self.degraded[0].numel(), self.clean[0].numel())
        for part in row_blocks(len(rows), width):
            yield torch.from_numpy(rows[part])


def given_pairs(X: np.ndarray, clean: np.ndarray, shapes: tuple[Shape, Shape]) -> Pairs:
    """Return the pairs of the rows of two tables."""
    view = _coordinates(clean, shapes[1], "X_clean")
    surroundings: Surroundings = NoSurroundings()
    if len(shapes[1]) == 3:
        samples = (
            torch.from_numpy(view.transform(spread(table, _SAMPLE))).unflatten(1, shape)
            for table, shape in zip((X, clean), shapes, strict=True)
        )
        surroundings = surroundings_of(*samples)
    # The brightness of one is that of the other, in the same units.
    carried_over = surroundings.radius > 0
    views = view if carried_over else _coordinates(X, shapes[0], "X"), view
    degraded, target = (
        view.training_tensor(table).unflatten(1, shape)
        for view, table, shape in zip(views, (X, clean), shapes, strict=True)
    )
    return Pairs(degraded, target, views, surroundings)


def noisy_pairs(
    clean: np.ndarray,
    shape: Shape,
    noise: Noise,
    held_out: np.ndarray,
    generator: torch.Generator,
) -> Pairs:
    """Return pairs of clean rows, of which those that are held out are degraded once.

    Those that are trained on are degraded in every batch anew.
    """
    view = _coordinates(clean, shape, "X")
    sample = torch.from_numpy(view.transform(spread(clean, _SAMPLE)))
    std = view.scale
    warn_of_negligible(noise, Units(std=std))
    degrade = Degradation(noise, sample, view, std)
    noisy = degrade(sample[None], generator)[0]
    surroundings = surroundings_of(
        noisy.unflatten(1, shape), sample.unflatten(1, shape)
    )
    # The unit is larger where the noise is larger than what it hides.
    deviation = float(noisy.nan_to_num().square().mean().sqrt())
    wider = max(1.0, deviation)

    view = Coordinates(view.mean, view.scale * wider)
    target = view.training_tensor(clean).unflatten(1, shape)
    degrade = Degradation(noise, target, view, std)
    judged = torch.from_numpy(held_out)
    degraded = target.clone()
    degraded[judged] = degrade(target[judged][None], generator)[0]
    return Pairs(
        degraded, target, (view, view), surroundings, degrade, noise.leaves_gaps
    )


def _coordinates(X: np.ndarray, shape: Shape, name: str) -> Coordinates:
    """Centred and divided by one number; images of any size have one mean as well."""
    # Noise is added in the units of X, in the precision of training.
    check_magnitude(X, name, dtype=np.dtype(np.float32))
    # Block by block: numpy would first copy all of X as float64.
    blocks = [X[rows] for rows in row_blocks(*X.shape)]
    mean = sum(block.sum(axis=0, dtype=np.float64) for block in blocks) / len(X)
    if len(shape) == 3:
        mean = mean.mean(keepdims=True)
    unit = magnitude(X)
    variance = sum(np.square((b - mean) / unit).sum() for b in blocks) / X.size
    return Coordinates(mean, unit * float(np.sqrt(variance)))
