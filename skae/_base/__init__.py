"""What every estimator shares."""

from skae._base._draws import Draws
from skae._base._estimator import NetworkEstimator, Phases
from skae._base._images import check_flat
from skae._base._noise import (
    NoisyInput,
    corruption_of,
    warn_of_negligible,
    without_gaps,
)
from skae._base._output import SetOutputMixin, in_container
from skae._base._parameters import (
    CV,
    NETWORK,
    VALIDATION_FRACTION,
    WIDTHS,
    Constraints,
    loss_constraint,
)
from skae._base._sklearn import (
    Interval,
    MissingValues,
    RealNotInt,
    StrOptions,
    check_feature_names_in,
    feature_names,
    is_pandas_na,
    is_scalar_nan,
    missing_mask,
)
from skae._base._transaction import transaction
from skae._base._values import check_magnitude, check_numbers
from skae._base._warning import warn

__all__ = [
    "CV",
    "NETWORK",
    "VALIDATION_FRACTION",
    "WIDTHS",
    "Constraints",
    "Draws",
    "Interval",
    "MissingValues",
    "NetworkEstimator",
    "NoisyInput",
    "Phases",
    "RealNotInt",
    "SetOutputMixin",
    "StrOptions",
    "check_feature_names_in",
    "check_flat",
    "check_magnitude",
    "check_numbers",
    "corruption_of",
    "feature_names",
    "in_container",
    "is_pandas_na",
    "is_scalar_nan",
    "loss_constraint",
    "missing_mask",
    "transaction",
    "warn",
    "warn_of_negligible",
    "without_gaps",
]
