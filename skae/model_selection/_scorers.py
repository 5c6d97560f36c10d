"""How well an outlier detector ranks known outliers.

scikit-learn's ``scoring="roc_auc"`` takes high decisions for the positive class. An
outlier has a low decision, so with outliers labelled 1 it returns one minus the score.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.metrics import average_precision_score, make_scorer, roc_auc_score
from sklearn.utils import column_or_1d


def _ranking_of_outliers(
    score: Callable[[np.ndarray, np.ndarray], float],
) -> Callable[[np.ndarray, np.ndarray], float]:
    def of_decisions(y_true: np.ndarray, decision: np.ndarray) -> float:
        y_true = column_or_1d(y_true)
        if not np.isin(y_true, (0, 1)).all():
            raise ValueError(
                "y must be 1 for outliers and 0 for inliers, got labels "
                f"{np.unique(y_true)[:5].tolist()}."
            )
        return float(score(y_true, -np.asarray(decision)))

    of_decisions.__name__ = f"outlier_{score.__name__}"
    return of_decisions


#: Area under the ROC curve of any outlier detector; 1 in y are outliers, 0 inliers.
outlier_roc_auc_scorer = make_scorer(
    _ranking_of_outliers(roc_auc_score), response_method="decision_function"
)
#: Average precision of any outlier detector; 1 in y are outliers, 0 inliers.
outlier_average_precision_scorer = make_scorer(
    _ranking_of_outliers(average_precision_score), response_method="decision_function"
)
