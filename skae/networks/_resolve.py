"""The shorthand parameters of an estimator, resolved to a specification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sklearn.base import clone

from skae.networks._dense import DenseNetwork
from skae.networks._network import Network


def resolve_network(
    network: Literal["dense"] | Network,
    hidden_layer_sizes: Literal["auto"] | int | Sequence[int],
    activation: str,
) -> Network:
    """Return a specification of its own; a shorthand beside one is refused."""
    if not isinstance(network, Network):
        return DenseNetwork(hidden_layer_sizes, activation)
    if not isinstance(hidden_layer_sizes, str) or activation != "silu":
        raise ValueError(
            "hidden_layer_sizes and activation are shorthand for network='dense'; set "
            "them on the specification passed as network."
        )
    return clone(network)
