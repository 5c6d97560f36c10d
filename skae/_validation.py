"""scikit-learn's parameter validation; semi-private, so imported in this file only."""

from sklearn.base import _fit_context as validated_fit
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

__all__ = ["HasMethods", "Interval", "StrOptions", "validated_fit"]
