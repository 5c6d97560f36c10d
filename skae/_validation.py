"""scikit-learn's validation helpers; semi-private, so imported in this file only."""

from sklearn.base import _fit_context as validated_fit
from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions
from sklearn.utils.validation import _check_feature_names_in as feature_names_for

__all__ = [
    "Interval",
    "RealNotInt",
    "StrOptions",
    "feature_names_for",
    "validated_fit",
]
