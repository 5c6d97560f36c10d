"""Dense networks: shapes, members, and what a specification refuses."""

import pytest
import torch
from sklearn.base import clone
from torch.nn import functional

from skae.networks import DenseNetwork
from skae.networks._layers import ACTIVATIONS, MemberLinear


def build(spec: DenseNetwork, n_in: int = 5, members: int = 3, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return spec.build((n_in,), (n_in,), 2, members=members, generator=generator)


def widths(stack: torch.nn.Sequential) -> list[int]:
    layers = [layer for layer in stack.modules() if isinstance(layer, MemberLinear)]
    return [layers[0].weight.shape[1], *(layer.weight.shape[2] for layer in layers)]


@pytest.mark.parametrize(
    "n_in, width", [(1, 96), (48, 96), (49, 98), (96, 192), (784, 192)]
)
def test_auto_widths(n_in: int, width: int) -> None:
    module = build(DenseNetwork(), n_in)
    assert widths(module.encoder) == [n_in, width, width, width, 2]
    assert widths(module.decoder) == [2, width, width, width, n_in]


@pytest.mark.parametrize("sizes", [(), (7,), [9, 4], (9, 4, 3)])
def test_decoder_mirrors_encoder(sizes: tuple[int, ...]) -> None:
    module = build(DenseNetwork(sizes))
    assert widths(module.encoder) == [5, *sizes, 2]
    assert widths(module.decoder) == [2, *reversed(sizes), 5]


@pytest.mark.parametrize(
    "activation, function",
    [
        ("identity", lambda x: x),
        ("logistic", torch.sigmoid),
        ("tanh", torch.tanh),
        ("relu", torch.relu),
        ("elu", functional.elu),
        ("selu", functional.selu),
        ("gelu", functional.gelu),
        ("silu", functional.silu),
    ],
)
def test_forward_is_the_composition_of_its_layers(activation: str, function) -> None:
    module = build(DenseNetwork((7,), activation))
    x = torch.randn(3, 10, 5, dtype=torch.float64)

    def apply(stack: torch.nn.Sequential, x: torch.Tensor) -> torch.Tensor:
        (first, _), (last, _) = stack
        hidden = function(x @ first.weight + first.bias)
        return hidden @ last.weight + last.bias

    z = apply(module.encoder, x)
    torch.testing.assert_close(module.encode(x), z)
    torch.testing.assert_close(module.decode(z), apply(module.decoder, z))
    both = module({"input": x})
    torch.testing.assert_close(both["code"], z)
    torch.testing.assert_close(both["output"], module.decode(z))


def test_every_activation_is_tested() -> None:
    (mark,) = (
        m
        for m in test_forward_is_the_composition_of_its_layers.pytestmark
        if m.name == "parametrize"
    )
    assert {name for name, _ in mark.args[1]} == set(ACTIVATIONS)


def test_members_do_not_see_each_other() -> None:
    module = build(DenseNetwork((7,)))
    x = torch.randn(3, 10, 5, dtype=torch.float64, requires_grad=True)
    module({"input": x})["output"][1].sum().backward()
    touched = x.grad.flatten(1).any(dim=1)
    assert touched.tolist() == [False, True, False]


def test_weights_come_from_the_generator_alone() -> None:
    torch.manual_seed(0)
    one = build(DenseNetwork((7,)))
    torch.manual_seed(1)
    two = build(DenseNetwork((7,)))
    other = build(DenseNetwork((7,)), seed=1)
    for a, b, c in zip(
        one.parameters(), two.parameters(), other.parameters(), strict=True
    ):
        assert torch.equal(a, b)
        assert not torch.isclose(a, c).all()
        assert not torch.equal(a[0], a[1])


def test_initial_weights_keep_the_scale_of_their_input() -> None:
    layer = MemberLinear(100, 400, members=2, generator=torch.Generator())
    assert layer.weight.abs().max() <= 0.1
    assert layer.bias.abs().max() <= 0.1
    torch.testing.assert_close(
        layer.weight.std(), torch.tensor(0.1 / 3**0.5).double(), rtol=0.02, atol=0
    )


def test_zero_output() -> None:
    module = build(DenseNetwork((7,)))
    module.zero_output_()
    x = torch.randn(3, 10, 5, dtype=torch.float64)
    assert not module.encode(x).any()
    assert not module.decode(torch.randn(3, 10, 2, dtype=torch.float64)).any()
    # Only the last layers: with all weights zero, nothing would ever learn.
    assert module.encoder[0][0].weight.all()
    assert module.decoder[0][0].weight.all()


class TestMap:
    """Without a code: one stack from inputs to outputs."""

    def build(self, spec: DenseNetwork) -> torch.nn.Module:
        return spec.build((6,), (3,), members=2, generator=torch.Generator())

    @pytest.mark.parametrize("sizes", [(), (7,), (9, 4)])
    def test_widths(self, sizes: tuple[int, ...]) -> None:
        assert widths(self.build(DenseNetwork(sizes))) == [6, *sizes, 3]

    def test_auto_is_one_layer(self) -> None:
        assert widths(self.build(DenseNetwork())) == [6, 64, 3]

    def test_zero_output(self) -> None:
        module = self.build(DenseNetwork((7,)))
        x = torch.randn(2, 10, 6, dtype=torch.float64)
        assert module({"input": x})["output"].all()
        module.zero_output_()
        assert not module({"input": x})["output"].any()
        assert module.blocks[0][0].weight.all()


@pytest.mark.parametrize("sizes", ["large", (0,), (-3, 4), (2.5,)])
def test_bad_hidden_layer_sizes(sizes) -> None:
    with pytest.raises(ValueError, match="hidden_layer_sizes must be 'auto' or"):
        build(DenseNetwork(sizes))


def test_bad_activation() -> None:
    with pytest.raises(ValueError, match=r"activation must be one of .*'silu'.*"):
        build(DenseNetwork(activation="softplus"))


def test_specification_holds_parameters_only() -> None:
    spec = DenseNetwork((7,), "tanh")
    build(spec)
    assert vars(spec) == {
        "hidden_layer_sizes": (7,),
        "activation": "tanh",
        "connectivity": 1.0,
        "tied_weights": False,
        "code_activation": "identity",
    }
    assert clone(spec).get_params() == spec.get_params()
