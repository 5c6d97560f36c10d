"""Principal components against scikit-learn's PCA, and their module."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from skae._starts import PrincipalComponents, _principal_components, linear_maps
from skae._tables import Coordinates, one_thread, row_blocks


def table(n_samples: int, n_features: int, loc: float = 0.0) -> np.ndarray:
    rng = np.random.RandomState(0)
    scale = np.linspace(1, 3, n_features)
    return rng.normal(loc=loc, scale=scale, size=(n_samples, n_features))


def assert_is_pca(X: np.ndarray, rtol: float = 1e-8) -> None:
    ours = PrincipalComponents().fit(X)
    pca = PCA(svd_solver="full").fit(X.astype(np.float64))
    # n rows have no more than n - 1 directions; the last vector is then arbitrary.
    rank = min(len(X) - 1, X.shape[1])
    np.testing.assert_allclose(ours.mean_, pca.mean_, rtol=rtol)
    np.testing.assert_allclose(
        ours.explained_variance_[:rank], pca.explained_variance_[:rank], rtol=rtol
    )
    np.testing.assert_allclose(
        ours.components_[:rank], pca.components_[:rank], atol=1e3 * rtol
    )
    np.testing.assert_allclose(
        ours.explained_variance_ratio_, pca.explained_variance_ratio_, atol=rtol
    )


@pytest.mark.parametrize("shape", [(200, 6), (7, 6), (6, 6), (5, 9), (30, 1), (2, 3)])
def test_is_pca_with_signs(shape: tuple[int, int]) -> None:
    assert_is_pca(table(*shape))


def test_columns_far_from_zero_lose_no_digits() -> None:
    assert_is_pca(table(200, 6, loc=1e6))


def test_float32_loses_no_more_than_its_own_digits() -> None:
    """The Gram matrix is a sum of blocks, and the sum is in float64."""
    assert_is_pca(table(50_000, 6, loc=100).astype(np.float32), rtol=1e-5)


@pytest.mark.parametrize("shape", [(200, 6), (5, 9)])
@pytest.mark.parametrize("factor", [2.0**100, 2.0**-100])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_units(shape: tuple[int, int], factor: float, dtype: type) -> None:
    X = table(*shape).astype(dtype)
    plain = PrincipalComponents().fit(X)
    extreme = PrincipalComponents().fit(X * dtype(factor))
    assert np.array_equal(extreme.components_, plain.components_)
    np.testing.assert_allclose(
        extreme.explained_variance_ / factor**2, plain.explained_variance_, rtol=1e-12
    )


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    X = table(200, 6)
    whole = PrincipalComponents().fit(X)
    monkeypatch.setattr(
        _principal_components, "row_blocks", partial(row_blocks, elements=13 * 6)
    )
    blocks = PrincipalComponents().fit(X)
    np.testing.assert_allclose(blocks.components_, whole.components_, atol=1e-12)


def test_same_bits_for_any_number_of_threads() -> None:
    """On the one thread that every fit takes of them."""
    X = table(600, 200)
    fits = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"), one_thread():
            fits.append(PrincipalComponents().fit(X))
    one, two = fits
    assert np.array_equal(one.components_, two.components_)
    assert np.array_equal(one.explained_variance_, two.explained_variance_)


def test_input_is_left_as_it_is() -> None:
    X = table(50, 4)
    before = X.copy()
    X.flags.writeable = False
    PrincipalComponents().fit(X)
    assert np.array_equal(X, before)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 3)])
@pytest.mark.parametrize("value", [0.0, 3.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_variance(shape: tuple[int, int], value: float, dtype: type) -> None:
    pca = PrincipalComponents().fit(np.full(shape, value, dtype))
    assert not pca.explained_variance_.any()
    assert not pca.explained_variance_ratio_.any()
    assert np.array_equal(pca.latent_scale(1), [1.0])
    assert np.isfinite(pca.components_).all()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8, 0.95, 0.9999])
def test_components_for_a_share_are_as_many_as_in_pca(share: float) -> None:
    X = table(100, 6)
    expected = PCA(share, svd_solver="full").fit(X).n_components_
    assert PrincipalComponents().fit(X).n_components_for(share) == expected


def test_share_that_is_met_exactly_takes_one_more_as_in_pca() -> None:
    # Two orthogonal columns of the same variance.
    X = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    expected = PCA(0.5, svd_solver="full").fit(X).n_components_
    assert PrincipalComponents().fit(X).n_components_for(0.5) == expected


def test_left_out_coordinates_hold_little_of_what_is_missed() -> None:
    X = table(100, 6) * np.array([10, 5, 2, 1, 0.1, 0.01])
    pca = PrincipalComponents().fit(X)
    n_coordinates = pca.n_coordinates_for(2, dropped=0.01)
    missed = PCA().fit(X).explained_variance_[2:]
    assert n_coordinates == 4
    assert missed[n_coordinates - 2 :].sum() <= 0.01 * missed.sum()
    assert missed[n_coordinates - 3 :].sum() > 0.01 * missed.sum()


@pytest.mark.parametrize("k", [1, 3, 6])
def test_no_fewer_coordinates_than_components(k: int) -> None:
    X = np.outer(np.arange(30.0), np.ones(6))  # rank one
    assert PrincipalComponents().fit(X).n_coordinates_for(k) >= k


def test_truncated_is_independent() -> None:
    pca = PrincipalComponents().fit(table(100, 6))
    first = pca.truncated(2)
    assert np.array_equal(first.components_, pca.components_[:2])
    assert np.array_equal(
        first.explained_variance_ratio_, pca.explained_variance_ratio_[:2]
    )
    # Else a pickle would hold all components.
    assert not np.shares_memory(first.components_, pca.components_)


@pytest.mark.parametrize("rotated", [False, True])
def test_in_coordinates(rotated: bool) -> None:
    X = table(100, 6, loc=3)
    pca = PrincipalComponents().fit(X)
    coordinates = Coordinates(pca.mean_, 2.5, pca.components_ if rotated else None)
    moved = pca.in_coordinates(coordinates.basis, coordinates.scale)
    again = PrincipalComponents().fit(coordinates.transform(X))
    np.testing.assert_allclose(moved.mean_, again.mean_, atol=1e-12)
    np.testing.assert_allclose(moved.explained_variance_, again.explained_variance_)
    np.testing.assert_allclose(
        np.abs(moved.components_), np.abs(again.components_), atol=1e-9
    )


class TestLatentScale:
    def test_is_the_standard_deviation_of_the_scores(self) -> None:
        X = table(100, 6)
        scores = PCA(3).fit_transform(X)
        np.testing.assert_allclose(
            PrincipalComponents().fit(X).latent_scale(3), scores.std(axis=0, ddof=1)
        )

    def test_null_components_get_the_smallest_other(self) -> None:
        X = table(100, 2) @ np.ones((2, 4))  # rank one
        X[:, 1:] += table(100, 1)  # rank two
        scale = PrincipalComponents().fit(X).latent_scale(4)
        assert scale[1] < scale[0]
        assert np.array_equal(scale[2:], [scale[1]] * 2)

    def test_more_components_than_there_are(self) -> None:
        scale = PrincipalComponents().fit(table(3, 9)).latent_scale(9)
        assert scale.shape == (9,)
        assert (scale > 0).all()


class TestLinearMaps:
    @pytest.fixture
    def tables(self) -> list[np.ndarray]:
        return [table(80, 5), table(80, 5, loc=3)[:, ::-1].copy()]

    def test_every_member_is_its_pca_with_unit_codes(
        self, tables: list[np.ndarray]
    ) -> None:
        encode, decode = linear_maps([PrincipalComponents().fit(X) for X in tables], 2)
        z = encode(torch.from_numpy(np.stack(tables)))
        restored = decode(z)
        for j, X in enumerate(tables):
            pca = PCA(2).fit(X)
            scores = pca.transform(X)
            np.testing.assert_allclose(
                z[j], scores / scores.std(axis=0, ddof=1), atol=1e-12
            )
            np.testing.assert_allclose(restored[j], pca.inverse_transform(scores))

    def test_learns_nothing(self, tables: list[np.ndarray]) -> None:
        for fixed in linear_maps([PrincipalComponents().fit(X) for X in tables], 2):
            assert not any(p.requires_grad for p in fixed.parameters())
            assert all(p.dtype == torch.float64 for p in fixed.parameters())

    def test_member_of_fewer_rows_than_components(
        self, tables: list[np.ndarray]
    ) -> None:
        """What it has no component for is not encoded, nor is it NaN."""
        few = tables[0][:3]
        encode, decode = linear_maps([PrincipalComponents().fit(few)], 4)
        z = encode(torch.from_numpy(few[None]))
        np.testing.assert_allclose(decode(z)[0], few, atol=1e-12)
        assert not z[..., 3].any()
