"""A start and what a network adds to it: what holds for every such module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from skae._starts import IdentityStart
from skae._tables import Coordinates
from skae._training import Gated
from skae.estimators.denoiser._examples import Pairs
from skae.estimators.denoiser._module import Restorer
from skae.estimators.denoiser._surroundings import NoSurroundings
from skae.estimators.imputer._module import GapNetwork, QuantileEncoding
from skae.estimators.transformer._module import GatedAutoencoder, fine_tuned, residual
from skae.networks import Autoencoder, DenseNetwork

N_ROWS, N_FEATURES, N_COMPONENTS, MEMBERS = 20, 4, 2, 2


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=draws(seed), dtype=torch.float64)


def network(members: int = MEMBERS) -> Autoencoder:
    spec = DenseNetwork((8,), "tanh")
    return spec.build_autoencoder(
        N_FEATURES, N_COMPONENTS, members=members, generator=draws()
    )


def faded(rows: torch.Tensor) -> GatedAutoencoder:
    start = network().requires_grad_(False)
    return residual(start, network(), rows[0])


@dataclass
class Case:
    """A gated module and what it is called with.

    Attributes
    ----------
    module : Gated
        As it is before the first step.
    output : callable
        Its output.
    inputs : tuple
        Of ``start_output`` and ``correction``.
    """

    module: Gated
    output: Callable[[], torch.Tensor]
    inputs: tuple[Any, ...]

    @property
    def start(self) -> torch.Tensor:
        return self.module.start_output(*self.inputs)

    @property
    def correction(self) -> torch.Tensor:
        return self.module.correction(*self.inputs)

    @property
    def learned(self) -> list[nn.Parameter]:
        return [p for p in self.module.parameters() if p.requires_grad]


def side(module: Gated, x: torch.Tensor) -> Case:
    return Case(module, lambda: module(x), (x,))


def gap_network() -> Case:
    rows = normal(N_ROWS, N_FEATURES)
    observed = normal(N_ROWS, N_FEATURES, seed=2) > 0
    encoding = QuantileEncoding.of(rows, observed)
    module = GapNetwork(encoding, (8,), "tanh", members=MEMBERS, generator=draws())
    batch = {"input": rows[None], "observed": observed[None].double()}
    return Case(module, lambda: module(batch)["output"], (batch,))


def restorer() -> Case:
    """Of rows without gaps, which the start doubles."""
    view, nothing = Coordinates(np.zeros(1), 1.0), torch.zeros(1, N_FEATURES)
    pairs = Pairs(nothing, nothing, (view, view), NoSurroundings())
    module = Restorer.build(DenseNetwork((8,), "tanh"), pairs, draws())
    module.start, module.unit = IdentityStart(2.0, torch.ones(1, 1)), 0.5
    x = normal(1, N_ROWS, N_FEATURES)
    restored = 2 * x + 1
    return Case(
        module, lambda: module({"input": x})["output"], (restored, [x, restored])
    )


def cases() -> dict[str, Case]:
    rows = normal(1, N_ROWS, N_FEATURES).expand(MEMBERS, -1, -1)
    codes = normal(1, N_ROWS, N_COMPONENTS).expand(MEMBERS, -1, -1)
    tuned = fine_tuned(network(members=1), MEMBERS)
    return {
        "FadedSum, encoder": side(faded(rows).encoder, rows),
        "FadedSum, decoder": side(faded(rows).decoder, codes),
        "Blend, encoder": side(tuned.encoder, rows),
        "Blend, decoder": side(tuned.decoder, codes),
        "GapNetwork": gap_network(),
        "Restorer": restorer(),
    }


@pytest.fixture(params=list(cases()))
def case(request: pytest.FixtureRequest) -> Case:
    return cases()[request.param]


def learn_something(case: Case) -> None:
    generator = draws(3)
    for parameter in case.learned:
        parameter.data.normal_(generator=generator)


def test_before_the_first_step_it_is_the_start(case: Case) -> None:
    assert case.module.weight == 1
    output = case.output()
    assert output.shape == case.start.shape
    assert torch.equal(output, case.start)
    assert not case.correction.any()


def test_without_weight_it_is_the_start_whatever_was_learned(case: Case) -> None:
    """Bit for bit, also beside a network that holds no numbers any more."""
    before = case.start.clone()
    case.module.weight = 0.0
    learn_something(case)
    assert torch.equal(case.output(), before)
    for parameter in case.learned:
        parameter.data.fill_(torch.nan)
    assert torch.equal(case.output(), before)
    assert before.isfinite().all()


@pytest.mark.parametrize("weight", [0.25, 0.5, 1.0])
def test_it_is_the_start_and_so_much_of_the_correction(
    case: Case, weight: float
) -> None:
    learn_something(case)
    whole = case.correction
    assert whole.abs().max() > 0.01
    case.module.weight = weight
    torch.testing.assert_close(case.correction, weight * whole)
    torch.testing.assert_close(case.output(), case.start + weight * whole)


def test_every_weight_can_be_learned(case: Case) -> None:
    """One step may only move the last layers; after it, all have a gradient."""
    generator = draws(4)
    for parameter in case.learned:
        assert len(parameter) == len(case.output())
    for _ in range(2):
        case.module.zero_grad()
        wanted = torch.randn(
            case.output().shape, generator=generator, dtype=torch.float64
        )
        (case.output() - wanted).square().sum().backward()
        for parameter in case.learned:
            parameter.data -= 0.01 * parameter.grad
    for parameter in case.learned:
        # Once per member, else one of them would never learn.
        assert parameter.grad.flatten(1).any(dim=1).all()
