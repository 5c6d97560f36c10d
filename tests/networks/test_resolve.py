"""Shorthand parameters and specifications."""

import pytest
import torch

from skae.networks import DenseNetwork, Network
from skae.networks._resolve import resolve_network


def test_shorthand() -> None:
    network = resolve_network("dense", (7, 3), "tanh")
    assert network.get_params() == DenseNetwork((7, 3), "tanh").get_params()


def test_specification_is_copied() -> None:
    spec = DenseNetwork((7,), connectivity=0.5)
    network = resolve_network(spec, "auto", "silu")
    assert network is not spec
    assert network.get_params() == spec.get_params()


@pytest.mark.parametrize("shorthand", [((7,), "silu"), ([], "silu"), ("auto", "relu")])
def test_shorthand_beside_a_specification_is_refused(shorthand: tuple) -> None:
    with pytest.raises(ValueError, match=r"hidden_layer_sizes and activation are"):
        resolve_network(DenseNetwork(), *shorthand)


class Shapeless(Network):
    """A network that builds nothing."""


@pytest.mark.parametrize(
    "build, sizes",
    [
        ("build_autoencoder", (5, 2)),
        ("build_encoder", (5, 2)),
        ("build_map", ((5,), (2,))),
    ],
)
def test_a_network_for_other_jobs_says_which_one_does(build: str, sizes: tuple) -> None:
    with pytest.raises(
        ValueError, match=r"^network=Shapeless\(\.\.\.\) is .*; pass a DenseNetwork to"
    ):
        getattr(Shapeless(), build)(*sizes, members=1, generator=torch.Generator())


@pytest.mark.parametrize("network", [Shapeless(), DenseNetwork()], ids=repr)
def test_rows_are_seen_as_they_are_by_default(network: Network) -> None:
    assert network.row_shape(5) == (5,)
