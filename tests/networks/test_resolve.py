"""Shorthand parameters and specifications."""

import pytest

from skae.networks import DenseNetwork, resolve_network


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
