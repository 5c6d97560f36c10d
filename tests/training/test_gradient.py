"""The rules of all layers find the gradients that autograd finds."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import nn
from torch.nn.utils import parametrizations

from skae._starts import PrincipalComponents, linear_maps
from skae._training import Objective, Tensors
from skae._training._flat import FlatParameters
from skae._training._gradient import (
    GradientByAutograd,
    GradientByRules,
    gradient_of,
)
from skae.estimators.transformer._module import (
    DistanceFade,
    FadedSum,
    GatedAutoencoder,
    fine_tuned,
)
from skae.losses import LOSSES, Loss
from skae.networks import (
    Autoencoder,
    ConvolutionalNetwork,
    DenseNetwork,
    MemberLinear,
    Network,
)
from skae.networks._activations import ACTIVATIONS
from skae.networks._pullback import Differentiable, Gradients, covered
from skae.penalties import Contraction
from tests.training._gradients import assert_same_gradients

SQUARED = Objective(LOSSES["squared_error"])

quick = settings(deadline=None, derandomize=True, database=None, max_examples=60)
sizes = st.integers(1, 5)
activations = st.sampled_from(sorted(ACTIVATIONS))
networks = st.builds(
    DenseNetwork,
    st.lists(sizes, max_size=3),
    activations,
    code_activation=activations,
    tied_weights=st.booleans(),
) | st.builds(
    DenseNetwork, st.lists(sizes, max_size=3), activations, connectivity=st.just(0.5)
)

channels = st.lists(st.integers(1, 3), max_size=3)


def draws(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch_of(members: int, n_rows: int, n_features: int) -> dict[str, torch.Tensor]:
    x = torch.randn(
        members, n_rows, n_features, generator=draws(1), dtype=torch.float64
    )
    return {"input": x, "target": x.sigmoid()}


def shaken(module: nn.Module) -> nn.Module:
    """Without the zeros of a network that has yet to learn."""
    generator = draws(2)
    for parameter in module.double().parameters():
        noise = torch.empty_like(parameter).normal_(generator=generator)
        parameter.data.add_(noise, alpha=0.3)
    return module


def build(network: Network, n: int, k: int, members: int) -> Autoencoder:
    return network.build_autoencoder(n, k, members=members, generator=draws(0)).double()


@quick
@given(networks, sizes, sizes, sizes, sizes, st.sampled_from(sorted(LOSSES)))
def test_autoencoders(
    network: DenseNetwork, n: int, k: int, members: int, n_rows: int, loss: str
) -> None:
    module = shaken(build(network, n, k, members))
    assert_same_gradients(module, Objective(LOSSES[loss]), batch_of(members, n_rows, n))


@quick
@given(networks, sizes, sizes, sizes, st.floats(0.1, 3))
def test_faded_sums(
    network: DenseNetwork, n: int, k: int, members: int, reach: float
) -> None:
    """Of rows near the centre, far from it, and where the fade falls."""
    start = build(DenseNetwork((3,)), n, k, members)
    added = build(network, n, k, members)
    added.zero_output_()
    fades = [DistanceFade(torch.full((size,), 1 / reach)) for size in (n, k)]
    module = GatedAutoencoder(
        FadedSum(start.encoder, added.encoder, fades[0]),
        FadedSum(start.decoder, added.decoder, fades[1]),
    )
    assert_same_gradients(shaken(module), SQUARED, batch_of(members, 9, n))


@quick
@given(
    st.sampled_from([(4, 5), (5, 4, 2), (7, 6)]), channels, st.integers(1, 4),
    st.integers(1, 3), activations, st.booleans(), sizes, sizes,
)  # fmt: skip
def test_convolutions_and_back(
    shape: tuple[int, ...], channels: list[int], kernel_size: int, stride: int,
    activation: str, tied_weights: bool, members: int, n_rows: int,
) -> None:  # fmt: skip
    network = ConvolutionalNetwork(
        shape, channels[:1], kernel_size, min(stride, kernel_size), 3, activation,
        tied_weights,
    )  # fmt: skip
    n = math.prod(shape)
    module = shaken(build(network, n, 2, members))
    assert_same_gradients(module, SQUARED, batch_of(members, n_rows, n))


class AsModule(Differentiable):
    """A network without a code in the place of a module."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Tensors, generator: torch.Generator) -> Tensors:
        return {"output": self.network(batch["input"])}

    def record(self, batch: Tensors) -> tuple[torch.Tensor, Any]:
        return self.network.record(batch["input"])

    def collect(self, gradient: torch.Tensor, kept: Any, gradients: Gradients) -> None:
        self.network.collect(gradient, kept, gradients)


@quick
@given(
    channels, st.sampled_from([1, 3, 5]), st.integers(1, 3), activations,
    st.integers(1, 3), st.integers(1, 3), sizes, sizes,
)  # fmt: skip
def test_images_to_images(
    channels: list[int], kernel_size: int, factor: int, activation: str,
    channels_in: int, channels_out: int, members: int, n_rows: int,
) -> None:  # fmt: skip
    """With layers that add to what they see, and with others."""
    shapes = (4, 3, channels_in), (4 * factor, 3 * factor, channels_out)
    network = ConvolutionalNetwork(
        shapes[1], channels, kernel_size, activation=activation
    )
    module = AsModule(network.build_map(*shapes, members=members, generator=draws(0)))
    degraded, clean = (
        torch.randn(members, n_rows, *shape, generator=draws(1), dtype=torch.float64)
        for shape in shapes
    )
    batch = {"input": degraded, "target": clean}
    assert_same_gradients(shaken(module), SQUARED, batch)


def test_a_start_is_fixed_beside_a_network_and_free_when_it_is_tuned() -> None:
    x = batch_of(1, 30, 5)["input"][0].numpy()
    start = Autoencoder(*linear_maps([PrincipalComponents().fit(x)], 2))
    assert not any(parameter.requires_grad for parameter in start.parameters())
    module = shaken(fine_tuned(start, members=3))
    assert sum(parameter.requires_grad for parameter in module.parameters()) == 4
    assert_same_gradients(module, SQUARED, batch_of(3, 8, 5))


def test_a_loss_that_does_not_tell_its_slope() -> None:
    own = Objective(Loss(partial(nn.functional.smooth_l1_loss, reduction="none")))
    module = shaken(build(DenseNetwork((3,)), 4, 2, 2))
    assert_same_gradients(module, own, batch_of(2, 6, 4))


def test_elements_count_as_much_as_they_weigh() -> None:
    batch = batch_of(2, 6, 4)
    weight = torch.rand(2, 6, 4, generator=draws(3)) < 0.5
    module = shaken(build(DenseNetwork((3,)), 4, 2, 2))
    assert_same_gradients(module, SQUARED, batch | {"weight": weight})


class Doubled(MemberLinear):
    """Computes something else than what its rule is for."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)


def linear(kind: type[MemberLinear] = MemberLinear) -> MemberLinear:
    return kind(4, 4, members=1, generator=draws(0))


def hooked() -> MemberLinear:
    layer = linear()
    layer.register_forward_hook(lambda module, x, y: 2 * y)
    return layer


class TestWhoFindsIt:
    """Rules hold for what they were written for, and autograd for all else."""

    def kind(self, encoder: nn.Module, objective: Objective = SQUARED) -> type:
        module = Autoencoder(encoder, linear()).float()
        flat = FlatParameters(module)
        return type(gradient_of(module, objective, flat, draws(0)))

    def test_layers_of_the_package(self) -> None:
        assert self.kind(linear()) is GradientByRules

    @pytest.mark.parametrize(
        "encoder",
        [
            nn.Linear(4, 4),
            nn.Sequential(linear(), nn.SiLU()),
            linear(Doubled),
            hooked(),
            parametrizations.weight_norm(linear()),
        ],
        ids=["torch's", "a part of torch", "derived", "with a hook", "parametrized"],
    )
    def test_other_layers(self, encoder: nn.Module) -> None:
        assert not covered(encoder)
        assert self.kind(encoder) is GradientByAutograd

    def test_further_terms(self) -> None:
        penalised = Objective(SQUARED.loss, terms={"penalty": Contraction().term})
        assert self.kind(linear(), penalised) is GradientByAutograd


@pytest.mark.parametrize("name", LOSSES)
def test_slope_of_a_loss(name: str) -> None:
    output = torch.linspace(-3, 3, 20, dtype=torch.float64, requires_grad=True)
    target = torch.full_like(output, 0.3)
    loss = LOSSES[name]
    loss.pointwise(output, target).sum().backward()
    slope = loss.slope(output.detach(), target)
    torch.testing.assert_close(slope, output.grad, rtol=1e-12, atol=0)
