"""Laws of every network with a bottleneck: tied, in stages, and as a residual."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from sklearn.base import clone
from torch import nn

from skae.networks import ConvolutionalNetwork, DenseNetwork
from skae.networks._activations import ACTIVATIONS
from skae.networks._autoencoder import StackedAutoencoder

SPECS = {
    "dense": DenseNetwork((9, 6)),
    "linear": DenseNetwork(()),
    "convolutional": ConvolutionalNetwork((7, 5, 2), (3, 4), 3, 2, hidden_size=6),
    "convolutions only": ConvolutionalNetwork((7, 5, 2), (3,), 3, 2, hidden_size=None),
}
N_FEATURES, N_COMPONENTS, MEMBERS = 70, 4, 3


def build(name: str, members: int = MEMBERS, **parameters) -> StackedAutoencoder:
    return (
        clone(SPECS[name])
        .set_params(**parameters)
        .build_autoencoder(
            N_FEATURES,
            N_COMPONENTS,
            members=members,
            generator=torch.Generator().manual_seed(0),
        )
    )


def rows(n: int = N_FEATURES, members: int = MEMBERS) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(members, 10, n, generator=generator, dtype=torch.float64)


every_spec = pytest.mark.parametrize("name", SPECS)
tied_or_not = pytest.mark.parametrize("tied_weights", [False, True])
every_activation = pytest.mark.parametrize("activation", ACTIVATIONS)


@every_spec
@tied_or_not
def test_forward_returns_output_and_code(name: str, tied_weights: bool) -> None:
    module = build(name, tied_weights=tied_weights)
    x = rows()
    both = module({"input": x})
    assert both["code"].shape == (MEMBERS, 10, N_COMPONENTS)
    assert both["output"].shape == x.shape
    assert torch.equal(both["code"], module.encoder(x))
    assert torch.equal(both["output"], module.decoder(both["code"]))


@every_spec
@every_activation
def test_activation_of_the_code(name: str, activation: str) -> None:
    """It is applied to what would be the code without it."""
    x = rows()
    code = build(name, code_activation=activation).encode(x)
    expected = ACTIVATIONS[activation]()(build(name).encode(x))
    torch.testing.assert_close(code, expected)


@every_spec
@tied_or_not
def test_members_do_not_see_each_other(name: str, tied_weights: bool) -> None:
    """Each member computes what it would compute alone."""
    module, x = build(name, tied_weights=tied_weights), rows()
    together = module({"input": x})["output"]
    for member in range(MEMBERS):
        alone = build(name, members=1, tied_weights=tied_weights)
        of_member = {k: v[member : member + 1] for k, v in module.state_dict().items()}
        alone.load_state_dict(of_member)
        output = alone({"input": x[member : member + 1]})["output"]
        torch.testing.assert_close(output, together[member : member + 1])


@every_spec
@tied_or_not
def test_weights_come_from_the_generator_alone(name: str, tied_weights: bool) -> None:
    torch.manual_seed(0)
    one = build(name, tied_weights=tied_weights)
    torch.manual_seed(1)
    two = build(name, tied_weights=tied_weights)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)
        assert not torch.isclose(a[0], a[1]).all()


@every_spec
@tied_or_not
def test_rows_do_not_see_each_other(name: str, tied_weights: bool) -> None:
    module, x = build(name, tied_weights=tied_weights), rows()
    together = module({"input": x})["output"]
    alone = [module({"input": x[:, [i]]})["output"] for i in range(x.shape[1])]
    torch.testing.assert_close(torch.cat(alone, dim=1), together, rtol=0, atol=1e-12)


@every_spec
@tied_or_not
def test_order_of_memory_does_not_matter(name: str, tied_weights: bool) -> None:
    module, x = build(name, tied_weights=tied_weights), rows()
    columns_first = x.mT.contiguous().mT
    assert not columns_first.is_contiguous()
    for encode in (module.encode, module.stages()[0].encode):
        torch.testing.assert_close(encode(columns_first), encode(x))


class TestEncoder:
    """The encoder alone, with as many outputs as are asked for."""

    @staticmethod
    def build(name: str, n_outputs: int = N_COMPONENTS, **parameters) -> nn.Module:
        spec = clone(SPECS[name]).set_params(**parameters)
        return spec.build_encoder(
            N_FEATURES,
            n_outputs,
            members=MEMBERS,
            generator=torch.Generator().manual_seed(0),
        )

    @every_spec
    @pytest.mark.parametrize("n_outputs", [1, N_COMPONENTS, N_FEATURES + 1])
    def test_shape(self, name: str, n_outputs: int) -> None:
        output = self.build(name, n_outputs)(rows())
        assert output.shape == (MEMBERS, 10, n_outputs)
        assert output.dtype == torch.float64

    @every_spec
    @tied_or_not
    @every_activation
    def test_is_that_of_the_autoencoder(
        self, name: str, tied_weights: bool, activation: str
    ) -> None:
        """From the same generator it has the same weights, and the same layers."""
        parameters = {
            "activation": activation,
            "code_activation": activation,
            "tied_weights": tied_weights,
        }
        alone, whole = self.build(name, **parameters), build(name, **parameters)
        assert alone.state_dict().keys() == whole.encoder.state_dict().keys()
        assert torch.equal(alone(rows()), whole.encode(rows()))

    @every_spec
    def test_zero_output(self, name: str) -> None:
        encoder, x = self.build(name), rows()
        assert encoder(x).all()
        encoder.zero_output_()
        assert not encoder(x).any()
        if name != "linear":
            assert encoder[0][0].weight.all()


class TestTied:
    @every_spec
    def test_half_the_weights(self, name: str) -> None:
        def count(module: nn.Module) -> int:
            named = module.named_parameters()
            return sum(p.numel() for key, p in named if key.endswith("weight"))

        assert 2 * count(build(name, tied_weights=True)) == count(build(name))

    @every_spec
    def test_every_layer_of_the_decoder_is_the_transpose(self, name: str) -> None:
        """For all x and y, <Ax, y> = <x, A'y>: there is no other such map."""
        n = N_FEATURES
        for stage in build(name, tied_weights=True).stages():
            layer, back = stage.encoder[0], stage.decoder[0]
            nn.init.zeros_(layer.bias)
            nn.init.zeros_(back.bias)
            x = rows(n)
            there = layer(x)
            n = there.shape[-1]
            y = rows(n).roll(1, dims=1)
            torch.testing.assert_close((there * y).sum(-1), (x * back(y)).sum(-1))

    @every_spec
    @pytest.mark.parametrize(
        "copied",
        [
            copy.deepcopy,
            lambda module: pickle.loads(pickle.dumps(module)),
            lambda module: copy.deepcopy(module).float().double(),
        ],
        ids=["deepcopy", "pickle", "float"],
    )
    def test_copies_stay_tied(self, name: str, copied) -> None:
        twin = copied(build(name, tied_weights=True))
        for stage in twin.stages():
            assert stage.encoder[0].weight is stage.decoder[0].weight
            assert stage.encoder[0].bias is not stage.decoder[0].bias

    @every_spec
    def test_both_sides_train_the_weights(self, name: str) -> None:
        module, x = build(name, tied_weights=True), rows()
        weight = module.encoder[0][0].weight
        (from_both,) = torch.autograd.grad(module({"input": x})["output"].sum(), weight)
        code = module.encode(x).detach()
        (from_decoder,) = torch.autograd.grad(module.decode(code).sum(), weight)
        assert from_decoder.any()
        assert not torch.isclose(from_both, from_decoder).all()


class TestStages:
    @every_spec
    @tied_or_not
    def test_compose_to_the_whole(self, name: str, tied_weights: bool) -> None:
        module, x = build(name, tied_weights=tied_weights), rows()
        stages = module.stages()
        code = x
        for stage in stages:
            below, code = code, stage.encode(code)
            assert stage.decode(code).shape == below.shape
        torch.testing.assert_close(code, module.encode(x))
        output = code
        for stage in reversed(stages):
            output = stage.decode(output)
        torch.testing.assert_close(output, module.decode(code))

    @every_spec
    @tied_or_not
    def test_have_the_parameters_of_the_whole(
        self, name: str, tied_weights: bool
    ) -> None:
        module = build(name, tied_weights=tied_weights)
        of_stages = [{*stage.parameters()} for stage in module.stages()]
        assert set.union(*of_stages) == {*module.parameters()}
        assert sum(map(len, of_stages)) == len([*module.parameters()])


class TestZeroOutput:
    @every_spec
    @tied_or_not
    @every_activation
    def test_adds_nothing(self, name: str, tied_weights: bool, activation: str) -> None:
        module = build(name, tied_weights=tied_weights, activation=activation)
        module.zero_output_()
        x, z = rows(), 10 * rows(N_COMPONENTS)
        zero = {"rtol": 0, "atol": 1e-12}
        torch.testing.assert_close(module.encode(x), torch.zeros_like(z), **zero)
        torch.testing.assert_close(module.decode(z), torch.zeros_like(x), **zero)

    @pytest.mark.parametrize("name", [name for name in SPECS if name != "linear"])
    @tied_or_not
    def test_leaves_pca_behind(self, name: str, tied_weights: bool) -> None:
        """Not easy, as the errors of PCA on all rows correlate with nothing linear."""
        module = build(name, members=1, tied_weights=tied_weights)
        module.zero_output_()
        x = rows(members=1)
        x = x - x.mean(dim=1, keepdim=True)
        components = torch.linalg.svd(x[0], full_matrices=False).Vh[:N_COMPONENTS]
        optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
        errors, slopes = [], []
        for _ in range(30):
            optimizer.zero_grad()
            z = x @ components.T + module.encode(x)
            error = (z @ components + module.decode(z) - x).square().mean()
            error.backward()
            optimizer.step()
            errors.append(error.item())
            slopes.append([p.grad.abs().max().item() for p in module.parameters()])
        # Adam would leave a saddle as well, by rounding errors, but late.
        assert max(slopes[0]) > 1e-6
        assert min(slopes[-1]) > 1e-6
        assert errors[-1] < 0.95 * errors[0]


@every_spec
@tied_or_not
def test_leading_axis_of_members(name: str, tied_weights: bool) -> None:
    module = build(name, tied_weights=tied_weights)
    module.zero_output_()
    for tensor in (*module.parameters(), *module.buffers()):
        assert len(tensor) == MEMBERS
        assert tensor.dtype == torch.float64


@pytest.mark.parametrize("parameter", ["activation", "code_activation"])
@every_spec
def test_unknown_activation(name: str, parameter: str) -> None:
    with pytest.raises(ValueError, match=rf"^{parameter} must be one of .*'silu'"):
        build(name, **{parameter: "sine"})
