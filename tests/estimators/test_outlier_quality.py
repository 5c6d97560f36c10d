"""ReconstructionOutlierDetector: rankings beside others, reasons, expectations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn import datasets
from sklearn.base import OutlierMixin
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from skae import ReconstructionOutlierDetector
from skae.networks import DenseNetwork

#: Data set: the class that is made rare.
RARE = {"breast_cancer": 0, "digits": 8, "wine": 1}
SEEDS = range(3)


def with_a_rare_class(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Raw columns; ten in a hundred rows are of the rare class, which y marks."""
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    rng = np.random.RandomState(seed)
    normal, rare = (
        rng.permutation(np.flatnonzero(s)) for s in (y != RARE[name], y == RARE[name])
    )
    normal = normal[:600]
    rows = np.concatenate([normal, rare[: len(normal) // 9]])
    return X[rows], (y[rows] == RARE[name]).astype(int)


def splits(name: str, clean: bool) -> Iterator[tuple]:
    """Fit on half of the rows, contaminated or clean, and judge the other half."""
    for seed in SEEDS:
        X, y = with_a_rare_class(name, seed)
        half = np.random.RandomState(seed).permutation(len(X))
        train, test = half[::2], half[1::2]
        yield X[train[y[train] == 0]] if clean else X[train], X[test], y[test]


def mean_auroc(detector: OutlierMixin, name: str, clean: bool) -> float:
    return np.mean(
        [
            roc_auc_score(y, -detector.fit(train).decision_function(test))
            for train, test, y in splits(name, clean)
        ]
    )


@pytest.mark.parametrize("clean", [False, True], ids=["contaminated", "clean"])
def test_ranks_better_than_forest_and_local_factor(clean: bool) -> None:
    """In the mean over the data sets, each as it is, without scaling."""
    ours, forest, local = (
        np.mean([mean_auroc(detector, name, clean) for name in RARE])
        for detector in (
            ReconstructionOutlierDetector(random_state=0),
            IsolationForest(random_state=0),
            LocalOutlierFactor(novelty=True),
        )
    )
    print(ours, forest, local)
    assert ours > max(forest, local) + 0.01
    assert ours > 0.78


def test_ensemble_of_thinned_autoencoders_ranks_outliers_high() -> None:
    ensemble = ReconstructionOutlierDetector(
        n_estimators=10,
        max_samples=0.5,
        network=DenseNetwork(connectivity=0.6),
        n_neighbors=None,
        random_state=0,
    )
    print(mean_auroc(ensemble, "breast_cancer", clean=True))
    assert mean_auroc(ensemble, "breast_cancer", clean=True) > 0.9


@pytest.fixture(scope="module")
def corrupted() -> tuple:
    """One cell of a row is exchanged for a value that is usual, but elsewhere."""
    rng = np.random.RandomState(0)
    t = rng.normal(size=(600, 2))
    X = t @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(600, 6))
    X = X * [1, 100, 1e-3, 5, 1, 30] + [0, 1e3, 0, -7, 2, 0]
    train, true = X[:400], X[400:]
    columns = rng.randint(6, size=len(true))
    each = np.arange(len(true))
    new = true.copy()
    # The training value that is farthest from the true one, of the middle 90 %.
    low, high = np.percentile(train, [5, 95], axis=0)[:, columns]
    cell = true[each, columns]
    new[each, columns] = np.where(cell - low > high - cell, low, high)
    detector = ReconstructionOutlierDetector(random_state=0).fit(train)
    return detector, train, true, new, columns


class TestReasons:
    def test_rows_are_outliers(self, corrupted: tuple) -> None:
        detector, _, true, new, _ = corrupted
        assert (detector.predict(new) == -1).mean() > 0.9
        assert (detector.predict(true) == 1).mean() > 0.9

    def test_largest_contribution_is_that_of_the_exchanged_feature(
        self, corrupted: tuple
    ) -> None:
        detector, _, _, new, columns = corrupted
        hits = detector.explain(new).argmax(axis=1) == columns
        print(hits.mean())
        assert hits.mean() > 0.6

    def test_reconstruction_is_nearer_to_the_truth_than_the_mean(
        self, corrupted: tuple
    ) -> None:
        detector, train, true, new, columns = corrupted
        each, units = np.arange(len(new)), train.std(axis=0)[columns]
        cell = true[each, columns]
        ours = np.abs(detector.reconstruct(new)[each, columns] - cell) / units
        mean = np.abs(train.mean(axis=0)[columns] - cell) / units
        print(ours.mean(), mean.mean())
        assert ours.mean() < 0.7 * mean.mean()
