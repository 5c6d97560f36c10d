"""Activation functions by their names, which are scikit-learn's where it has one."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch.nn import functional

from skae.networks._pullback import Differentiable, Gradients

#: ``default`` is the overload itself: to have torch look for it takes longer.
_aten = torch.ops.aten


class Activation(Differentiable):
    """A function of every element."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)

    def pull_back(
        self, gradient: torch.Tensor, kept: torch.Tensor, gradients: Gradients
    ) -> torch.Tensor:
        return self.times_slope(gradient, kept)

    @abstractmethod
    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Return the value of the function."""

    @abstractmethod
    def times_slope(self, gradient: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """Return a gradient times the slope of the function."""


class SlopeFromInput(Activation):
    """One whose slope follows from what it was given."""

    def record(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.function(x), x


class SlopeFromOutput(Activation):
    """One whose slope follows from what it returned, which the next layer keeps too."""

    def record(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = self.function(x)
        return y, y


class Identity(SlopeFromOutput):
    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def times_slope(self, gradient: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        return gradient


class Logistic(SlopeFromOutput):
    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x.sigmoid()

    def times_slope(self, gradient: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        return _aten.sigmoid_backward.default(gradient, kept)


class Tanh(SlopeFromOutput):
    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x.tanh()

    def times_slope(self, gradient: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        return _aten.tanh_backward.default(gradient, kept)


class ReLU(SlopeFromOutput):
    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x.relu()

    def times_slope(self, gradient: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        return _aten.threshold_backward.default(gradient, kept, 0)


class ELU(SlopeFromInput):
    def function(self, x: torch.Tensor) -> torch.Tensor:
        return functional.elu(x)

    def times_slope(self, gradient: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        return _aten.elu_backward.default(gradient, 1.0, 1.0, 1.0, False, kept)


class SELU(SlopeFromInput):
    _alpha, _scale = 1.6732632423543772, 1.0507009873554805

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return functional.selu(x)

    def times_slope(self, gradient: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        return _aten.elu_backward.default(
            gradient, self._alpha, self._scale, 1.0, False, kept
        )


class GELU(SlopeFromInput):
    def function(self, x: torch.Tensor) -> torch.Tensor:
        return functional.gelu(x)

    def times_slope(self, gradient: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        return _aten.gelu_backward.default(gradient, kept)


class SiLU(SlopeFromInput):
    def function(self, x: torch.Tensor) -> torch.Tensor:
        return functional.silu(x)

    def times_slope(self, gradient: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        return _aten.silu_backward.default(gradient, kept)


ACTIVATIONS: dict[str, type[Activation]] = {
    "identity": Identity,
    "logistic": Logistic,
    "tanh": Tanh,
    "relu": ReLU,
    "elu": ELU,
    "selu": SELU,
    "gelu": GELU,
    "silu": SiLU,
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


def activation_named(name: str, parameter: str = "activation") -> type[Activation]:
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
