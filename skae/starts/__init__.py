"""Closed-form methods that a network starts from."""

from skae.starts._conditional import ConditionalStart
from skae.starts._gaussian import ConditionalGaussian
from skae.starts._nearest import NearestMean
from skae.starts._principal_components import LinearStart, PrincipalComponents

__all__ = [
    "ConditionalGaussian",
    "ConditionalStart",
    "LinearStart",
    "NearestMean",
    "PrincipalComponents",
]
