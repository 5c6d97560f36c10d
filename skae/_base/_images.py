"""Images that have not been flattened to rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from skae.networks._images import CHANNELS


def check_flat(X: Any, name: str = "X", *, network: bool = False) -> None:
    """Raise a ValueError with the remedy if a table has more than two dimensions.

    Parameters
    ----------
    network : bool
        Whether to tell of the network that sees rows as images again.
    """
    shape = list(_shape(X)[1:])
    if len(shape) < 2:
        return
    array = f"np.asarray({name})" if isinstance(X, list | tuple) else name
    flat = f"{array}.reshape(len({name}), -1)"
    if len(shape) == 3 and shape[0] in CHANNELS and shape[2] not in CHANNELS:
        shape = [*shape[1:], shape[0]]
        flat = f"np.moveaxis({name}, 1, -1).reshape(len({name}), -1)"
    if shape[2:] == [1]:
        shape = shape[:2]
    remedy = (
        f" with network=ConvolutionalNetwork(image_shape={tuple(shape)})"
        if network and len(shape) < 4
        else ""
    )
    raise ValueError(
        f"{name} has the shape {_shape(X)}, but a sample, such as an image, must be "
        f"one row; pass {flat}{remedy}."
    )


def _shape(X: Any) -> tuple[int, ...]:
    """Return the shape of an array, or of a list of arrays; no other is an image."""
    if isinstance(X, np.ndarray | torch.Tensor):
        return tuple(X.shape) or (0,)
    if isinstance(X, list | tuple) and len(X) > 0:
        return len(X), *np.shape(X[0])
    return (0,)
