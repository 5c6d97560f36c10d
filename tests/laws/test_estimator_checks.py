"""scikit-learn's own checks, all of them, with no expected failures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skae import DenoisingTransformer
from skae.networks import ConvolutionalNetwork, TorchNetwork
from tests.laws._estimators import ESTIMATORS, EVERY_INSTANCE

#: Checks that scikit-learn runs on its own estimators only.
FURTHER_CHECKS = [
    estimator_checks.check_dataframe_column_names_consistency,
    estimator_checks.check_inplace_ensure_writeable,
    estimator_checks.check_param_validation,
]
#: Likewise, for those that transform.
CHECKS_OF_TRANSFORMERS = [
    estimator_checks.check_get_feature_names_out_error,
    estimator_checks.check_global_output_transform_pandas,
    estimator_checks.check_global_set_output_transform_polars,
    estimator_checks.check_set_output_transform,
    estimator_checks.check_set_output_transform_pandas,
    estimator_checks.check_set_output_transform_polars,
    estimator_checks.check_transformer_get_feature_names_out,
    estimator_checks.check_transformer_get_feature_names_out_pandas,
]


class Strips(ConvolutionalNetwork):
    """Sees a row of any width as an image that is one pixel high."""

    def row_shape(
        self, n_features: int, table: str = "X", otherwise: str = ""
    ) -> tuple[int, int, int]:
        return 1, n_features, 1


#: The rows of the checks are neither in [0, 1], which a loss asks for, nor images.
#: Modules of users see what dense networks see, and obey the other laws.
CHECKED = {
    name: estimator
    for name, estimator in EVERY_INSTANCE.items()
    if estimator.get_params().get("loss") != "log_loss"
    and not isinstance(
        estimator.get_params().get("network"), ConvolutionalNetwork | TorchNetwork
    )
}
IMAGES = DenoisingTransformer(
    network=Strips((1, 1), channels=(2,)), start="local", max_iter=1, random_state=0
)
# The checks themselves fit to a data frame and transform its values, or the reverse.
mixed_forms = pytest.mark.filterwarnings("ignore:X .* feature names, but:UserWarning")


@parametrize_with_checks(
    [*(estimator() for estimator in ESTIMATORS), *CHECKED.values(), IMAGES],
    expected_failed_checks=lambda estimator: {},
)
def test_check(estimator: BaseEstimator, check: Callable) -> None:
    check(estimator)


@mixed_forms
@pytest.mark.parametrize("check", FURTHER_CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("name", CHECKED)
def test_further_check(name: str, check: Callable) -> None:
    check(type(CHECKED[name]).__name__, CHECKED[name])


@mixed_forms
@pytest.mark.parametrize("check", CHECKS_OF_TRANSFORMERS, ids=lambda c: c.__name__)
@pytest.mark.parametrize(
    "name", [n for n, e in CHECKED.items() if isinstance(e, TransformerMixin)]
)
def test_further_check_of_transformers(name: str, check: Callable) -> None:
    check(type(CHECKED[name]).__name__, CHECKED[name])
