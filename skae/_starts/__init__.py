"""Closed-form methods that a network starts from."""

from skae._starts._gaussian import ConditionalGaussian
from skae._starts._linear_map import (
    Examples,
    IdentityStart,
    LinearStart,
    RestoringStart,
    split_gaps,
)
from skae._starts._local_filter import LocalStart
from skae._starts._low_rank import LowRankGaussian
from skae._starts._nearest import NearestMean
from skae._starts._principal_components import PrincipalComponents, linear_maps

__all__ = [
    "ConditionalGaussian",
    "Examples",
    "IdentityStart",
    "LinearStart",
    "LocalStart",
    "LowRankGaussian",
    "NearestMean",
    "PrincipalComponents",
    "RestoringStart",
    "linear_maps",
    "split_gaps",
]
