"""scikit-learn's parameter validation; semi-private, so imported in this file only."""

from sklearn.base import _fit_context as validated_fit
from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions

__all__ = ["Interval", "RealNotInt", "StrOptions", "validated_fit"]
