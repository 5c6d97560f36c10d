"""What a denoiser learns from: rows, clean rows, and the noise between them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from sklearn.utils import check_array

from skae.noise import GaussianNoise, Noise


def choose_noise(noise: Literal["auto"] | Noise | None, X_clean) -> Noise | None:
    """Return the noise that degrades clean rows; None beside `X_clean`."""
    if X_clean is not None:
        if isinstance(noise, Noise):
            raise ValueError(
                f"noise={noise} is not used beside X_clean, whose pairs show what X is "
                "degraded by; set noise=None."
            )
        return None
    if noise is None:
        raise ValueError(
            "noise=None leaves nothing to learn from; set a noise, or pass the clean "
            "rows as X_clean."
        )
    noise = GaussianNoise(0.1) if noise == "auto" else noise
    if not np.any(noise.get_params().get("strength", True)):
        raise ValueError(f"noise={noise} changes nothing; raise its strength.")
    return noise


def check_clean_rows(X: np.ndarray, X_clean) -> np.ndarray:
    """Return the clean rows of as many degraded ones."""
    clean = check_array(
        X_clean, dtype=[np.float64, np.float32], order="C", input_name="X_clean"
    )
    if len(clean) != len(X):
        raise ValueError(
            f"X_clean has {len(clean)} rows, but X has {len(X)}; pass the clean row of "
            "each row of X."
        )
    return clean


def check_no_gaps(X: np.ndarray, name: str) -> None:
    """Raise a ValueError with the remedy if there is a NaN."""
    if np.isnan(X).any():
        raise ValueError(
            f"{name} contains NaN; set noise=MaskingNoise(fill='nan') to learn from "
            "complete rows how to fill gaps, or use DenoisingImputer to learn from "
            "rows with gaps."
        )


def complete_rows(X: np.ndarray) -> np.ndarray:
    """Return the rows without gaps."""
    complete = ~np.isnan(X).any(axis=1)
    if complete.all():
        return X
    if not complete.any():
        raise ValueError(
            "X has a gap in every row, so there is no complete row to learn from; use "
            "DenoisingImputer."
        )
    return X[complete]
