"""Denoisers of digits, fitted once for all tests."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits

from skae import DenoisingTransformer
from skae.networks import ConvolutionalNetwork
from skae.noise import MaskingNoise

X = load_digits().data[:120] / 16
QUICK = {"max_iter": 2, "random_state": 0}
IMAGES = ConvolutionalNetwork((8, 8), channels=(4, 4))
GAPS = MaskingNoise(0.3, fill="nan")
CASES = {
    "dense": DenoisingTransformer(**QUICK),
    "images": DenoisingTransformer(network=IMAGES, **QUICK),
    "identity": DenoisingTransformer(network=IMAGES, start="identity", **QUICK),
    "local": DenoisingTransformer(network=IMAGES, start="local", **QUICK),
    "dense gaps": DenoisingTransformer(noise=GAPS, **QUICK),
    "image gaps": DenoisingTransformer(
        noise=GAPS, network=IMAGES, start="local", max_iter=4, random_state=0
    ),
}
#: Fitted to other rows than the digits alone.
COLOUR = DenoisingTransformer(
    network=ConvolutionalNetwork((4, 8, 2), channels=(4, 4)), start="local", **QUICK
)


def halved(images: np.ndarray) -> np.ndarray:
    """Rows of 8 x 8 pixels as rows of 4 x 4."""
    return images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)


def with_gaps(rows: np.ndarray, share: float = 0.3) -> np.ndarray:
    hidden = np.random.RandomState(5).uniform(size=rows.shape) < share
    return np.where(hidden, np.nan, rows)


@cache
def fitted(case: str) -> DenoisingTransformer:
    """To be left as it is."""
    if case == "enlarged":
        return clone(CASES["local"]).fit(halved(X), X_clean=X)
    return clone(COLOUR if case == "colour" else CASES[case]).fit(X)
