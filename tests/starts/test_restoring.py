"""Closed-form restoration, against formulas that are written out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.linear_model import LinearRegression
from sklearn.linear_model import Ridge as SklearnRidge

from skae._starts import IdentityStart, LinearStart, LocalStart, split_gaps
from skae._starts._ridge import Ridge

F64 = torch.float64
Block = tuple[torch.Tensor, torch.Tensor]


def restored(start: torch.nn.Module, x: torch.Tensor) -> np.ndarray:
    """Of rows without a member axis."""
    return start(*split_gaps(x[None]))[0].numpy()


def test_gaps_are_zero_and_not_visible() -> None:
    x = torch.tensor([[1.0, torch.nan, -2.0]])
    values, visible = split_gaps(x)
    assert values.tolist() == [[1.0, 0.0, -2.0]]
    assert visible.tolist() == [[1.0, 0.0, 1.0]]
    assert x.isnan().sum() == 1


def test_identity_changes_units_only() -> None:
    start = IdentityStart(2.0, torch.tensor([[1.0, -1.0]], dtype=F64))
    x = torch.tensor([[3.0, 4.0], [0.0, torch.nan]], dtype=F64)
    np.testing.assert_array_equal(restored(start, x), [[7, 7], [1, -1]])


def far_from_zero(n_samples: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Columns on different scales and far from zero, and what depends on them."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_samples, 5)) * [1, 2, 3, 0.5, 0.1] + 7
    Y = X @ np.random.RandomState(9).normal(size=(5, 3)) - 4
    return X, Y + rng.normal(size=Y.shape)


def in_blocks(X: np.ndarray, size: int) -> list[np.ndarray]:
    return np.split(X, range(size, len(X), size))


def by_scikit_learn(X, Y, penalty: float) -> SklearnRidge:
    unit = np.var(X, axis=0).mean()
    return SklearnRidge(alpha=penalty * unit * len(X)).fit(X, Y)


class TestRidge:
    """From sums of products, against scikit-learn's."""

    @settings(max_examples=20, deadline=None, derandomize=True)
    @given(st.integers(10, 60), st.integers(1, 30), st.integers(0, 1000))
    def test_is_that_of_scikit_learn_whatever_the_blocks(
        self, n_samples: int, block: int, seed: int
    ) -> None:
        X, Y = far_from_zero(n_samples, seed)
        held_out = far_from_zero(20, seed + 1)
        ridge = Ridge()
        for x, y in zip(in_blocks(X, block), in_blocks(Y, block), strict=True):
            ridge.add(x, y)
        ridge.solve([held_out])
        penalties = 10.0 ** -np.arange(7)
        models = [by_scikit_learn(X, Y, penalty) for penalty in penalties]
        errors = [np.square(m.predict(held_out[0]) - held_out[1]) for m in models]
        means = [error.mean() for error in errors]
        # The first penalty after which the error rises.
        rises = [i for i in range(6) if means[i + 1] >= means[i]]
        best = models[rises[0] if rises else 6]
        np.testing.assert_allclose(ridge.weight_.T, best.coef_, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(ridge.bias_, best.intercept_, rtol=1e-7, atol=1e-7)

    def test_without_held_out_rows_the_penalty_is_the_largest(self) -> None:
        X, Y = far_from_zero(40)
        ridge = Ridge()
        ridge.add(X, Y)
        expected = by_scikit_learn(X, Y, 1.0)
        np.testing.assert_allclose(ridge.solve([]).weight_.T, expected.coef_)

    @pytest.mark.parametrize("value", [0.0, 3.0])
    def test_constant_inputs_predict_the_mean(self, value: float) -> None:
        _, Y = far_from_zero(40)
        ridge = Ridge()
        X = np.full((40, 5), value)
        ridge.add(X, Y)
        ridge.solve([(X[:10], Y[:10])])
        predicted = X @ ridge.weight_ + ridge.bias_
        np.testing.assert_allclose(predicted, np.broadcast_to(Y.mean(axis=0), Y.shape))


class TestLinear:
    def test_shrinks_components_as_wieners_filter_does(self) -> None:
        """Of a component of variance v, noise of variance s leaves v / (v + s)."""
        rng = np.random.RandomState(0)
        variance, noise = np.array([4.0, 1.0, 0.1]), 0.5
        basis = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        clean = rng.normal(size=(20_000, 3)) * np.sqrt(variance) @ basis

        def blocks() -> Iterator[Block]:
            for part in np.split(clean, 10):
                noisy = part + rng.normal(size=part.shape) * np.sqrt(noise)
                yield torch.from_numpy(noisy), torch.from_numpy(part)

        start = LinearStart(gaps=False).fit(blocks(), blocks())
        wiener = basis.T @ np.diag(variance / (variance + noise)) @ basis
        np.testing.assert_allclose(start.weight[0], wiener, atol=0.02)

    def test_uses_where_the_gaps_are(self) -> None:
        """A value that is hidden when it is large is told by its gap."""
        rng = np.random.RandomState(0)
        clean = torch.from_numpy(rng.uniform(size=(500, 2)))
        degraded = clean.masked_fill(clean > 0.5, torch.nan)
        pairs = [(degraded, clean)]
        seeing = restored(LinearStart(gaps=True).fit(pairs, pairs), degraded)
        blind = restored(LinearStart(gaps=False).fit(pairs, pairs), degraded)
        error, blind_error = (
            np.square(r - clean.numpy()).mean() for r in (seeing, blind)
        )
        assert error < 0.6 * blind_error

    def test_images_keep_their_shape(self) -> None:
        x = torch.randn(30, 2, 3, 2, generator=torch.Generator().manual_seed(0))
        y = torch.randn(30, 4, 6, 2, generator=torch.Generator().manual_seed(1))
        pairs = [(x.double(), y.double())]
        start = LinearStart(gaps=False).fit(pairs, pairs)
        assert restored(start, x.double()).shape == y.shape
        assert start.radius is None


class TestLocal:
    @pytest.mark.parametrize("factor", [1, 2, 3])
    @pytest.mark.parametrize("channels", [1, 2])
    def test_is_least_squares_of_the_window(self, factor: int, channels: int) -> None:
        rng = np.random.RandomState(0)
        small = rng.normal(size=(12, 9, 8, channels))
        large = rng.normal(size=(12, 9 * factor, 8 * factor, channels))
        large += np.kron(small, np.ones((1, factor, factor, 1)))
        pairs = [(torch.from_numpy(small), torch.from_numpy(large))]
        start = LocalStart(gaps=False).fit(pairs, pairs)
        output = restored(start, torch.from_numpy(small))
        assert output.shape == large.shape

        padded = np.pad(small, [(0, 0), (2, 2), (2, 2), (0, 0)], mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), (1, 2))
        windows = windows.reshape(12 * 9 * 8, -1)
        for row in range(factor):
            for column in range(factor):
                phase = large[:, row::factor, column::factor].reshape(-1, channels)
                expected = LinearRegression().fit(windows, phase).predict(windows)
                got = output[:, row::factor, column::factor].reshape(-1, channels)
                # The least penalty is not zero.
                np.testing.assert_allclose(got, expected, atol=1e-5)

    def test_gaps_are_filled_from_what_is_visible_around_them(self) -> None:
        """On an image that is constant but for its gaps, nothing is left to filter."""
        rng = np.random.RandomState(0)
        levels = torch.from_numpy(rng.normal(size=(40, 1, 1, 1))).expand(-1, 8, 8, -1)
        hidden = torch.from_numpy(rng.uniform(size=levels.shape) < 0.5)
        pairs = [(levels.masked_fill(hidden, torch.nan), levels)]
        start = LocalStart(gaps=True).fit(pairs, pairs)
        np.testing.assert_allclose(restored(start, pairs[0][0]), levels, atol=1e-4)

    def test_weights_of_the_fill_are_those_of_a_gaussian(self) -> None:
        rng = np.random.RandomState(0)
        image = rng.normal(size=(9, 9))
        hidden = rng.uniform(size=image.shape) < 0.4
        x = torch.from_numpy(np.where(hidden, np.nan, image))[None, ..., None]
        start = LocalStart(gaps=True).fit([(x, x.nan_to_num())], [])
        filled = start._seen(*split_gaps(x))[0, 0].numpy()
        blur = {"sigma": 0.7, "radius": 2, "mode": "constant"}
        total = ndimage.gaussian_filter(np.where(hidden, 0, image), **blur)
        weight = ndimage.gaussian_filter((~hidden).astype(float), **blur)
        np.testing.assert_allclose(filled, np.where(hidden, total / weight, image))

    def test_an_image_without_a_visible_pixel_is_filled_with_the_mean(self) -> None:
        x = torch.full((2, 5, 5, 1), torch.nan, dtype=F64)
        start = LocalStart(gaps=True).fit([(x, x.nan_to_num())], [])
        assert np.isfinite(restored(start, x)).all()

    def test_any_size(self) -> None:
        """A pixel of a crop is the same if the crop holds all that it depends on."""
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(6, 16, 16, 1, generator=generator, dtype=F64)
        hidden = torch.rand(x.shape, generator=generator) < 0.3
        pairs = [(x.masked_fill(hidden, torch.nan), x)]
        start = LocalStart(gaps=True).fit(pairs, pairs)
        image = pairs[0][0][:1]
        crop = image[:, 1:, 1:14]
        margin = start.radius
        np.testing.assert_allclose(
            restored(start, crop)[:, margin:-margin, margin:-margin],
            restored(start, image)[
                :, 1 + margin : 16 - margin, 1 + margin : 14 - margin
            ],
        )
