"""Network specifications: the shape of what is trained."""

from skae.networks._autoencoder import Autoencoder, StackedAutoencoder
from skae.networks._convolutional import ConvolutionalNetwork
from skae.networks._convolutional_layers import MemberConvolution
from skae.networks._dense import DenseNetwork
from skae.networks._images import ImageShape, image_shape_of
from skae.networks._layers import (
    ACTIVATIONS,
    Layer,
    MemberLinear,
    blocks_of,
    positive_integers,
    products_of,
)
from skae.networks._network import Network
from skae.networks._resolve import resolve_network

__all__ = [
    "ACTIVATIONS",
    "Autoencoder",
    "ConvolutionalNetwork",
    "DenseNetwork",
    "ImageShape",
    "Layer",
    "MemberConvolution",
    "MemberLinear",
    "Network",
    "StackedAutoencoder",
    "blocks_of",
    "image_shape_of",
    "positive_integers",
    "products_of",
    "resolve_network",
]
