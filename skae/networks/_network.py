"""What every network specification offers."""

from __future__ import annotations

import inspect
from typing import ClassVar

import torch
from sklearn.base import BaseEstimator

from skae.networks._autoencoder import Autoencoder
from skae.networks._layers import NetworkModule


class Network(BaseEstimator):
    """Base of network specifications: parameters only, never a module or a tensor.

    Because a specification is a :class:`~sklearn.base.BaseEstimator`, ``clone`` copies
    it and a grid reaches its parameters (``network__hidden_layer_sizes``). Derive a
    class from it for a network of your own and define the methods that your estimator
    needs; each returns a new module with freshly drawn weights. For modules that know
    nothing of members, use :class:`TorchNetwork` instead.

    Every tensor has a leading axis of members: networks of one shape that are trained
    at once. Modules take and return tensors ``(members, batch, n)``, or images
    ``(members, batch, height, width, channels)``, and each of their parameters and
    buffers begins with an axis of so many members, or of one for all. They are trained
    in float32 and predict in float64; weights are cast as needed.

    Attributes
    ----------
    rotation_invariant : bool, default=False
        Whether the network means the same in every orthonormal basis of its inputs. If
        so, it may see the rows in their principal components.
    code_activation : str, default="identity"
        Activation function of the code; a parameter where others are on offer.

    See Also
    --------
    DenseNetwork : Fully connected.
    ConvolutionalNetwork : For images.
    TorchNetwork : Modules of your own.

    Examples
    --------
    A network whose decoder is linear, so that a row is a weighted sum of prototypes:

    >>> from torch import nn
    >>> from skae import AutoencoderTransformer
    >>> from skae.networks import Autoencoder, DenseNetwork, Network
    >>> class Prototypes(Network):
    ...     def __init__(self, width=32):
    ...         self.width = width
    ...
    ...     def build_autoencoder(self, n_features, n_components, **draws):
    ...         encoder, decoder = DenseNetwork((self.width,)), DenseNetwork(())
    ...         return Autoencoder(
    ...             encoder.build_encoder(n_features, n_components, **draws),
    ...             decoder.build_encoder(n_components, n_features, **draws),
    ...         )
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.preprocessing import scale
    >>> reducer = AutoencoderTransformer(3, network=Prototypes(), random_state=0)
    >>> reducer.fit_transform(scale(load_wine().data)).shape
    (178, 3)
    >>> reducer.set_params(network__width=16).network
    Prototypes(width=16)
    """

    rotation_invariant: ClassVar[bool] = False
    code_activation: str = "identity"

    def build_autoencoder(
        self,
        n_features: int,
        n_components: int,
        *,
        members: int,
        generator: torch.Generator,
    ) -> Autoencoder:
        """Return an encoder and a decoder, for estimators with a code.

        Parameters
        ----------
        n_features : int
            Values in a row.
        n_components : int
            Values in its code.
        members : int
            Number of networks that are trained at once.
        generator : torch.Generator
            Source of the weights.

        Returns
        -------
        autoencoder : Autoencoder
            Both parts map tensors to tensors.
        """
        raise self._unsuitable("encodes and decodes")

    def build_encoder(
        self,
        n_features: int,
        n_outputs: int,
        *,
        members: int,
        generator: torch.Generator,
    ) -> NetworkModule:
        """Return the encoder alone, with as many outputs as are asked for.

        Parameters
        ----------
        n_features : int
            Values in a row.
        n_outputs : int
            Values of the output.
        members : int
            Number of networks that are trained at once.
        generator : torch.Generator
            Source of the weights.

        Returns
        -------
        encoder : NetworkModule
            From tensors to tensors; ``zero_output_`` makes it return zero.
        """
        raise self._unsuitable("only encodes")

    def build_map(
        self,
        input_shape: tuple[int, ...],
        output_shape: tuple[int, ...],
        *,
        members: int,
        generator: torch.Generator,
    ) -> NetworkModule:
        """Return a network without a code, from inputs to outputs in one piece.

        Parameters
        ----------
        input_shape, output_shape : tuple of int
            Of a row, or of an image with channels last.
        members : int
            Number of networks that are trained at once.
        generator : torch.Generator
            Source of the weights.

        Returns
        -------
        network : NetworkModule
            From tensors to tensors; ``zero_output_`` makes it return zero.
        """
        raise self._unsuitable("predicts features from features")

    def row_shape(
        self, n_features: int, table: str = "X", otherwise: str = ""
    ) -> tuple[int, ...]:
        """Return the shape in which a network without a code sees a row.

        Parameters
        ----------
        n_features : int
            Values in a row.
        table, otherwise : str
            What the rows are called, and what else a user can do, should an error tell
            that so many values have no such shape.

        Returns
        -------
        shape : tuple of int
            Here ``(n_features,)``; height, width and channels of an image.
        """
        return (n_features,)

    def _unsuitable(self, job: str) -> ValueError:
        return ValueError(
            f"network={type(self).__name__}(...) is for other estimators than one that "
            f"{job}; pass a DenseNetwork to this one."
        )


def check_no_code(network: Network, *parameters: str) -> None:
    """Raise a ValueError if parameters of a code are set where there is none."""
    defaults = inspect.signature(type(network)).parameters
    if any(getattr(network, name) != defaults[name].default for name in parameters):
        names = ", ".join(parameters[:-1]) + f" and {parameters[-1]}"
        raise ValueError(
            f"{names} are for an estimator with a code; leave them at their defaults."
        )
