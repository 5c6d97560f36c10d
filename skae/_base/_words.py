"""Parameters that are none: what to pass for the words of other libraries."""

from __future__ import annotations

import inspect
import re
from numbers import Real
from typing import Any

from sklearn.base import BaseEstimator
from torch import nn

from skae._base._sklearn import (
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)
from skae.losses._named import OTHER_NAMES as LOSSES
from skae.networks._activations import OTHER_NAMES as ACTIVATIONS
from skae.networks._activations import plain

_GAUSSIAN = "skae.noise.GaussianNoise(...)"
_MASKING = "skae.noise.MaskingNoise(...)"
_SALT_AND_PEPPER = "skae.noise.SaltAndPepperNoise(...)"
_SWAP = "skae.noise.SwapNoise(...)"
_CONVOLUTIONAL = (
    "skae.networks.ConvolutionalNetwork(image_shape=(height, width, channels))"
)
_OWN_NETWORK = "skae.networks.TorchNetwork(...)"
_OWN_LOSS = "skae.losses.Loss(...)"
_SHARE = "0.95 for as many as explain that fraction of the variance, or an integer"

#: By the name of a parameter: a word in plain letters, and the value to pass, or code.
_VALUES: dict[str, dict[str, str | None]] = {
    "activation": dict(ACTIVATIONS),
    "loss": dict(LOSSES),
    "network": dict.fromkeys(("mlp", "fullyconnected", "linear", "fc"), "dense"),
    "start": dict.fromkeys(("random", "none", "scratch", "xavier", "kaiming")),
    "pretraining": dict.fromkeys(("greedy", "stacked", "greedylayerwise"), "layerwise"),
}
_CODE: dict[str, dict[str, str]] = {
    "noise": {
        **dict.fromkeys(
            ("gaussian", "gauss", "normal", "additive", "white"), _GAUSSIAN
        ),
        **dict.fromkeys(("masking", "mask", "dropout", "zero", "zeros"), _MASKING),
        **dict.fromkeys(("saltandpepper", "saltpepper", "sp"), _SALT_AND_PEPPER),
        **dict.fromkeys(("swap", "swapping", "shuffle"), _SWAP),
    },
    "network": dict.fromkeys(
        ("conv", "cnn", "convolutional", "conv2d", "convnet"), _CONVOLUTIONAL
    ),
    "penalty": {
        **dict.fromkeys(("l1", "sparse", "sparsity"), "skae.penalties.L1Sparsity(...)"),
        **dict.fromkeys(
            ("kl", "kullbackleibler"), "skae.penalties.KullbackLeiblerSparsity(...)"
        ),
        **dict.fromkeys(
            ("contractive", "contraction", "jacobian"),
            "skae.penalties.Contraction(...)",
        ),
    },
    "loss": dict.fromkeys(("huber", "smoothl1loss", "huberloss"), _OWN_LOSS),
    "n_components": dict.fromkeys(("mle", "auto", "all"), _SHARE),
}
#: What a number means that is passed in the place of a specification.
_STRENGTHS = {
    "noise": "skae.noise.GaussianNoise",
    "penalty": "skae.penalties.L1Sparsity",
}


def validate(estimator: BaseEstimator) -> None:
    """Raise scikit-learn's error for a parameter that is none, or one that helps."""
    for name, value in estimator.get_params(deep=False).items():
        try:
            _check(estimator, name, value)
        except InvalidParameterError as error:
            raise InvalidParameterError(
                _remedied(estimator, name, value) or _without_private_modules(error)
            ) from None


def _check(estimator: BaseEstimator, name: str, value: Any) -> None:
    constraints = estimator._parameter_constraints
    validate_parameter_constraints(constraints, {name: value}, type(estimator).__name__)


def _remedied(estimator: BaseEstimator, name: str, value: Any) -> str | None:
    """Return one sentence with what to pass instead, if that is known."""
    remedy = _remedy(estimator, name, value)
    if remedy is None:
        return None
    shown = value if isinstance(value, str | Real) else _Named(_word(value))
    return f"{name}={shown!r} cannot be used; pass {name}={remedy}."


def _remedy(estimator: BaseEstimator, name: str, value: Any) -> str | None:
    if inspect.isclass(value) and issubclass(value, BaseEstimator):
        return f"{value.__name__}(...), which is an instance"
    if isinstance(value, Real) and not isinstance(value, bool) and name in _STRENGTHS:
        return f"{_STRENGTHS[name]}({value!r})"
    if name == "network" and (isinstance(value, nn.Module) or inspect.isclass(value)):
        return _OWN_NETWORK
    word = plain(_word(value))
    options = {plain(option): option for option in _options(estimator, name)}
    values = _VALUES.get(name, {}) | options
    if word in values and _takes(estimator, name, values[word]):
        return repr(values[word])
    if name == "start" and isinstance(value, type(estimator)):
        return "sklearn.frozen.FrozenEstimator(...) of it"
    return _CODE.get(name, {}).get(word)


def _takes(estimator: BaseEstimator, name: str, value: Any) -> bool:
    try:
        _check(estimator, name, value)
    except InvalidParameterError:
        return False
    return True


def _options(estimator: BaseEstimator, name: str) -> list[str]:
    constraints = estimator._parameter_constraints.get(name, [])
    return [
        option
        for constraint in constraints
        if isinstance(constraint, StrOptions)
        for option in constraint.options
    ]


def _word(value: Any) -> str:
    """Return a string, or what a function, a class or an object is called."""
    if isinstance(value, str):
        return value
    return str(getattr(value, "__name__", type(value).__name__))


class _Named:
    """Has the name of something whose own representation is long."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


def _without_private_modules(error: Exception) -> str:
    """Return a message that names classes as users import them."""
    return re.sub(r"\._\w+(?=\.)", "", str(error))
