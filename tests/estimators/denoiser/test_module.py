"""A start and a network as one module, and what that sees pixels relative to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_sample_image
from sklearn.feature_extraction.image import extract_patches_2d
from torch import nn

from skae._starts import RestoringStart
from skae._tables import Coordinates
from skae.estimators.denoiser._examples import Pairs
from skae.estimators.denoiser._module import Restorer
from skae.estimators.denoiser._prediction import mean_psnr
from skae.estimators.denoiser._surroundings import (
    MeanSurroundings,
    NoSurroundings,
    enlarged,
    relative,
    surroundings_of,
)
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


class Nearest(RestoringStart):
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
    view = Coordinates(np.zeros(1), 1.0)
    pairs = Pairs(
        torch.zeros(1, *degraded),
        torch.zeros(1, *clean),
        (view, view),
        surroundings or NoSurroundings(),
        gaps=gaps,
    )
    untrained = Restorer.build(network, pairs, torch.Generator().manual_seed(0))
    return untrained.with_start(Nearest(untrained.factor))


def noise(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def shown_to_the_network(module: Restorer, x: torch.Tensor) -> torch.Tensor:
    seen = []
    hook = module.network.register_forward_pre_hook(lambda _, args: seen.extend(args))
    module({"input": x})
    hook.remove()
    (batch,) = seen
    return batch


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
        batch = shown_to_the_network(module, x)
        start = module.start(x.nan_to_num(), torch.ones_like(x))
        if len(clean) > 1:
            f, (height, width, channels) = module.factor, degraded
            start = start.view(1, 5, height, f, width, f, channels)
            start = start.permute(0, 1, 2, 4, 6, 3, 5).flatten(4)
        parts = [x.nan_to_num(), start]
        if gaps:
            parts.append((~x.isnan()).to(F64))
        assert torch.equal(batch, torch.cat(parts, -1))

    def test_beside_another_start(self, case: str) -> None:
        """A copy with a network of its own, which begins alike and is not used yet."""
        module = build(*CASES[case])
        module.weight = 1.0
        start = Nearest(module.factor)
        other = module.with_start(start)
        assert other.start is start is not module.start
        assert (other.weight, module.weight) == (0, 1)
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
    module = build(*CASES[case], MeanSurroundings(noise_variance))
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
    module = build(*CASES["images"], MeanSurroundings(0.3))
    module.weight = 1.0
    x = noise(1, 5, *CASES["images"][1])
    batch = shown_to_the_network(module, x)
    _, hints = module.surroundings(x, torch.ones_like(x))
    assert torch.equal(batch[..., 4:], torch.cat(hints, -1))


def test_radius_is_that_of_start_and_network() -> None:
    module = build(*CASES["images"], MeanSurroundings(0.3))
    assert module.radius == 3 + 8
    module = build(*CASES["images"])
    assert module.radius == 3
    module.start.radius = 4
    assert module.radius == 7
    module.start.radius = None
    assert module.radius is None
    assert build(*CASES["enlarged"]).radius == 3  # in pixels of the small image


def test_mean_psnr() -> None:
    assert mean_psnr(np.array([1.0, 0.01])) == pytest.approx(10)
    assert mean_psnr(np.array([0.01, 0.0])) == pytest.approx(60)
    assert mean_psnr(np.array([])) == 100


def around(x: torch.Tensor, radius: int, function: Callable) -> torch.Tensor:
    """Apply a function to the pixels of every window, as far as it lies within."""
    result = torch.empty_like(x)
    height, width = x.shape[2:4]
    for i in range(height):
        for j in range(width):
            rows = slice(max(i - radius, 0), i + radius + 1)
            columns = slice(max(j - radius, 0), j + radius + 1)
            result[:, :, i, j] = function(x[:, :, rows, columns])
    return result


def share_of_signal(window: torch.Tensor) -> torch.Tensor:
    variance = window.var((2, 3), correction=0)
    return (1 - 0.9 / variance).clamp(min=0)


def test_level_and_gains() -> None:
    x = noise(1, 2, 21, 12, 2)
    level, hints = MeanSurroundings(0.9)(x, torch.ones_like(x))
    torch.testing.assert_close(level, around(x, 8, lambda w: w.mean((2, 3))))
    assert len(hints) == MeanSurroundings(0.9).n_hints == 2
    for hint, radius in zip(hints, (2, 8), strict=True):
        torch.testing.assert_close(hint, around(x - level, radius, share_of_signal))


def test_level_is_the_mean_of_what_is_visible() -> None:
    x = noise(1, 2, 11, 12, 1)
    gaps = x.masked_fill(noise(*x.shape, seed=2) > 0.5, torch.nan)
    level, hints = MeanSurroundings(None)(gaps.nan_to_num(), (~gaps.isnan()).double())
    torch.testing.assert_close(level, around(gaps, 8, lambda w: w.nanmean((2, 3))))
    assert hints == []
    nothing = torch.zeros_like(x)
    assert MeanSurroundings(None)(nothing, nothing)[0].eq(0).all()


def test_a_constant_image_without_noise_has_no_gain() -> None:
    x = torch.full((1, 1, 5, 5, 1), 3.0)
    _, hints = MeanSurroundings(1e-12)(x, torch.ones_like(x))
    assert all(hint.isfinite().all() and (hint >= 0).all() for hint in hints)


def test_enlarged() -> None:
    x = noise(2, 3, 4, 2)
    large = enlarged(x, 3)
    assert large.shape == (2, 9, 12, 2)
    for i in range(3):
        for j in range(3):
            assert torch.equal(large[:, i::3, j::3], x)
    assert enlarged(x, 1) is x


def test_relative_pairs_have_lost_the_level_of_the_degraded_image() -> None:
    small, large = noise(4, 5, 5, 1), noise(4, 10, 10, 1)
    surroundings = MeanSurroundings(None)
    x, y = relative(surroundings, small, large)
    shifted = relative(surroundings, small + 3, large + 3)
    torch.testing.assert_close((x, y), shifted)
    torch.testing.assert_close(enlarged(small - x, 2), large - y)
    rows = noise(4, 6), noise(4, 6)
    assert all(map(torch.equal, relative(NoSurroundings(), *rows), rows))


@pytest.fixture(scope="module")
def patches() -> torch.Tensor:
    photo = load_sample_image("flower.jpg") / 255
    patches = extract_patches_2d(photo, (16, 16), max_patches=300, random_state=0)
    return torch.from_numpy(patches)


class TestChoice:
    def test_photographs_have_surroundings(self, patches: torch.Tensor) -> None:
        noisy = patches + 0.1 * noise(*patches.shape)
        chosen = surroundings_of(noisy, patches)
        assert chosen.noise_variance == pytest.approx(0.01, rel=0.02)
        hidden = patches.masked_fill(noise(*patches.shape) > 1, torch.nan)
        small = patches.unflatten(1, (8, 2)).mean(2).unflatten(2, (8, 2)).mean(3)
        for degraded in (hidden, small):
            chosen = surroundings_of(degraded, patches)
            assert isinstance(chosen, MeanSurroundings)
            assert chosen.noise_variance is None

    def test_not_where_a_degradation_changes_the_brightness(
        self, patches: torch.Tensor
    ) -> None:
        dark = patches * (noise(*patches.shape) < 0.5)
        for degraded in (dark, 0.5 * patches, 1 - patches, patches + 0.2):
            assert isinstance(surroundings_of(degraded, patches), NoSurroundings)

    def test_strokes_and_rows_are_seen_as_they_are(self) -> None:
        rows = torch.from_numpy(load_digits().data[:500] / 16)
        strokes = rows.view(-1, 8, 8, 1)
        for clean in (rows, strokes):
            noisy = clean + 0.1 * noise(*clean.shape)
            assert isinstance(surroundings_of(noisy, clean), NoSurroundings)

    def test_a_single_image_has_no_brightness_of_its_own(self) -> None:
        x = noise(1, 5, 5, 1)
        assert isinstance(surroundings_of(x, x), NoSurroundings)

    def test_in_every_unit_alike(self, patches: torch.Tensor) -> None:
        noisy = patches + 0.1 * noise(*patches.shape)
        chosen = surroundings_of(noisy, patches).noise_variance
        large = surroundings_of(255 * noisy - 9, 255 * patches - 9).noise_variance
        assert large == pytest.approx(255**2 * chosen)
        assert np.isfinite(large)
