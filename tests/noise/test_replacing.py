"""Noises that replace values: which ones, how many, and by what."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.base import clone

from skae.noise import (
    Corruption,
    MaskingNoise,
    Noise,
    SaltAndPepperNoise,
    SwapNoise,
    Units,
)

N_FEATURES = 4
ROWS = torch.randn(500, N_FEATURES, generator=torch.Generator().manual_seed(1))
ZERO = torch.tensor([10.0, 20.0, 30.0, 40.0])
UNITS = Units()
NOISES = [
    MaskingNoise(),
    MaskingNoise(fill="mean"),
    SaltAndPepperNoise(),
    SwapNoise(),
]


def corruption(noise: Noise, strength: float | tuple[float, float]) -> Corruption:
    return clone(noise).set_params(strength=strength).corruption(ROWS, ZERO, UNITS)


def batch(members: int = 2, n_rows: int = 5000, dtype=torch.float32) -> torch.Tensor:
    """Values that are all different, and never what a value is replaced by."""
    values = torch.arange(members * n_rows * N_FEATURES, dtype=dtype) + 1000
    return values.reshape(members, n_rows, N_FEATURES)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("noise", NOISES, ids=repr)
@pytest.mark.parametrize("strength", [0.05, 0.5, 0.9])
def test_share_of_every_column_and_member(noise: Noise, strength: float) -> None:
    x = batch()
    changed = (corruption(noise, strength)(x, generator()) != x).sum(dim=1)
    least, most = binom.ppf([1e-6, 1 - 1e-6], x.shape[1], strength)
    assert ((changed >= least) & (changed <= most)).all()


@pytest.mark.parametrize("noise", NOISES, ids=repr)
def test_values_are_replaced_independently(noise: Noise) -> None:
    x = batch(members=1, n_rows=20_000)
    changed = (corruption(noise, 0.3)(x, generator()) != x)[0].double()
    correlation = torch.corrcoef(changed.T) - torch.eye(N_FEATURES)
    assert correlation.abs().max() < 5 / 20_000**0.5


@pytest.mark.parametrize("noise", NOISES, ids=repr)
def test_of_a_range_every_row_draws_its_own_share(noise: Noise) -> None:
    n_rows, n_features = 300, 1500
    x = torch.arange(n_rows, dtype=torch.float32)[None, :, None] + torch.full(
        (2, n_rows, n_features), 10.0
    )
    ranged = clone(noise).set_params(strength=(0.2, 0.6))
    corrupt = ranged.corruption(
        torch.rand(9, n_features), torch.zeros(n_features), UNITS
    )
    shares = (corrupt(x, generator()) != x).double().mean(dim=-1).flatten()
    assert 0.15 < shares.min() < 0.23
    assert 0.57 < shares.max() < 0.65
    assert abs(shares.mean() - 0.4) < 4 * 0.4 / (12 * 600) ** 0.5


@pytest.mark.parametrize("noise", NOISES, ids=repr)
def test_ends_of_the_range(noise: Noise) -> None:
    x = batch(n_rows=50)
    assert torch.equal(corruption(noise, 0)(x, generator()), x)
    assert (corruption(noise, 1)(x, generator()) != x).all()


@pytest.mark.parametrize("noise", NOISES, ids=repr)
@given(
    members=st.integers(1, 3),
    n_rows=st.integers(1, 6),
    strength=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
    seed=st.integers(0, 2**31),
)
def test_every_value_is_kept_or_one_of_its_column(
    noise: Noise, members: int, n_rows: int, strength: list[float], seed: int
) -> None:
    x = batch(members, n_rows)
    corrupted = corruption(noise, strength)(x, generator(seed))
    mean = ROWS.mean(dim=0, dtype=torch.float64).float()
    fixed = torch.stack([ZERO, mean, ROWS.amin(dim=0), ROWS.amax(dim=0)])
    for member, corrupted_member in zip(x, corrupted, strict=True):
        allowed = torch.cat([member, fixed])
        assert (corrupted_member[:, None] == allowed).any(dim=1).all()


@pytest.mark.parametrize("noise", NOISES, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_input_is_left_and_its_type_kept(noise: Noise, dtype: torch.dtype) -> None:
    x = batch(n_rows=50, dtype=dtype)
    before = x.clone()
    corrupted = corruption(noise, 0.5)(x, generator())
    assert torch.equal(x, before)
    assert corrupted.dtype == dtype
    assert corrupted.shape == x.shape


@pytest.mark.parametrize("noise", NOISES, ids=repr)
@pytest.mark.parametrize("strength", [0.3, (0.1, 0.5)])
def test_comes_from_the_generator_alone(noise: Noise, strength) -> None:
    x, corrupt = batch(n_rows=50), corruption(noise, strength)
    state = torch.get_rng_state()
    first = corrupt(x, generator(3))
    torch.testing.assert_close(corrupt(x, generator(3)), first, rtol=0, atol=0)
    assert not torch.equal(corrupt(x, generator(4)), first)
    assert torch.equal(torch.get_rng_state(), state)


class TestMasking:
    def test_to_zero(self) -> None:
        """That of the table, wherever it lies in the network's coordinates."""
        x = batch()
        corrupted = corruption(MaskingNoise(), 0.3)(x, generator())
        assert ((corrupted == x) | (corrupted == ZERO)).all()

    def test_to_the_mean_of_the_column(self) -> None:
        x = batch(dtype=torch.float64)
        corrupted = corruption(MaskingNoise(fill="mean"), 0.3)(x, generator())
        means = torch.from_numpy(ROWS.numpy().astype(np.float64).mean(axis=0))
        mean = torch.where(corrupted == x, means, corrupted)
        torch.testing.assert_close(mean, means.expand_as(x), rtol=1e-12, atol=1e-12)

    def test_bad_fill(self) -> None:
        with pytest.raises(
            ValueError, match=r"^fill must be 'zero', 'mean' or 'nan', got 0"
        ):
            MaskingNoise(fill=0).corruption(ROWS, ZERO, UNITS)


class TestSaltAndPepper:
    def test_least_and_largest_are_equally_frequent(self) -> None:
        x = batch()
        corrupted = corruption(SaltAndPepperNoise(), 0.4)(x, generator())
        least, largest = (
            torch.from_numpy(f(ROWS.numpy(), 0)) for f in (np.min, np.max)
        )
        low, high = corrupted == least, corrupted == largest
        assert (low | high | (corrupted == x)).all()
        bounds = binom.ppf([1e-6, 1 - 1e-6], x.shape[1], 0.2)
        for count in (*low.sum(dim=1).flatten(), *high.sum(dim=1).flatten()):
            assert bounds[0] <= count <= bounds[1]


class TestSwap:
    def test_from_another_row_of_the_same_member_and_column(self) -> None:
        x = batch(members=3, n_rows=6)
        corrupt = corruption(SwapNoise(), 1)
        seen = torch.zeros(3, 6, 6, N_FEATURES, dtype=torch.long)
        rng = generator()
        for _ in range(600):
            # Every value is in the batch once, so that it says where it comes from.
            origins = corrupt(x, rng)[:, :, None] == x[:, None]
            assert (origins.sum(dim=2) == 1).all()
            seen += origins
        assert not seen.diagonal(dim1=1, dim2=2).any()
        others = ~torch.eye(6, dtype=torch.bool)
        counts = seen.permute(0, 3, 1, 2)[..., others]
        least, most = binom.ppf([1e-6, 1 - 1e-6], 600, 1 / 5)
        assert ((counts >= least) & (counts <= most)).all()

    def test_columns_keep_what_they_hold(self) -> None:
        """A column of ones and twos stays one of ones and twos."""
        x = torch.randint(1, 3, (2, 100, N_FEATURES), generator=generator()).float()
        corrupted = corruption(SwapNoise(), 0.5)(x, generator())
        assert set(corrupted.unique().tolist()) == {1.0, 2.0}

    def test_a_single_row_has_none_to_swap_with(self) -> None:
        x = batch(n_rows=1)
        assert torch.equal(corruption(SwapNoise(), 1)(x, generator()), x)


@pytest.mark.parametrize("noise", NOISES, ids=repr)
@pytest.mark.parametrize(
    "strength",
    [-0.1, 1.1, float("nan"), "0.1", None, (0.1,), (0.2, 0.1), (0.5, 1.5)],
)
def test_bad_strength(noise: Noise, strength: object) -> None:
    with pytest.raises(ValueError, match=r"^strength must be a number in \[0, 1\] or"):
        corruption(noise, strength)


@pytest.mark.parametrize("noise", NOISES, ids=repr)
def test_columns_do_not_stand_a_rotation(noise: Noise) -> None:
    assert not noise.rotation_invariant


@pytest.mark.parametrize("noise", NOISES, ids=repr)
def test_no_rows(noise: Noise) -> None:
    x = torch.empty(2, 0, N_FEATURES)
    assert corruption(noise, 0.5)(x, generator()).shape == x.shape
