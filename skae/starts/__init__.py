"""Closed-form methods that a network starts from."""

from skae.starts._conditional import ConditionalStart
from skae.starts._gaussian import ConditionalGaussian
from skae.starts._nearest import NearestMean
from skae.starts._principal_components import PrincipalComponents, linear_maps

__all__ = [
    "ConditionalGaussian",
    "ConditionalStart",
    "NearestMean",
    "PrincipalComponents",
    "linear_maps",
]
