"""Coordinates: a rotation and one scale, undone exactly."""

from functools import partial

import numpy as np
import pytest
import torch

from skae._tables import Coordinates, _coordinates, row_blocks


def orthonormal_rows(n_rows: int, n_columns: int) -> np.ndarray:
    square = np.random.RandomState(0).normal(size=(n_columns, n_columns))
    return np.linalg.qr(square)[0][:n_rows]


@pytest.fixture
def X(rng: np.random.RandomState) -> np.ndarray:
    return rng.normal(loc=3, scale=[1, 2, 3, 4], size=(50, 4))


@pytest.mark.parametrize("basis", [None, orthonormal_rows(4, 4)])
def test_inverse(X: np.ndarray, basis: np.ndarray | None) -> None:
    coordinates = Coordinates(X.mean(axis=0), 2.5, basis)
    Y = coordinates.transform(X)
    np.testing.assert_allclose(coordinates.inverse_transform(Y), X, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 0.5, 1.0, 2.5])
def test_rows_without_spread_keep_their_unit(scale: float) -> None:
    """What is not zero is a unit, however small."""
    row = np.array([[3.0, -1.0]])
    for given, unit in ((scale, scale), (0.0, 1.0)):
        coordinates = Coordinates(np.ones(2), given)
        assert coordinates.scale == unit
        np.testing.assert_allclose(coordinates.transform(row) * unit, [[2, -2]])


@pytest.mark.parametrize("basis", [None, orthonormal_rows(4, 4)])
def test_distances_change_by_one_factor(
    X: np.ndarray, basis: np.ndarray | None
) -> None:
    Y = Coordinates(X.mean(axis=0), 2.5, basis).transform(X)
    before = np.linalg.norm(X[:, None] - X, axis=-1)
    after = np.linalg.norm(Y[:, None] - Y, axis=-1)
    np.testing.assert_allclose(after * 2.5, before, rtol=1e-10, atol=1e-10)


def test_fewer_coordinates_than_features_project(X: np.ndarray) -> None:
    basis = orthonormal_rows(2, 4)
    coordinates = Coordinates(X.mean(axis=0), 2.5, basis)
    restored = coordinates.inverse_transform(coordinates.transform(X))
    assert coordinates.n_coordinates == 2
    centred = X - X.mean(axis=0)
    np.testing.assert_allclose(
        restored - X.mean(axis=0), centred @ basis.T @ basis, atol=1e-12
    )


@pytest.mark.parametrize("basis", [None, orthonormal_rows(2, 4)])
def test_another_mean_counts_for_what_is_left_out(
    X: np.ndarray, basis: np.ndarray | None
) -> None:
    coordinates = Coordinates(X.mean(axis=0), 2.5, basis)
    mean = np.array([1.0, -2.0, 3.0, -4.0]) + X.mean(axis=0)
    moved = coordinates.moved_to(mean)
    Y = coordinates.transform(X)
    np.testing.assert_allclose(moved.transform(X), Y, atol=1e-12)
    centre = moved.inverse_transform(moved.transform(mean))
    np.testing.assert_allclose(centre, mean)
    # By how much rows differ is as before.
    restored, before = moved.inverse_transform(Y), coordinates.inverse_transform(Y)
    np.testing.assert_allclose(restored - restored[0], before - before[0], atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("basis", [None, orthonormal_rows(3, 4)])
def test_training_tensor_is_float32_and_does_not_depend_on_blocks(
    X: np.ndarray,
    basis: np.ndarray | None,
    dtype: type,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X = X.astype(dtype)
    before = X.copy()
    coordinates = Coordinates(X.mean(axis=0), 2.5, basis)
    whole = coordinates.training_tensor(X)
    assert whole.dtype == torch.float32
    np.testing.assert_allclose(whole.numpy(), coordinates.transform(X), atol=1e-6)
    assert np.array_equal(X, before)
    monkeypatch.setattr(
        _coordinates, "row_blocks", partial(row_blocks, elements=7 * X.shape[1])
    )
    torch.testing.assert_close(coordinates.training_tensor(X), whole)


@pytest.mark.parametrize("basis", [None, orthonormal_rows(3, 4)])
def test_training_tensor_of_values_that_float32_does_not_hold(
    X: np.ndarray, basis: np.ndarray | None
) -> None:
    """It is centred and scaled in the precision of the table."""
    plain = Coordinates(X.mean(axis=0), 2.5, basis).training_tensor(X)
    for unit, shift in ((1e100, 0.0), (1e-100, 0.0), (1.0, 1e9)):
        mean = unit * X.mean(axis=0) + shift
        other = Coordinates(mean, 2.5 * unit, basis).training_tensor(unit * X + shift)
        torch.testing.assert_close(other, plain, atol=1e-5, rtol=1e-5)
