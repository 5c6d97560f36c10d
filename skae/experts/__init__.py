"""The detector's experts: each reconstructs a row in a way of its own."""

from skae.experts._core import core_rows
from skae.experts._expert import Expert
from skae.experts._masked_network import MaskedNetwork
from skae.experts._nearest_rows import NearestRows
from skae.experts._robust_scaling import RobustScaling
from skae.experts._surprise import Surprise

__all__ = [
    "Expert",
    "MaskedNetwork",
    "NearestRows",
    "RobustScaling",
    "Surprise",
    "core_rows",
]
