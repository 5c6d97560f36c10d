"""Parameters of a transformer that contradict each other, whatever the rows are."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skae.networks import resolve_network
from skae.penalties import KullbackLeiblerSparsity


def check_parameters(transformer: BaseEstimator) -> None:
    """Raise a ValueError that names the parameter to change."""
    start, pretraining = transformer.start, transformer.pretraining
    if pretraining is not None and start is not None:
        raise ValueError(
            f"pretraining={pretraining!r} begins at random weights; set start=None."
        )
    if isinstance(start, FrozenEstimator):
        _check_frozen_start(transformer)
    activation = _code_activation(transformer)
    if start == "pca" and activation != "identity":
        raise ValueError(
            f"code_activation={activation!r} bounds the code, but PCA's components "
            "have no bounds; set start=None."
        )
    sparse = isinstance(transformer.penalty, KullbackLeiblerSparsity)
    if sparse and activation != "logistic":
        raise ValueError(
            "penalty=KullbackLeiblerSparsity() needs codes in (0, 1); set "
            "code_activation='logistic' on the specification passed as network."
        )


def _check_frozen_start(transformer: BaseEstimator) -> None:
    fitted = transformer.start.estimator
    if not isinstance(fitted, type(transformer)):
        raise ValueError(
            f"start must freeze a fitted {type(transformer).__name__}, got "
            f"{type(fitted).__name__}."
        )
    check_is_fitted(
        fitted, msg="start freezes an estimator that is not fitted; call its fit."
    )
    automatic = isinstance(transformer.hidden_layer_sizes, str)
    plain = transformer.network == "dense" and transformer.activation == "silu"
    if not (automatic and plain):
        raise ValueError(
            "network, hidden_layer_sizes and activation are those that start was "
            "fitted with; leave them at their defaults."
        )
    names = (vars(e).get("feature_names_in_") for e in (transformer, fitted))
    if len({tuple(n) for n in names if n is not None}) > 1:
        raise ValueError(
            "X has other feature names than start was fitted with, or in another "
            "order; pass the columns of that table."
        )


def _code_activation(transformer: BaseEstimator) -> str:
    """Of the network, or of the one behind a frozen start."""
    if isinstance(transformer.start, FrozenEstimator):
        return _code_activation(transformer.start.estimator)
    network = resolve_network(
        transformer.network, transformer.hidden_layer_sizes, transformer.activation
    )
    return network.code_activation
