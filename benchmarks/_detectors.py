"""The outlier detectors of the benchmarks, all with scikit-learn's methods."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.covariance import EllipticEnvelope
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skae import ReconstructionOutlierDetector

OURS = "ReconstructionOutlierDetector"
FOREST = "IsolationForest"
PYOD_AUTOENCODER = "PyOD AutoEncoder"
#: A robust covariance of 166 columns takes 13 s, one of 1,555 does not end.
MAX_COVARIANCE_FEATURES = 200
N_COVARIANCE_COMPONENTS = 50

Detectors = dict[str, BaseEstimator]
MakeDetectors = Callable[[int, int], Detectors]


def make_detectors(seed: int, n_features: int) -> Detectors:
    """Return ReconstructionOutlierDetector and its peers, on standardised columns."""
    covariance = EllipticEnvelope(random_state=seed)
    if n_features > MAX_COVARIANCE_FEATURES:
        components = PCA(N_COVARIANCE_COMPONENTS, random_state=seed)
        covariance = make_pipeline(components, covariance)
    peers = {
        FOREST: IsolationForest(random_state=seed),
        "LocalOutlierFactor": LocalOutlierFactor(novelty=True),
        "OneClassSVM": OneClassSVM(),
        "EllipticEnvelope": covariance,
        "5 nearest rows": NearestRowsDistance(),
        "PCA error": PrincipalComponentsError(),
        "GaussianMixture": GaussianMixture(5, reg_covar=1e-3, random_state=seed),
    }
    if find_spec("pyod"):
        peers |= _make_pyod(seed)
    scaled = {
        name: make_pipeline(StandardScaler(), peer) for name, peer in peers.items()
    }
    return {OURS: ReconstructionOutlierDetector(random_state=seed), **scaled}


def make_parts(seed: int, n_features: int) -> Detectors:
    """Return ReconstructionOutlierDetector and what is left of it without its parts."""
    detector = partial(ReconstructionOutlierDetector, random_state=seed)
    return {
        "both experts": detector(),
        "networks alone": detector(n_neighbors=None),
        "nearest rows alone": NearestRowsAlone(random_state=seed),
        "both, core_fraction=1.0": detector(core_fraction=1.0),
        "networks alone, core_fraction=1.0": detector(
            n_neighbors=None, core_fraction=1.0
        ),
    }


def _make_pyod(seed: int) -> Detectors:
    from pyod.models.auto_encoder import AutoEncoder
    from pyod.models.ecod import ECOD
    from pyod.models.knn import KNN
    from pyod.models.vae import VAE

    settings = {"random_state": seed, "device": "cpu", "verbose": 0}
    return {
        PYOD_AUTOENCODER: FromPyod(partial(AutoEncoder, **settings), seed),
        "PyOD VAE": FromPyod(partial(VAE, **settings), seed),
        "PyOD ECOD": FromPyod(ECOD),
        "PyOD KNN": FromPyod(KNN),
    }


@cache
def warm_up(make: MakeDetectors) -> None:
    """Let this process import and compile what detectors need when they first run."""
    X = np.random.default_rng(0).standard_normal((100, 20))
    for detector in make(0, X.shape[1]).values():
        detector.fit(X).score_samples(X)


def scores_of_fitted_rows(detector: BaseEstimator, X: np.ndarray) -> np.ndarray:
    """Return the scores of the rows that `detector` was fitted on.

    Some detectors keep them, because they are not those of new rows: no row is its own
    neighbour.
    """
    last = detector[-1] if isinstance(detector, Pipeline) else detector
    for attribute in ("training_scores_", "negative_outlier_factor_"):
        if hasattr(last, attribute):
            return getattr(last, attribute)
    return detector.score_samples(X)


class NearestRowsDistance(BaseEstimator):
    """Mean distance to the five nearest fitted rows."""

    def fit(self, X: np.ndarray, y: None = None) -> NearestRowsDistance:
        self.neighbors_ = NearestNeighbors(n_neighbors=5).fit(X)
        self.training_scores_ = self.score_samples(None)
        return self

    def score_samples(self, X: np.ndarray | None) -> np.ndarray:
        distances, _ = self.neighbors_.kneighbors(X)
        return -distances.mean(axis=1)


class PrincipalComponentsError(BaseEstimator):
    """Squared error of a reconstruction that keeps 90 % of the variance."""

    def fit(self, X: np.ndarray, y: None = None) -> PrincipalComponentsError:
        self.pca_ = PCA(0.9).fit(X)
        if self.pca_.n_components_ == X.shape[1]:  # no error would be left
            self.pca_ = PCA(X.shape[1] - 1).fit(X)
        return self

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        reconstruction = self.pca_.inverse_transform(self.pca_.transform(X))
        return -np.sum((X - reconstruction) ** 2, axis=1)


class FromPyod(BaseEstimator):
    """A detector of PyOD.

    PyOD seeds torch's global generator when a detector is made, and draws from it in a
    fit and in scoring. Here that depends on nothing before it, and leaves no trace.
    """

    def __init__(self, make: Callable[[], BaseEstimator], seed: int = 0) -> None:
        self.make = make
        self.seed = seed

    def fit(self, X: np.ndarray, y: None = None) -> FromPyod:
        with torch.random.fork_rng():
            self.detector_ = self.make()
            self.detector_.fit(X)
        self.training_scores_ = -self.detector_.decision_scores_
        return self

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            return -self.detector_.decision_function(X)


class NearestRowsAlone(ReconstructionOutlierDetector):
    """A detector that is fitted whole and then listens to its second expert only."""

    def fit(self, X: np.ndarray, y: None = None) -> NearestRowsAlone:
        super().fit(X)
        self.training_scores_ = self.score_samples(X)
        return self

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        _, nearest = self.experts_
        return -nearest.surprise(nearest.errors(X).sum(axis=1))
