"""Rows that are images."""

from __future__ import annotations

import math
from collections.abc import Sequence

from skae.networks._layers import positive_integers

ImageShape = tuple[int, int, int]  # height, width, channels

CHANNELS = (1, 3, 4)  # grey, colour, and colour with transparency


def image_shape_of(
    image_shape: Sequence[int], n_features: int, table: str = "X", otherwise: str = ""
) -> ImageShape:
    """Return height, width and channels of the images that the rows of a table are.

    A ValueError says which shape a table of so many features can have, and what else
    can be done.
    """
    allowed = "(height, width) or (height, width, channels), positive integers"
    shape = positive_integers(image_shape, "image_shape", allowed)
    if len(shape) not in (2, 3):
        raise ValueError(f"image_shape must be {allowed}, got {image_shape!r}.")
    height, width, channels = shape if len(shape) == 3 else (*shape, 1)
    if height in CHANNELS and min(width, channels) > max(CHANNELS):
        raise ValueError(
            f"image_shape={image_shape!r} has the channels first; flatten "
            f"np.moveaxis(images, 1, -1) and set it to {(width, channels, height)}."
        )
    if height * width * channels == n_features:
        return height, width, channels
    remedy = "set it to that of the images that were flattened to rows"
    found, rest = divmod(n_features, height * width)
    if not rest:
        fitting = (height, width) if found == 1 else (height, width, found)
        remedy = f"for {found} channel(s), as {table} has, set it to {fitting}"
        for colours in (channels, *CHANNELS):
            factor = math.isqrt(found // colours)
            if factor > 1 and colours * factor**2 == found:
                sides = height * factor, width * factor
                larger = sides if colours == 1 else (*sides, colours)
                remedy = f"set it to {larger} or, for {found} channels, to {fitting}"
                break
    raise ValueError(
        f"image_shape={image_shape!r} means {math.prod(shape)} features, but "
        f"{table} has {n_features}; {remedy}{otherwise}."
    )
