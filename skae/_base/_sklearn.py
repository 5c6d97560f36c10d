"""scikit-learn's validation helpers; semi-private, so imported in this file only."""

from sklearn.base import _fit_context as validated_fit
from sklearn.utils._mask import _get_mask as missing_mask
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    MissingValues,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._set_output import _get_container_adapter as container_adapter
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _get_feature_names as feature_names

__all__ = [
    "Interval",
    "InvalidParameterError",
    "MissingValues",
    "RealNotInt",
    "StrOptions",
    "check_feature_names_in",
    "container_adapter",
    "feature_names",
    "is_pandas_na",
    "is_scalar_nan",
    "missing_mask",
    "validate_parameter_constraints",
    "validated_fit",
]
