"""Network specifications: the shape of what is trained."""

from skae.networks._dense import DenseNetwork
from skae.networks._gap_network import GapNetwork, QuantileEncoding
from skae.networks._layers import ACTIVATIONS
from skae.networks._network import Network
from skae.networks._resolve import resolve_network

__all__ = [
    "ACTIVATIONS",
    "DenseNetwork",
    "GapNetwork",
    "Network",
    "QuantileEncoding",
    "resolve_network",
]
