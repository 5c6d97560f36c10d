"""Parameters of a transformer that contradict each other, or the rows."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skae.losses import Loss
from skae.networks import Autoencoder
from skae.networks._resolve import resolve_network
from skae.noise import Noise
from skae.penalties import KullbackLeiblerSparsity

if TYPE_CHECKING:
    from skae.estimators.transformer._prediction import Codec
    from skae.estimators.transformer._transformer import AutoencoderTransformer


def check_parameters(transformer: AutoencoderTransformer) -> None:
    """Raise a ValueError that names the parameter to change, whatever the rows are."""
    start, pretraining = transformer.start, transformer.pretraining
    if pretraining is not None and start is not None:
        raise ValueError(
            f"pretraining={pretraining!r} begins at random weights; set start=None."
        )
    n_components = transformer.n_components
    if start is None and not isinstance(n_components, Integral):
        raise ValueError(
            f"n_components={n_components} depends on PCA, which start=None leaves "
            "out; pass an integer."
        )
    if isinstance(start, FrozenEstimator):
        _check_frozen_start(transformer, start)
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


def check_loss(transformer: AutoencoderTransformer, loss: Loss, X: np.ndarray) -> None:
    """Raise a ValueError if a loss does not go with the start or the rows."""
    name = repr(transformer.loss) if isinstance(transformer.loss, str) else "Loss(...)"
    if loss.unit_interval and transformer.start == "pca":
        raise ValueError(
            f"loss={name} cannot start at PCA, which leaves the interval [0, 1]; set "
            "start=None."
        )
    if loss.linked and transformer.start == "pca":
        raise ValueError(
            f"loss={name} has a link, through which PCA's reconstruction cannot go; "
            "set start=None."
        )
    rounding = 10 * np.finfo(X.dtype).eps
    if loss.unit_interval and (X.min() < -rounding or X.max() > 1 + rounding):
        raise ValueError(
            f"loss={name} needs X in [0, 1]; scale X with MinMaxScaler or set "
            "loss='squared_error'."
        )


def check_pretraining(transformer: AutoencoderTransformer, module: Autoencoder) -> None:
    """Raise a ValueError if there are no layers to train one after the other."""
    if transformer.pretraining is not None and len(module.stages()) == 1:
        network = transformer.network
        remedy = (
            "set hidden_layer_sizes"
            if isinstance(network, str)
            else f"in the place of network={type(network).__name__}(...), pass a "
            "DenseNetwork with some"
        )
        raise ValueError(
            f"pretraining={transformer.pretraining!r} needs hidden layers that it can "
            f"train one by one; {remedy}, or set pretraining=None."
        )


def check_fitted_start(
    codec: Codec, n_components: int | float | None, loss: Loss, noise: Noise | None
) -> None:
    """Raise a ValueError if another fit does not go with the parameters of this one."""
    found = len(codec.latent_scale)
    if n_components not in (found, None):
        raise ValueError(
            f"n_components={n_components} contradicts start, which has {found}; set "
            f"n_components={found}."
        )
    if loss.unit_interval != codec.loss.unit_interval:
        raise ValueError(
            "loss='log_loss' and the other losses cannot follow each other; set the "
            "loss that start was fitted with."
        )
    invariant = loss.rotation_invariant and (noise is None or noise.rotation_invariant)
    if codec.coordinates.basis is not None and not invariant:
        raise ValueError(
            "loss and noise must not look at single features, because start sees X in "
            "its principal components; fit start with the same loss and noise."
        )


def _check_frozen_start(
    transformer: AutoencoderTransformer, start: FrozenEstimator
) -> None:
    fitted = start.estimator
    if not isinstance(fitted, type(transformer)):
        raise ValueError(
            f"start must freeze a fitted {type(transformer).__name__}, got "
            f"{type(fitted).__name__}."
        )
    if fitted.start is start:
        raise ValueError(
            "start freezes the estimator that is being fitted; freeze a copy of it, "
            "copy.deepcopy(estimator)."
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


def _code_activation(transformer: AutoencoderTransformer) -> str:
    """Of the network, or of the one behind a frozen start."""
    if isinstance(transformer.start, FrozenEstimator):
        return _code_activation(transformer.start.estimator)
    network = resolve_network(
        transformer.network, transformer.hidden_layer_sizes, transformer.activation
    )
    return network.code_activation
