"""Copies of rows are no further evidence: a gain is proved on distinct rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from skae import AutoencoderTransformer


def repeated(rng: np.random.RandomState) -> np.ndarray:
    """Thirty rows, each thirty times."""
    return np.repeat(rng.normal(size=(30, 6)), 30, axis=0)


def drawn(rng: np.random.RandomState) -> np.ndarray:
    """Sixty rows drawn 1,200 times, as a bootstrap does."""
    return rng.normal(size=(60, 6))[rng.randint(60, size=1200)]


@pytest.mark.parametrize(
    ("copies", "seed"),
    [
        *((repeated, seed) for seed in (0, 2, 11, 12, 14)),
        *((drawn, seed) for seed in (0, 6, 11, 14)),
    ],
)
def test_where_there_is_nothing_to_learn_pca_is_kept(copies, seed: int) -> None:
    """Independent noise has no structure that a network could find beside PCA.

    A network that has learned a few rows by heart may be better on the few that are
    held out, by chance. Many copies of these must not turn chance into proof, or the
    fit would be worse than PCA on new rows.
    """
    rng = np.random.RandomState(seed)
    X, new = copies(rng), rng.normal(size=(2000, 6))
    reducer = AutoencoderTransformer(2, max_iter=6, random_state=seed).fit(X)
    assert not reducer.uses_network_
    pca = PCA(2).fit(X)
    residual = new - pca.inverse_transform(pca.transform(new))
    np.testing.assert_allclose(
        reducer.reconstruction_error(new), np.square(residual).mean(axis=1)
    )
