"""Adam on one tensor.

``torch.optim`` has it too, but the first optimizer of a process imports torch's
compiler and a computer algebra system, which takes longer than a fit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


class _State(NamedTuple):
    values: torch.Tensor
    gradient: torch.Tensor
    mean: torch.Tensor
    square: torch.Tensor
    steps: torch.Tensor


class Adam:
    """Steps against the gradient, in units of what it has been of late.

    Parameters
    ----------
    values, gradient : tensor
        What is stepped, and where its gradient will be found at every step.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization",
       International Conference on Learning Representations, 2015.
    """

    def __init__(self, values: torch.Tensor, gradient: torch.Tensor) -> None:
        self._state = _begin(values, gradient)
        self._update = _fastest(values.device)

    def step(self, learning_rate: float) -> None:
        """Take one step, about as large as the learning rate in every direction."""
        self._state.steps.add_(1)
        self._update(self._state, learning_rate)


def _begin(values: torch.Tensor, gradient: torch.Tensor) -> _State:
    mean, square = torch.zeros_like(values), torch.zeros_like(values)
    return _State(values, gradient, mean, square, values.new_zeros(()))


def _fused(state: _State, learning_rate: float) -> None:
    values, gradient, mean, square, steps = ([tensor] for tensor in state)
    torch._fused_adam_(
        values,
        gradient,
        mean,
        square,
        [],
        steps,
        lr=learning_rate,
        beta1=_BETA1,
        beta2=_BETA2,
        weight_decay=0.0,
        eps=_EPSILON,
        amsgrad=False,
        maximize=False,
    )


def _plain(state: _State, learning_rate: float) -> None:
    values, gradient, mean, square, steps = state
    mean.lerp_(gradient, 1 - _BETA1)
    square.mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
    # Both begin at zero, and are too small by these factors.
    unit = (square / (1 - _BETA2**steps)).sqrt_().add_(_EPSILON)
    values.sub_(learning_rate * mean / (1 - _BETA1**steps) / unit)


def _fastest(device: torch.device) -> Callable[[_State, float], None]:
    """Return the single call of torch, which is no public function, or what it does."""
    nothing = torch.zeros(1, device=device)
    try:
        _fused(_begin(nothing, nothing.clone()), 0.0)
    except (AttributeError, TypeError, RuntimeError):
        return _plain
    return _fused
