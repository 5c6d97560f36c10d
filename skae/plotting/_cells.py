"""Small pictures side by side, inside one set of axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GAP = 0.1  # between two cells, as a share of a cell
_INCHES = 0.9  # height of a cell in a figure of its own
_NAME_INCHES = 1.1  # width of the names of the rows


def cells(
    ax: Axes | None,
    n_rows: int,
    n_columns: int,
    *,
    aspect: float,
    names: Sequence[str] = (),
) -> np.ndarray:
    """Divide axes, by default those of a new figure, into smaller ones without ticks.

    Parameters
    ----------
    aspect : float
        Height of a cell divided by its width.
    names : sequence of str
        Names of the rows; without any, they have none.

    Returns
    -------
    axes : ndarray of shape (n_rows, n_columns)
        The top row first.
    """
    import matplotlib.pyplot as plt

    if ax is None:
        width = n_columns * _INCHES / aspect + (_NAME_INCHES if names else 0)
        _, ax = plt.subplots(figsize=(width, n_rows * _INCHES), layout="constrained")
    ax.set_axis_off()
    ax.set_box_aspect(aspect * n_rows / n_columns)
    ax.set_anchor("E" if names else "C")  # names take the space on the left
    size = (1 - _GAP) / n_columns, (1 - _GAP) / n_rows
    small = np.empty((n_rows, n_columns), dtype=object)
    for row, column in np.ndindex(small.shape):
        corner = column / n_columns, 1 - (row + 1) / n_rows
        small[row, column] = ax.inset_axes((*corner, *size), xticks=[], yticks=[])
    for first, name in zip(small[:, 0], names, strict=False):
        first.set_ylabel(name, rotation="horizontal", ha="right", va="center")
    return small


def as_images(rows: np.ndarray, image_shape: Sequence[int]) -> np.ndarray:
    """Give rows of features the shape of images, as ``imshow`` takes them.

    Raises
    ------
    ValueError
        If `image_shape` is not that of a grey or coloured image of so many features.
    """
    shape = tuple(image_shape)
    if len(shape) not in (2, 3) or shape[2:] not in ((), (1,), (3,)):
        raise ValueError(
            "image_shape must be (height, width) or (height, width, channels) with 1 "
            f"or 3 channels, got {image_shape!r}."
        )
    if math.prod(shape) != rows.shape[-1]:
        raise ValueError(
            f"image_shape={image_shape!r} makes {math.prod(shape)} features, but there "
            f"are {rows.shape[-1]}; pass the shape that the images had before they "
            "became rows."
        )
    return rows.reshape(*rows.shape[:-1], *(shape[:2] if shape[2:] == (1,) else shape))
