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
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import ReconstructionOutlierDetector
from skae.networks import DenseNetwork

#: Data set: the class that is made rare.
RARE = {"breast_cancer": 0, "digits": 8, "wine": 1}
SEEDS = range(3)


def with_a_rare_class(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Raw columns; every tenth row is of the rare class, which y marks."""
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
    """In the mean over the data sets; distances alone need scaled columns."""
    ours, forest, local = (
        np.mean([mean_auroc(detector, name, clean) for name in RARE])
        for detector in (
            ReconstructionOutlierDetector(random_state=0),
            IsolationForest(random_state=0),
            make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True)),
        )
    )
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
    assert mean_auroc(ensemble, "breast_cancer", clean=True) > 0.9


def related() -> np.ndarray:
    """Columns of several units, each of which follows from two others."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(600, 2)) @ rng.normal(size=(2, 6))
    X += 0.1 * rng.normal(size=X.shape)
    return X * [1, 100, 1e-3, 5, 1, 30] + [0, 1e3, 0, -7, 2, 0]


class Corrupted:
    """One cell of each test row holds a value that is usual, but not in this row."""

    def __init__(self, X: np.ndarray) -> None:
        rng = np.random.RandomState(0)
        X = rng.permutation(X)
        self.train, self.true = np.split(X, [2 * len(X) // 3])
        self.column = rng.randint(X.shape[1], size=len(self.true))
        # Of the middle 90 %, the value that is farther from the true one.
        low, high = np.percentile(self.train, [5, 95], axis=0)[:, self.column]
        cell = self.cell(self.true)
        self.rows = self.true.copy()
        value = np.where(cell - low > high - cell, low, high)
        self.rows[np.arange(len(self.rows)), self.column] = value

    def cell(self, X: np.ndarray) -> np.ndarray:
        return X[np.arange(len(X)), self.column]

    def distance(self, expected: np.ndarray) -> float:
        """Mean distance of the expected from the true values, in units of columns."""
        off = np.abs(self.cell(expected) - self.cell(self.true))
        return (off / self.train.std(axis=0)[self.column]).mean()

    def distance_of_the_mean(self) -> float:
        return self.distance(np.broadcast_to(self.train.mean(axis=0), self.true.shape))


class TestReasons:
    def test_largest_contribution_is_that_of_the_corrupted_feature(self) -> None:
        corrupted = Corrupted(related())
        detector = ReconstructionOutlierDetector(random_state=0).fit(corrupted.train)
        largest = detector.explain(corrupted.rows).argmax(axis=1)
        assert (largest == corrupted.column).mean() > 0.95
        assert (detector.predict(corrupted.rows) == -1).mean() > 0.9
        assert (detector.predict(corrupted.true) == 1).mean() > 0.9

    def test_on_real_rows(self) -> None:
        corrupted = Corrupted(datasets.load_breast_cancer().data)
        detector = ReconstructionOutlierDetector(random_state=0).fit(corrupted.train)
        largest = detector.explain(corrupted.rows).argmax(axis=1)
        assert (largest == corrupted.column).mean() > 0.7
        distance = corrupted.distance(detector.reconstruct(corrupted.rows))
        assert distance < 0.8 * corrupted.distance_of_the_mean()


class TestExpectations:
    def test_networks_expect_the_true_value(self) -> None:
        """They do not see the value that they judge."""
        corrupted = Corrupted(related())
        detector = ReconstructionOutlierDetector(random_state=0).fit(corrupted.train)
        distance = corrupted.distance(detector.reconstruct(corrupted.rows))
        assert distance < 0.6 * corrupted.distance_of_the_mean()

    def test_usual_rows_are_reconstructed(self) -> None:
        corrupted = Corrupted(related())
        detector = ReconstructionOutlierDetector(random_state=0).fit(corrupted.train)
        distance = corrupted.distance(detector.reconstruct(corrupted.true))
        assert distance < 0.5 * corrupted.distance_of_the_mean()
