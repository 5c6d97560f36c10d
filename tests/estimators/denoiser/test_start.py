"""Which starts there are to choose from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skae import _starting
from skae._tables import spread
from skae.estimators.denoiser._examples import given_pairs, noisy_pairs
from skae.estimators.denoiser._start import Starting
from skae.noise import GaussianNoise, MaskingNoise

X = np.random.RandomState(0).normal(size=(40, 36))
TRAINING, HELD_OUT = np.arange(30), np.arange(30, 40)


def candidates(pairs, name: str = "auto", held_out: np.ndarray = HELD_OUT) -> list[str]:
    generator = torch.Generator().manual_seed(0)
    return [*Starting(pairs, TRAINING, held_out, generator).candidates(name)]


def noisy(shape: tuple[int, ...], noise=None):
    generator = torch.Generator().manual_seed(0)
    return noisy_pairs(X, shape, noise or GaussianNoise(0.1), HELD_OUT, generator)


def enlarged(shape: tuple[int, ...] = (3, 3, 1)):
    return given_pairs(X[:, :9], X, (shape, (6, 6, 1)[: len(shape)]))


def test_of_rows() -> None:
    assert candidates(noisy((36,))) == ["identity", "linear"]
    assert candidates(given_pairs(X[:, :9], X, ((9,), (36,)))) == ["linear"]


def test_of_images() -> None:
    assert candidates(noisy((6, 6, 1))) == ["identity", "linear", "local"]
    assert candidates(enlarged()) == ["linear", "local"]


def test_of_wide_rows_there_is_no_linear_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_starting, "_MOST_INPUTS", 40)
    assert candidates(noisy((6, 6, 1))) == ["identity", "linear", "local"]
    gaps = MaskingNoise(0.2, fill="nan")
    assert candidates(noisy((6, 6, 1), gaps)) == ["identity", "local"]
    assert candidates(noisy((36,), gaps)) == ["identity"]
    monkeypatch.setattr(_starting, "_MOST_INPUTS", 35)
    assert candidates(enlarged()) == ["local"]


def test_of_large_images_no_linear_map_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_starting, "_FEW_PIXELS", 35)
    assert candidates(noisy((6, 6, 1))) == ["identity", "local"]
    assert candidates(noisy((6, 6, 1)), "linear") == ["linear"]
    assert candidates(noisy((36,))) == ["identity", "linear"]


def test_where_nothing_is_held_out_the_first_is_fitted_alone() -> None:
    nothing = np.arange(0)
    assert candidates(noisy((36,)), held_out=nothing) == ["identity"]
    assert candidates(noisy((6, 6, 1)), held_out=nothing) == ["identity"]
    assert candidates(enlarged(), held_out=nothing) == ["linear"]


@pytest.mark.parametrize("name", ["identity", "linear", "local"])
def test_one_that_is_asked_for(name: str) -> None:
    assert candidates(noisy((6, 6, 1)), name) == [name]


def test_a_linear_map_sees_ten_degraded_rows_for_each_value(monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(
        _starting, "LinearStart", lambda rows, *_, **__: seen.extend(rows)
    )
    candidates(noisy((36,)), "linear")
    assert sum(len(x) for x, _ in seen) == 12 * len(TRAINING)


@pytest.mark.parametrize("n, most", [(10, 3), (10, 10), (10, 100), (1000, 7), (7, 1)])
def test_spread(n: int, most: int) -> None:
    rows = np.arange(5, 5 + n)
    chosen = spread(rows, most)
    assert 1 <= len(chosen) <= most
    assert len(np.unique(np.diff(chosen))) <= 1
    assert 2 * len(chosen) >= min(n, most)
    assert set(chosen) <= set(rows)
