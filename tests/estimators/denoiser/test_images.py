"""Images of any size, as if they were rows of the training, and without a trace."""

from __future__ import annotations

import numpy as np
import pytest

from tests.estimators.denoiser._denoisers import X, fitted, halved, with_gaps

CASES = ("identity", "local", "image gaps", "enlarged", "colour")
SHAPES = {"enlarged": (4, 4), "colour": (4, 8, 2)}  # of a degraded row


def degraded(case: str) -> np.ndarray:
    rng = np.random.RandomState(0)
    rows = halved(X) if case == "enlarged" else X
    rows = rows + rng.normal(scale=0.1, size=rows.shape)
    return with_gaps(rows) if case == "image gaps" else rows


def test_the_network_takes_part() -> None:
    """Or what is said of images below would be said of starts alone."""
    assert all(fitted(case).uses_network_ for case in CASES)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_of_the_size_of_the_training_are_rows(case: str, dtype: type) -> None:
    rows = degraded(case)[:30].astype(dtype)
    shape = SHAPES.get(case, (8, 8))
    images = np.stack([fitted(case).restore_image(row.reshape(shape)) for row in rows])
    assert images.dtype == dtype
    assert images.shape[1:] == ((8, 8) if case == "enlarged" else shape)
    rounding = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(
        images.reshape(30, 64), fitted(case).transform(rows), atol=rounding
    )


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("shape", [(40, 33), (7, 50), (1, 1), (16, 16)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tiles_leave_no_trace(
    monkeypatch: pytest.MonkeyPatch, case: str, shape: tuple[int, int], dtype: type
) -> None:
    image = np.random.RandomState(0).uniform(size=shape).astype(dtype)
    if case == "colour":
        image = np.stack([image, 1 - image], axis=-1)
    if case == "image gaps":
        image = with_gaps(image)
    whole = fitted(case).restore_image(image)
    factor = 2 if case == "enlarged" else 1
    assert whole.shape == (shape[0] * factor, shape[1] * factor, *image.shape[2:])
    assert np.isfinite(whole).all()
    rounding = 1e-5 if dtype == np.float32 else 1e-12
    for tile in (16, 11):
        monkeypatch.setattr("skae.estimators.denoiser._prediction._TILE", tile)
        np.testing.assert_allclose(
            fitted(case).restore_image(image), whole, atol=rounding
        )


def test_colours_are_restored_from_each_other() -> None:
    image = np.random.RandomState(0).uniform(size=(9, 9, 2))
    changed = image.copy()
    changed[4, 4, 0] += 1
    difference = np.subtract(
        *(fitted("colour").restore_image(i) for i in (changed, image))
    )
    assert np.abs(difference[4, 4]).min() > 1e-4


def test_one_channel_may_be_said() -> None:
    image = X[0].reshape(8, 8)
    restored = fitted("local").restore_image(image[..., None])
    assert restored.shape == (8, 8, 1)
    plain = fitted("local").restore_image(image)
    assert np.array_equal(restored[..., 0], plain)
