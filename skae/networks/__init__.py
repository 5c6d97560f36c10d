"""Network specifications, and the modules that one's own can be made of."""

from skae.networks._autoencoder import Autoencoder
from skae.networks._convolutional import ConvolutionalNetwork
from skae.networks._convolutional_layers import MemberConvolution
from skae.networks._dense import DenseNetwork
from skae.networks._layers import MemberLinear, NetworkModule
from skae.networks._network import Network
from skae.networks._torch import TorchNetwork

__all__ = [
    "Autoencoder",
    "ConvolutionalNetwork",
    "DenseNetwork",
    "MemberConvolution",
    "MemberLinear",
    "Network",
    "NetworkModule",
    "TorchNetwork",
]
