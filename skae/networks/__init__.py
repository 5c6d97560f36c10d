"""Network specifications: the shape of what is trained."""

from skae.networks._autoencoder import Autoencoder, StackedAutoencoder
from skae.networks._convolutional import ConvolutionalNetwork
from skae.networks._convolutional_layers import MemberConvolution
from skae.networks._dense import DenseNetwork
from skae.networks._layers import (
    ACTIVATIONS,
    MemberLinear,
    NetworkModule,
    blocks_of,
    positive_integers,
)
from skae.networks._members import (
    last_member,
    member_lists,
    member_tensors,
    repeated_member,
)
from skae.networks._network import Network
from skae.networks._randomness import global_draws_from
from skae.networks._resolve import resolve_network
from skae.networks._torch import TorchNetwork

__all__ = [
    "ACTIVATIONS",
    "Autoencoder",
    "ConvolutionalNetwork",
    "DenseNetwork",
    "MemberConvolution",
    "MemberLinear",
    "Network",
    "NetworkModule",
    "StackedAutoencoder",
    "TorchNetwork",
    "blocks_of",
    "global_draws_from",
    "last_member",
    "member_lists",
    "member_tensors",
    "positive_integers",
    "repeated_member",
    "resolve_network",
]
