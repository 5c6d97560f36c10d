"""Rows, clean rows, the noise between them and the network: what goes together."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from scipy.sparse import issparse

from skae._base import check_flat, check_numbers, feature_names
from skae._tables import has_gaps
from skae.estimators.denoiser._examples import Shape
from skae.estimators.denoiser._range import value_range
from skae.networks import Network
from skae.noise import GaussianNoise, Noise


def clean_rows_among(y: Any, X_clean: Any, least: int) -> Any:
    """Return `X_clean`, or a table of clean rows in the place of `y`; None if neither.

    Every tutorial passes ``fit(noisy, clean)``. A `y` of one dimension, or of one
    column, is the target of a later step.

    Parameters
    ----------
    least : int
        Features that clean rows have at least.
    """
    shape: tuple[int, ...] = y.shape if issparse(y) else np.asarray(y).shape
    if len(shape) < 2 or (len(shape) == 2 and shape[1] == 1 < least):
        return X_clean
    if len(shape) > 2 or shape[1] >= least:
        if X_clean is not None:
            raise ValueError(
                "y is a table of clean rows, and so is X_clean; pass one of them."
            )
        return y
    if X_clean is None:
        raise ValueError(
            f"y has {shape[1]} columns, fewer than the {least} features of restored "
            "rows; pass clean rows as X_clean or, if y is for a later step of a "
            "pipeline, freeze a fitted denoiser with sklearn.frozen.FrozenEstimator."
        )
    return X_clean


def choose_noise(
    noise: Literal["auto"] | Noise | None, X: np.ndarray, X_clean: Any
) -> Noise | None:
    """Return the noise that degrades the rows of X; None beside `X_clean`."""
    if X_clean is not None:
        if isinstance(noise, Noise):
            raise ValueError(
                f"noise={noise} is not used beside clean rows, X_clean or a table as "
                "y, because the pairs show what X is degraded by; set noise=None."
            )
        return None
    if noise is None:
        raise ValueError(
            "noise=None leaves nothing to learn from; set a noise, or pass the clean "
            "rows as X_clean."
        )
    if noise == "auto":
        return GaussianNoise(0.1 * (value_range(X) or 1.0))
    strength = noise.get_params().get("strength", 1.0)
    if all(value == 0 for value in np.ravel(strength)):
        raise ValueError(f"noise={noise} changes nothing; raise its strength.")
    return noise


def check_clean_rows(X: np.ndarray, X_clean: Any) -> np.ndarray:
    """Return the clean rows of as many degraded ones."""
    check_flat(X_clean, "X_clean", network=True)
    clean = check_numbers(X_clean, "X_clean")
    if len(clean) != len(X):
        raise ValueError(
            f"X_clean has {len(clean)} rows, but X has {len(X)}; pass the clean row of "
            "each row of X."
        )
    return clean


def check_clean_names(X_clean: Any, names: np.ndarray | None) -> None:
    """Raise a ValueError if the columns are not those of the training."""
    passed = feature_names(X_clean)
    if names is None or passed is None or np.array_equal(passed, names):
        return
    raise ValueError(
        "X_clean has other columns than in fit, or in another order; pass those of "
        "clean_feature_names_."
    )


def check_no_gaps(X: np.ndarray, name: str) -> None:
    """Raise a ValueError with the remedy if there is a NaN."""
    if has_gaps(X):
        raise ValueError(
            f"{name} contains NaN; to learn how gaps are filled, fit complete rows, "
            "without X_clean, with noise=MaskingNoise(fill='nan'), or use "
            "DenoisingImputer, which learns from rows with gaps."
        )


def complete_rows(X: np.ndarray, purpose: str) -> np.ndarray:
    """Return the rows without gaps; a ValueError says what they would be needed for."""
    if not has_gaps(X):
        return X
    complete = ~np.isnan(X).any(axis=1)
    if not complete.any():
        raise ValueError(
            f"X has a gap in every row, so there is no complete row to {purpose}; use "
            "DenoisingImputer, or pass the clean rows as X_clean."
        )
    return X[complete]


def row_shapes(network: Network, n_in: int, n_out: int) -> tuple[Shape, Shape]:
    """Return the shapes in which a network sees degraded and clean rows.

    Where rows are images, a degraded one may be smaller by a whole factor.
    """
    if n_in == n_out:
        otherwise = ", or pass images of that shape as X_clean"
        shape = network.row_shape(n_out, otherwise=otherwise)
        return shape, shape
    clean = _clean_shape(network, n_in, n_out)
    if len(clean) == 1:
        return (n_in,), clean
    height, width, channels = clean
    factor = math.isqrt(n_out // n_in) if n_in <= n_out else 0
    sides = (height // factor, width // factor) if factor else (0, 0)
    if factor == 0 or (
        [side * factor for side in sides] != [height, width]
        or math.prod(sides) * channels != n_in
    ):
        raise ValueError(
            f"X has {n_in} features, which are no images smaller than image_shape="
            f"{_written(clean)} by a whole factor in height and width; pass images of "
            "such a size as X."
        )
    return (*sides, channels), clean


def _clean_shape(network: Network, n_in: int, n_out: int) -> Shape:
    """Return the shape of a clean row; say so if `image_shape` is that of X."""
    try:
        return network.row_shape(n_out, "X_clean")
    except ValueError:
        small = _shape_or_none(network, n_in)
        if small is None or len(small) == 1:
            raise
    height, width, channels = small
    factor = math.isqrt(n_out // n_in)
    remedy = "(height, width), from which X_clean was flattened"
    if n_in * factor**2 == n_out:
        remedy = str(_written((height * factor, width * factor, channels)))
    raise ValueError(
        f"image_shape={_written(small)} is that of the images in X, but must be that "
        f"of the clean ones; set image_shape={remedy}."
    )


def _shape_or_none(network: Network, n_features: int) -> Shape | None:
    try:
        return network.row_shape(n_features)
    except ValueError:
        return None


def _written(shape: Shape) -> Shape:
    """Return the shape of an image as users write it."""
    return shape[: 2 if shape[2] == 1 else 3]
