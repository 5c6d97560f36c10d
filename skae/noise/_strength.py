"""The strength of a noise: a number, or a range from which each row draws its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from numbers import Real

import torch

Strength = float | Sequence[float]
Range = tuple[float, float]


def probability_range(strength: Strength) -> Range:
    """Return the ends of a strength that is a probability."""
    return _range(strength, 1.0, "a number in [0, 1]")


def deviation_range(strength: Strength) -> Range:
    """Return the ends of a strength that is a standard deviation."""
    return _range(strength, sys.float_info.max, "a non-negative number")


def _range(strength: Strength, most: float, allowed: str) -> Range:
    ends = strength if isinstance(strength, tuple | list) else (strength, strength)
    numbers = len(ends) == 2 and all(isinstance(end, Real) for end in ends)
    if not (numbers and 0 <= ends[0] <= ends[1] <= most):
        raise ValueError(
            f"strength must be {allowed} or a range (low, high) of such, got "
            f"{strength!r}."
        )
    return float(ends[0]), float(ends[1])


def row_strengths(
    ends: Range, x: torch.Tensor, generator: torch.Generator
) -> float | torch.Tensor:
    """Draw a strength for every row, uniformly; a single number needs no draw."""
    low, high = ends
    if low == high:
        return low
    return torch.empty_like(x[..., :1]).uniform_(low, high, generator=generator)
