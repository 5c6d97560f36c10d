"""How well an outlier detector ranks known outliers.

scikit-learn's ``scoring="roc_auc"`` takes high decisions for the positive class. An
outlier has a low decision, so with outliers labelled 1 it returns one minus the score.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, make_scorer, roc_auc_score
from sklearn.utils import column_or_1d


def _ranking_of_outliers(
    score: Callable[[np.ndarray, np.ndarray], float],
) -> Callable[[np.ndarray, np.ndarray], float]:
    def of_decisions(y_true: np.ndarray, decision: np.ndarray) -> float:
        return float(score(_is_outlier(y_true), -np.asarray(decision)))

    of_decisions.__name__ = f"outlier_{score.__name__}"
    return of_decisions


def _is_outlier(labelled: ArrayLike) -> np.ndarray:
    """Return what is labelled as an outlier, in either of two conventions.

    With one label alone nothing can be ranked, and 1 could be either.
    """
    y: np.ndarray = column_or_1d(labelled)
    labels = np.unique(y).tolist()
    if labels == [-1, 1]:
        return np.equal(y, -1)
    if labels == [0, 1]:
        return np.equal(y, 1)
    if len(labels) == 1 and labels[0] in (-1, 0, 1):
        raise ValueError(
            f"y must hold outliers and inliers, got {labels[0]!r} alone; in a search, "
            "cv=StratifiedKFold() gives every fold of both."
        )
    raise ValueError(
        "y must be 1 for outliers and 0 for inliers, or -1 for outliers and 1 for "
        f"inliers as predict returns them, got labels {labels[:5]}."
    )


#: Area under the ROC curve of any outlier detector. Outliers are 1 in y and inliers 0,
#: or -1 and 1.
outlier_roc_auc_scorer = make_scorer(
    _ranking_of_outliers(roc_auc_score), response_method="decision_function"
)
#: Average precision of any outlier detector. Outliers are 1 in y and inliers 0, or -1
#: and 1.
outlier_average_precision_scorer = make_scorer(
    _ranking_of_outliers(average_precision_score), response_method="decision_function"
)
