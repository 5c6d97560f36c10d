"""scikit-learn's own checks, all of them, with no expected failures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.laws._estimators import ESTIMATORS, EVERY_INSTANCE

#: Checks that scikit-learn runs on its own estimators only.
FURTHER_CHECKS = [
    estimator_checks.check_dataframe_column_names_consistency,
    estimator_checks.check_get_feature_names_out_error,
    estimator_checks.check_global_output_transform_pandas,
    estimator_checks.check_global_set_output_transform_polars,
    estimator_checks.check_inplace_ensure_writeable,
    estimator_checks.check_param_validation,
    estimator_checks.check_set_output_transform,
    estimator_checks.check_set_output_transform_pandas,
    estimator_checks.check_set_output_transform_polars,
    estimator_checks.check_transformer_get_feature_names_out,
    estimator_checks.check_transformer_get_feature_names_out_pandas,
]
#: A loss that takes rows in [0, 1] only cannot be fitted to the rows of the checks.
CHECKED = {
    name: estimator
    for name, estimator in EVERY_INSTANCE.items()
    if estimator.get_params().get("loss") != "log_loss"
}


@parametrize_with_checks(
    [*(estimator() for estimator in ESTIMATORS), *CHECKED.values()],
    expected_failed_checks=lambda estimator: {},
)
def test_check(estimator: BaseEstimator, check: Callable) -> None:
    check(estimator)


# The checks themselves fit to a data frame and transform its values, or the reverse.
@pytest.mark.filterwarnings("ignore:X .* feature names, but:UserWarning")
@pytest.mark.parametrize("check", FURTHER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("estimator", CHECKED.values(), ids=CHECKED.keys())
def test_further_check(estimator: BaseEstimator, check: Callable) -> None:
    check(type(estimator).__name__, estimator)
