"""What the units of the first layer of an encoder look for."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from skae._tables import Coordinates, predicting
from skae.estimators.transformer._module import GatedSide
from skae.networks import MemberConvolution, MemberLinear


@predicting()
def filters_of(encoder: nn.Module, coordinates: Coordinates) -> np.ndarray:
    """Return the weights of features, or kernels, past a start that is added to."""
    layer = _first_layer(encoder)
    if isinstance(layer, MemberConvolution):
        # Channels last, or none if there is one only.
        kernels = layer.weight[0].permute(0, 2, 3, 1).numpy()
        kernels = kernels / coordinates.scale
        return kernels[..., 0] if kernels.shape[-1] == 1 else kernels
    if isinstance(layer, MemberLinear):
        return _weights_of_features(layer, coordinates)
    raise ValueError(
        "This estimator has no filters to draw: fit kept the start without a network, "
        "or the network has layers of another kind; fit with start=None, or cv=None."
    )


def _first_layer(encoder: nn.Module) -> nn.Module | None:
    while isinstance(encoder, GatedSide):
        encoder = encoder.learned
    layers = MemberLinear | MemberConvolution
    found = (module for module in encoder.modules() if isinstance(module, layers))
    return next(found, None)


def _weights_of_features(layer: MemberLinear, coordinates: Coordinates) -> np.ndarray:
    """Weight of each feature in each unit of a layer that sees coordinates."""
    unit_vectors = torch.eye(coordinates.n_coordinates, dtype=layer.weight.dtype)[None]
    # Asked for, because some layers leave out a part of their weights.
    weights = (layer(unit_vectors) - layer.bias)[0].numpy().T / coordinates.scale
    return weights if coordinates.basis is None else weights @ coordinates.basis
