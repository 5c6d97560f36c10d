"""A start and a network as one module, and the pairs that it learns from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from skae._degradation import Degradation, Pairs
from skae._objective import RestorationObjective
from skae._restoration import mean_psnr
from skae._restorer import Restorer
from skae.losses import LOSSES
from skae.networks import ConvolutionalNetwork, DenseNetwork, Network
from skae.noise import GaussianNoise, MaskingNoise, SaltAndPepperNoise
from skae.starts import IdentityStart

F64 = torch.float64
CASES = {
    "dense": (DenseNetwork((8,)), (6,), (6,), False),
    "dense with gaps": (DenseNetwork((8,)), (6,), (6,), True),
    "images": (ConvolutionalNetwork((4, 6, 2), (3, 3)), (4, 6, 2), (4, 6, 2), False),
    "with gaps": (ConvolutionalNetwork((4, 6), (3, 3)), (4, 6, 1), (4, 6, 1), True),
    "enlarged": (ConvolutionalNetwork((4, 6), (3, 3)), (2, 3, 1), (4, 6, 1), False),
}


class Nearest(nn.Module):
    """Makes every pixel a square, to start from where the size changes."""

    radius = 0

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, values: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        if self.factor == 1:
            return 2 * values + 1
        square = torch.ones(self.factor, self.factor, 1, dtype=values.dtype)
        return torch.stack(
            [torch.stack([torch.kron(x, square) for x in rows]) for rows in values]
        )


def build(network: Network, degraded, clean, gaps: bool) -> Restorer:
    generator = torch.Generator().manual_seed(0)
    module = Restorer(network, degraded, clean, gaps=gaps, generator=generator)
    module.start = Nearest(module.factor)
    return module


def noise(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


@pytest.mark.parametrize("case", CASES)
class TestRestorer:
    def test_is_the_start_before_the_first_step(self, case: str) -> None:
        module = build(*CASES[case])
        x = noise(1, 5, *CASES[case][1])
        visible = torch.ones_like(x)
        assert torch.equal(module({"input": x})["output"], module.start(x, visible))

    def test_weight_and_unit_scale_what_the_network_adds(self, case: str) -> None:
        module = build(*CASES[case])
        for parameter in module.network.parameters():
            nn.init.normal_(parameter, generator=torch.Generator().manual_seed(2))
        x = noise(1, 5, *CASES[case][1])
        start = module.start(x, torch.ones_like(x))
        whole = module({"input": x})["output"] - start
        assert whole.abs().min() > 0
        module.weight, module.unit = 0.5, 0.1
        part = module({"input": x})["output"] - start
        torch.testing.assert_close(part, 0.05 * whole)
        module.weight = 0.0
        assert torch.equal(module({"input": x})["output"], start)

    def test_the_network_sees_row_start_and_gaps(self, case: str) -> None:
        _, degraded, _, gaps = CASES[case]
        module = build(*CASES[case])
        x = noise(1, 5, *degraded)
        if gaps:
            x[noise(*x.shape, seed=2) > 0] = torch.nan
        seen = []
        module.network.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
        module({"input": x})
        (batch,) = seen
        values = x.nan_to_num()
        nearest = Nearest(module.factor)
        parts = [nearest(values, None) if module.factor > 1 else values]
        parts.append(module.start(values, None))
        if gaps:
            parts.append((~x.isnan()).to(F64))
        assert torch.equal(batch["input"], torch.cat(parts, -1))


def test_radius_is_that_of_start_and_network() -> None:
    module = build(*CASES["images"])
    assert module.radius == 3
    start = module.start
    start.radius = 4
    assert module.radius == 7
    start.radius = None
    assert module.radius is None
    assert build(*CASES["enlarged"]).radius == 2  # three pixels of the large image


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


class TestDegradation:
    def degraded(self, spec, X: np.ndarray, mean, unit: float) -> np.ndarray:
        """Rows of X after a noise in coordinates, in the units of X again."""
        rows = torch.from_numpy((X - mean) / unit).unflatten(1, (3, 2, 1))
        degrade = Degradation(spec, rows, np.broadcast_to(mean, 6).copy(), unit)
        y = degrade(rows[None], torch.Generator().manual_seed(0))[0]
        assert y.shape == rows.shape
        return y.flatten(1).numpy() * unit + mean

    @pytest.mark.parametrize("unit", [0.01, 1.0, 30.0])
    def test_gaussian_is_in_the_units_of_x(self, unit: float) -> None:
        X = np.full((2000, 6), 5.0)
        noise = self.degraded(GaussianNoise(0.2), X, 4.0, unit) - X
        assert noise.std() == pytest.approx(0.2, rel=0.03)

    def test_of_a_range_every_image_draws_one_strength(self) -> None:
        X = np.zeros((4000, 6))
        deviation = self.degraded(GaussianNoise((0.0, 1.0)), X, 0.0, 1.0).std(axis=1)
        assert np.quantile(deviation, 0.05) < 0.1
        assert np.quantile(deviation, 0.95) > 0.8

    def test_values_are_replaced_by_those_of_x(self) -> None:
        X = np.random.RandomState(0).uniform(3, 7, size=(50, 6))
        mean = X.mean(axis=0)
        spec = MaskingNoise(0.5)
        changed = self.degraded(spec, X, mean, 0.3)
        assert np.isclose(changed, 0).any()
        assert (np.isclose(changed, 0) | np.isclose(changed, X)).all()
        changed = self.degraded(SaltAndPepperNoise(0.5), X, mean, 0.3)
        ends = np.isclose(changed, X.min(axis=0)) | np.isclose(changed, X.max(axis=0))
        assert (ends | np.isclose(changed, X)).all()


def test_pairs_are_degraded_anew_or_given() -> None:
    clean, given = noise(30, 6), noise(30, 6, seed=2)
    degrade = Degradation(GaussianNoise(0.2), clean, np.zeros(6), 1.0)
    rows = np.arange(0, 30, 2)
    generator = torch.Generator().manual_seed(0)
    fresh = list(Pairs(given, clean, degrade).blocks(rows, 3, generator))
    assert sum(len(x) for x, _ in fresh) == 3 * len(rows)
    assert all(not torch.equal(x, y) for x, y in fresh)
    ((x, y),) = Pairs(given, clean).blocks(rows, 3, generator)
    assert torch.equal(x, given[rows])
    assert torch.equal(y, clean[rows])


def test_mean_psnr() -> None:
    assert mean_psnr(np.array([1.0, 0.01]), 1.0) == pytest.approx(10)
    assert mean_psnr(np.array([4.0]), 20.0) == pytest.approx(20)
    assert np.isfinite(mean_psnr(np.zeros(3), 1.0))
    assert np.isfinite(mean_psnr(np.zeros(3), 0.0))
