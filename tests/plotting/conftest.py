"""Figures are drawn without a screen, and do not outlive a test."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_digits

from skae import AutoencoderTransformer
from skae.networks import DenseNetwork


@pytest.fixture(autouse=True, scope="session")
def without_a_screen() -> Iterator[None]:
    before = plt.get_backend()
    plt.switch_backend("agg")
    yield
    plt.switch_backend(before)


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def digits() -> np.ndarray:
    return load_digits().data[:300]


@pytest.fixture(scope="session")
def reducer(digits: np.ndarray) -> AutoencoderTransformer:
    """Textbook autoencoder of digits with 20 hidden units."""
    return AutoencoderTransformer(
        2, start=None, network=DenseNetwork((20,)), max_iter=3, cv=2, random_state=0
    ).fit(digits)
