"""Network specifications: the shape of what is trained."""

from skae.networks._dense import DenseNetwork
from skae.networks._gap_network import GapNetwork, QuantileEncoding
from skae.networks._layers import ACTIVATIONS
from skae.networks._network import Network

__all__ = [
    "ACTIVATIONS",
    "DenseNetwork",
    "GapNetwork",
    "Network",
    "QuantileEncoding",
]
