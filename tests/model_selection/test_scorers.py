"""Scorers of outlier detectors: a higher score is a better ranking of outliers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import OutlierMixin, clone
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import ReconstructionOutlierDetector
from skae.model_selection import (
    outlier_average_precision_scorer,
    outlier_roc_auc_scorer,
)

DETECTORS = {
    "ours": ReconstructionOutlierDetector(
        hidden_layer_sizes=(8,), max_iter=2, random_state=0
    ),
    "IsolationForest": IsolationForest(n_estimators=20, random_state=0),
    "Pipeline": make_pipeline(
        StandardScaler(), IsolationForest(n_estimators=20, random_state=0)
    ),
    "Pipeline of ours": make_pipeline(
        StandardScaler(),
        ReconstructionOutlierDetector(
            hidden_layer_sizes=(8,), max_iter=2, random_state=0
        ),
    ),
}
each_detector = pytest.mark.parametrize(
    "detector", DETECTORS.values(), ids=DETECTORS.keys()
)
each_scorer = pytest.mark.parametrize(
    "scorer, metric",
    [
        (outlier_roc_auc_scorer, roc_auc_score),
        (outlier_average_precision_scorer, average_precision_score),
    ],
    ids=["roc_auc", "average_precision"],
)
CV = StratifiedKFold(3, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def table() -> tuple[np.ndarray, np.ndarray]:
    """Benign samples, and a few malignant ones, labelled 1."""
    X, benign = load_breast_cancer(return_X_y=True)
    rows = np.concatenate([np.flatnonzero(benign)[:200], np.flatnonzero(1 - benign)])
    return X[rows[:230]], 1 - benign[rows[:230]]


@each_scorer
@each_detector
def test_scores_the_ranking(detector: OutlierMixin, scorer, metric, table) -> None:
    X, y = table
    fitted = detector.fit(X)
    score = scorer(fitted, X, y)
    assert type(score) is float
    assert score == pytest.approx(metric(y, -fitted.score_samples(X)))


@each_detector
def test_in_cross_validation_they_turn_the_sign_round(
    detector: OutlierMixin, table
) -> None:
    X, y = table
    ours = cross_val_score(detector, X, y, scoring=outlier_roc_auc_scorer, cv=CV)
    theirs = cross_val_score(detector, X, y, scoring="roc_auc", cv=CV)
    np.testing.assert_allclose(ours, 1 - theirs)
    assert ours.mean() > 0.8


@each_scorer
@each_detector
def test_grid_search_takes_the_best(
    detector: OutlierMixin, scorer, metric, table
) -> None:
    X, y = table
    name = next(name for name in detector.get_params() if name.endswith("n_estimators"))
    search = GridSearchCV(detector, {name: [1, 3]}, scoring=scorer, cv=CV)
    search.fit(X, y)
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert search.score(X, y) == pytest.approx(
        metric(y, -search.best_estimator_.decision_function(X))
    )


#: Forms of labels that are 1 for outliers and 0 for inliers.
FORMS = {
    "column": lambda y: y[:, None],
    "bool": lambda y: y.astype(bool),
    "float": lambda y: y.astype(float),
    "list": lambda y: y.tolist(),
    "object": lambda y: y.astype(object),
    "series": pd.Series,
    "as predict": lambda y: np.where(y == 1, -1, 1),
    "as predict, float": lambda y: np.where(y == 1, -1.0, 1.0),
    "as predict, list": lambda y: np.where(y == 1, -1, 1).tolist(),
}


@each_scorer
@pytest.mark.parametrize("form", FORMS)
def test_labels_in_other_forms(scorer, metric, form: str, table) -> None:
    X, y = table
    fitted = DETECTORS["IsolationForest"].fit(X)
    assert scorer(fitted, X, FORMS[form](y)) == scorer(fitted, X, y)


@each_scorer
@each_detector
def test_what_predict_returns_is_ranked_perfectly(
    detector: OutlierMixin, scorer, metric, table
) -> None:
    X, _ = table
    fitted = clone(detector).fit(X)
    assert len(set(fitted.predict(X))) == 2
    assert scorer(fitted, X, fitted.predict(X)) == pytest.approx(1)


@each_scorer
@pytest.mark.parametrize(
    "labels",
    [(1, 2), (0.0, 0.5), (-1, 0), ("outlier", "inlier"), (np.nan, 1.0)],
    ids=str,
)
def test_other_labels_are_refused(scorer, metric, labels: tuple, table) -> None:
    X, y = table
    fitted = DETECTORS["IsolationForest"].fit(X)
    with pytest.raises(ValueError, match="y must be 1 for outliers and 0 for inliers"):
        scorer(fitted, X, np.where(y == 1, *labels))


@each_scorer
def test_two_conventions_at_once_are_refused(scorer, metric, table) -> None:
    X, y = table
    fitted = DETECTORS["IsolationForest"].fit(X)
    with pytest.raises(ValueError, match=r"got labels \[-1, 0, 1\]"):
        scorer(fitted, X, np.where(np.arange(len(y)) < 5, -1, y))


@each_scorer
@pytest.mark.parametrize("label", [-1, 0, 1, True])
def test_a_single_label_is_refused(scorer, metric, label: int, table) -> None:
    X, y = table
    fitted = DETECTORS["IsolationForest"].fit(X)
    with pytest.raises(ValueError, match=f"outliers and inliers, got {label!r} alone"):
        scorer(fitted, X, np.full(len(y), label))
