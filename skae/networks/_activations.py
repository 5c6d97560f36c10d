"""Activation functions by their names, which are scikit-learn's where it has one."""

from __future__ import annotations

from torch import nn

ACTIVATIONS = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}

#: What other libraries call them or, where there is none, the one most like it.
OTHER_NAMES = {
    "sigmoid": "logistic",
    "hardsigmoid": "logistic",
    "linear": "identity",
    "none": "identity",
    "swish": "silu",
    "hardswish": "silu",
    "mish": "silu",
    "softplus": "relu",
    "leakyrelu": "elu",
    "prelu": "elu",
    "relu6": "relu",
    "softsign": "tanh",
    "hardtanh": "tanh",
}


def plain(word: str) -> str:
    """Return a word in small letters, without what joins its parts."""
    return "".join(filter(str.isalnum, word.lower()))


def activation_named(name: str, parameter: str = "activation") -> type[nn.Module]:
    """Return the class of an activation function; a ValueError lists their names."""
    if name in ACTIVATIONS:
        return ACTIVATIONS[name]
    known = OTHER_NAMES | {own: own for own in ACTIVATIONS}
    meant = known.get(plain(str(name)))
    raise ValueError(
        f"{parameter}={name!r} cannot be used; pass {parameter}={meant!r}."
        if meant is not None
        else f"{parameter} must be one of {sorted(ACTIVATIONS)}, got {name!r}."
    )
