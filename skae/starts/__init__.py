"""Closed-form methods that a network starts from."""

from skae.starts._conditional import ConditionalStart
from skae.starts._gaussian import ConditionalGaussian
from skae.starts._linear_map import Examples, IdentityStart, LinearStart, split_gaps
from skae.starts._local_filter import LocalStart
from skae.starts._nearest import NearestMean
from skae.starts._principal_components import PrincipalComponents, linear_maps
from skae.starts._surroundings import (
    NoSurroundings,
    Surroundings,
    enlarged,
    relative,
    surroundings_of,
)

__all__ = [
    "ConditionalGaussian",
    "ConditionalStart",
    "Examples",
    "IdentityStart",
    "LinearStart",
    "LocalStart",
    "NearestMean",
    "NoSurroundings",
    "PrincipalComponents",
    "Surroundings",
    "enlarged",
    "linear_maps",
    "relative",
    "split_gaps",
    "surroundings_of",
]
