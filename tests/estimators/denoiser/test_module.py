"""A start and a network as one module, and what it is trained for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from skae._starts import IdentityStart
from skae._training import RestorationObjective
from skae.estimators.denoiser._module import Restorer
from skae.estimators.denoiser._prediction import mean_psnr
from skae.estimators.denoiser._surroundings import NoSurroundings, Surroundings
from skae.losses import LOSSES
from skae.networks import ConvolutionalNetwork, DenseNetwork, Network

F64 = torch.float64
CASES = {
    "dense": (DenseNetwork((8,)), (6,), (6,), False),
    "dense with gaps": (DenseNetwork((8,)), (6,), (6,), True),
    "images": (ConvolutionalNetwork((4, 6, 2), (3, 3)), (4, 6, 2), (4, 6, 2), False),
    "with gaps": (ConvolutionalNetwork((4, 6), (3, 3)), (4, 6, 1), (4, 6, 1), True),
    "enlarged": (ConvolutionalNetwork((4, 6), (3, 3)), (2, 3, 1), (4, 6, 1), False),
    "colour": (ConvolutionalNetwork((6, 9, 2), (3,)), (2, 3, 2), (6, 9, 2), False),
}


class Nearest(nn.Module):
    """Makes every pixel a square, no two of whose pixels are alike."""

    radius = 0

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, values: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        if self.factor == 1:
            return 2 * values + 1
        square = torch.arange(1.0, self.factor**2 + 1, dtype=values.dtype)
        square = square.view(self.factor, self.factor, 1)
        return torch.stack(
            [torch.stack([torch.kron(x, square) for x in rows]) for rows in values]
        )


def build(
    network: Network, degraded, clean, gaps: bool, surroundings: nn.Module | None = None
) -> Restorer:
    generator = torch.Generator().manual_seed(0)
    surroundings = surroundings or NoSurroundings()
    module = Restorer(
        network, degraded, clean, surroundings, gaps=gaps, generator=generator
    )
    module.start = Nearest(module.factor)
    return module


def noise(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


@pytest.mark.parametrize("case", CASES)
class TestRestorer:
    def test_is_the_start_before_the_first_step(self, case: str) -> None:
        module = build(*CASES[case])
        module.weight = 1.0
        x = noise(1, 5, *CASES[case][1])
        visible = torch.ones_like(x)
        assert torch.equal(module({"input": x})["output"], module.start(x, visible))

    def test_weight_and_unit_scale_what_the_network_adds(self, case: str) -> None:
        module = build(*CASES[case])
        for parameter in module.network.parameters():
            nn.init.normal_(parameter, generator=torch.Generator().manual_seed(2))
        x = noise(1, 5, *CASES[case][1])
        start = module.start(x, torch.ones_like(x))
        module.weight = 1.0
        whole = module({"input": x})["output"] - start
        assert whole.abs().min() > 0
        module.weight, module.unit = 0.5, 0.1
        part = module({"input": x})["output"] - start
        torch.testing.assert_close(part, 0.05 * whole)
        module.weight = 0.0
        assert torch.equal(module({"input": x})["output"], start)

    def test_the_network_sees_row_start_and_gaps(self, case: str) -> None:
        """What the start made of a pixel, row by row, beside that pixel."""
        _, degraded, clean, gaps = CASES[case]
        module = build(*CASES[case])
        module.weight = 1.0
        x = noise(1, 5, *degraded)
        if gaps:
            x[noise(*x.shape, seed=2) > 0] = torch.nan
        seen = []
        module.network.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
        module({"input": x})
        (batch,) = seen
        start = module.start(x.nan_to_num(), torch.ones_like(x))
        if len(clean) > 1:
            f, (height, width, channels) = module.factor, degraded
            start = start.view(1, 5, height, f, width, f, channels)
            start = start.permute(0, 1, 2, 4, 6, 3, 5).flatten(4)
        parts = [x.nan_to_num(), start]
        if gaps:
            parts.append((~x.isnan()).to(F64))
        assert torch.equal(batch["input"], torch.cat(parts, -1))

    def test_beside_another_start(self, case: str) -> None:
        """A copy with a network of its own, which begins alike."""
        module = build(*CASES[case])
        start = Nearest(module.factor)
        other = module.with_start(start)
        assert other.start is start is not module.start
        before = [parameter.clone() for parameter in module.parameters()]
        for mine, theirs in zip(before, other.parameters(), strict=True):
            assert torch.equal(mine, theirs)
            nn.init.ones_(theirs)
        assert all(map(torch.equal, before, module.parameters()))


@pytest.mark.parametrize("case", ["images", "with gaps", "enlarged", "colour"])
def test_brightness_is_carried_over(case: str) -> None:
    """What brightens a degraded image brightens the restored one by as much."""
    _, degraded, _, gaps = CASES[case]
    noise_variance = 0.3 if case == "images" else None
    module = build(*CASES[case], Surroundings(noise_variance))
    for parameter in module.network.parameters():
        nn.init.normal_(parameter, generator=torch.Generator().manual_seed(2))
    x = noise(1, 5, *degraded)
    if gaps:
        x[noise(*x.shape, seed=2) > 0] = torch.nan
    for module.weight in (0.0, 1.0):
        dark, bright = (module({"input": y})["output"] for y in (x, x + 7))
        torch.testing.assert_close(bright, dark + 7)
        assert module({"input": 2 * x})["output"].std() > 0
    # The colours of a pixel are apart.
    shift = noise(degraded[-1])
    torch.testing.assert_close(module({"input": x + shift})["output"], dark + shift)


def test_hints_are_seen_by_the_network() -> None:
    module = build(*CASES["images"], Surroundings(0.3))
    module.weight = 1.0
    x = noise(1, 5, *CASES["images"][1])
    seen = []
    module.network.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    module({"input": x})
    _, hints = module.surroundings(x, torch.ones_like(x))
    assert torch.equal(seen[0]["input"][..., 4:], torch.cat(hints, -1))


def test_radius_is_that_of_start_and_network() -> None:
    module = build(*CASES["images"], Surroundings(0.3))
    assert module.radius == 3 + 8
    module = build(*CASES["images"])
    assert module.radius == 3
    module.start.radius = 4
    assert module.radius == 7
    module.start.radius = None
    assert module.radius is None
    assert build(*CASES["enlarged"]).radius == 3  # in pixels of the small image


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
def test_objective_counts_what_is_hidden_alone(loss: str) -> None:
    module = build(*CASES["dense with gaps"])
    target = noise(1, 5, 6)
    hidden = noise(1, 5, 6, seed=2) > 0
    batch = {"input": target.masked_fill(hidden, torch.nan), "target": target}
    terms = RestorationObjective(LOSSES[loss], gaps=True)(module, batch)
    # The start makes a one of every gap.
    error = (1 - target).abs() ** (2 if loss == "squared_error" else 1)
    torch.testing.assert_close(terms["restoration"], (error * hidden).sum(-1))


def test_objective_degrades_in_training_only() -> None:
    module = build(*CASES["dense"])
    module.start = IdentityStart(1.0, torch.zeros(1, 1, dtype=F64))
    batch = {"input": noise(1, 5, 6), "target": noise(1, 5, 6)}

    def degrade(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return x + 3

    objective = RestorationObjective(LOSSES["squared_error"], degrade)
    assert not objective(module, batch)["restoration"].any()
    trained = objective(module, batch, torch.Generator())["restoration"]
    torch.testing.assert_close(trained, torch.full((1, 5), 54.0, dtype=F64))


def test_mean_psnr() -> None:
    assert mean_psnr(np.array([1.0, 0.01]), 1.0) == pytest.approx(10)
    assert mean_psnr(np.array([4.0]), 20.0) == pytest.approx(20)
    assert np.isfinite(mean_psnr(np.zeros(3), 1.0))
    assert np.isfinite(mean_psnr(np.zeros(3), 0.0))
