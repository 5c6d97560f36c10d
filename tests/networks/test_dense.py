"""Dense networks: shapes, members, and what a specification refuses."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from torch.nn import functional

from skae import (
    AutoencoderTransformer,
    DenoisingTransformer,
    ReconstructionOutlierDetector,
)
from skae.networks import Autoencoder, DenseNetwork, MemberLinear, NetworkModule
from skae.networks._activations import ACTIVATIONS


def build(spec: DenseNetwork, n_in: int = 5, members: int = 3, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return spec.build_autoencoder(n_in, 2, members=members, generator=generator)


def widths(stack: torch.nn.Sequential) -> list[int]:
    layers = [layer for layer in stack.modules() if isinstance(layer, MemberLinear)]
    return [layers[0].weight.shape[1], *(layer.weight.shape[2] for layer in layers)]


@pytest.mark.parametrize(
    "n_in, width", [(1, 80), (40, 80), (41, 82), (64, 128), (784, 128)]
)
def test_auto_widths(n_in: int, width: int) -> None:
    module = build(DenseNetwork(), n_in)
    assert widths(module.encoder) == [n_in, width, width, 2]
    assert widths(module.decoder) == [2, width, width, n_in]


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


def test_initial_weights_keep_the_scale_of_their_input() -> None:
    layer = MemberLinear(100, 400, members=2, generator=torch.Generator())
    assert layer.weight.abs().max() <= 0.1
    assert layer.bias.abs().max() <= 0.1
    torch.testing.assert_close(
        layer.weight.std(), torch.tensor(0.1 / 3**0.5).double(), rtol=0.02, atol=0
    )


class TestMap:
    """Without a code: one stack from inputs to outputs."""

    def build(self, spec: DenseNetwork) -> torch.nn.Module:
        return spec.build_map((6,), (3,), members=2, generator=torch.Generator())

    @pytest.mark.parametrize("sizes", [(), (7,), (9, 4)])
    def test_widths(self, sizes: tuple[int, ...]) -> None:
        assert widths(self.build(DenseNetwork(sizes))) == [6, *sizes, 3]

    def test_auto_is_one_layer(self) -> None:
        assert widths(self.build(DenseNetwork())) == [6, 64, 3]

    def test_zero_output(self) -> None:
        module = self.build(DenseNetwork((7,)))
        x = torch.randn(2, 10, 6, dtype=torch.float64)
        assert module(x).all()
        module.zero_output_()
        assert not module(x).any()
        assert module[0][0].weight.all()

    @pytest.mark.parametrize("only_with_a_code", ["tied_weights", "code_activation"])
    def test_no_code_to_shape(self, only_with_a_code: str) -> None:
        values = {"tied_weights": True, "code_activation": "tanh"}
        parameters = {only_with_a_code: values[only_with_a_code]}
        with pytest.raises(ValueError, match="are for an estimator with a code"):
            self.build(DenseNetwork(**parameters))


@pytest.mark.parametrize("sizes", ["large", 0, 2.5, (0,), (-3, 4), (2.5,)])
def test_bad_hidden_layer_sizes(sizes) -> None:
    with pytest.raises(
        ValueError, match="hidden_layer_sizes must be 'auto', a positive"
    ):
        build(DenseNetwork(sizes))


@pytest.mark.parametrize("connectivity", [0, -0.5, 1.5])
def test_bad_connectivity(connectivity: float) -> None:
    with pytest.raises(ValueError, match=r"connectivity must be a number in \(0, 1\]"):
        build(DenseNetwork(connectivity=connectivity))


def test_missing_connections_cannot_be_tied() -> None:
    with pytest.raises(ValueError, match=r"tied_weights=True .* connectivity=1.0 or"):
        build(DenseNetwork(connectivity=0.5, tied_weights=True))


@pytest.mark.parametrize("connectivity", [0.2, 0.7])
def test_mirrored_layers_lack_connections_of_their_own(connectivity: float) -> None:
    module = build(DenseNetwork((40, 30), connectivity=connectivity), 50)
    for stage in module.stages():
        kept, back = stage.encoder[0].kept, stage.decoder[0].kept
        assert not torch.equal(kept.mT, back)
        assert abs(back.mean() - connectivity) < 0.2


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


class InFloat32(DenseNetwork):
    """Draws its weights as torch does by default."""

    def build_autoencoder(self, *shape: int, **draws) -> Autoencoder:
        return super().build_autoencoder(*shape, **draws).float()

    def build_map(self, *shapes: tuple[int, ...], **draws) -> NetworkModule:
        return super().build_map(*shapes, **draws).float()


@pytest.mark.parametrize(
    "estimator",
    [
        AutoencoderTransformer(2),
        AutoencoderTransformer(2, start=None),
        DenoisingTransformer(),
        ReconstructionOutlierDetector(),
    ],
    ids=str,
)
def test_a_network_may_be_built_in_float32(estimator: BaseEstimator) -> None:
    """It is trained in float32 and predicts in float64, whatever it is built in."""
    X = np.random.RandomState(0).normal(size=(60, 5))
    network = InFloat32((6,))
    fitted = clone(estimator).set_params(network=network, max_iter=2, random_state=0)
    fitted.fit(X)
    assert {p.dtype for p in fitted.module_.parameters()} == {torch.float64}
