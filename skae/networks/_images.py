"""Rows that are images."""

from __future__ import annotations

import math
from collections.abc import Sequence

from skae.networks._layers import positive_integers

ImageShape = tuple[int, int, int]  # height, width, channels


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
    if height * width * channels == n_features:
        return height, width, channels
    remedy = "set it to that of the images that were flattened to rows"
    found, rest = divmod(n_features, height * width)
    if not rest:
        fitting = (height, width) if found == 1 else (height, width, found)
        remedy = f"for {found} channel(s), as {table} has, set it to {fitting}"
        factor = math.isqrt(found // channels)
        if factor > 1 and channels * factor**2 == found:
            larger = (height * factor, width * factor, *shape[2:])
            remedy = f"set it to {larger} or, for {found} channels, to {fitting}"
    raise ValueError(
        f"image_shape={image_shape!r} means {math.prod(shape)} features, but "
        f"{table} has {n_features}; {remedy}{otherwise}."
    )
