"""Settings and data that tests of every folder use."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from sklearn import datasets
from sklearn.preprocessing import StandardScaler


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    # Test workers share the cores: more threads would only wait for each other.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def rng() -> np.random.RandomState:
    return np.random.RandomState(0)


@pytest.fixture(scope="session")
def standardised() -> Callable[[str], np.ndarray]:
    """One of scikit-learn's own data sets by name, its columns standardised."""

    def load(name: str) -> np.ndarray:
        X, _ = getattr(datasets, f"load_{name}")(return_X_y=True)
        return StandardScaler().fit_transform(X)

    return load


@pytest.fixture(scope="session")
def curve() -> np.ndarray:
    """Rows near a bent line in space, which no flat component describes."""
    rng = np.random.RandomState(0)
    t = rng.uniform(-1, 1, 300)
    X = np.stack([t, t**2, np.sin(3 * t)], axis=1)
    return X + rng.normal(scale=0.02, size=X.shape)
