"""ReconstructionDisplay: which rows are drawn, and on which scale."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from sklearn.exceptions import NotFittedError

from skae import (
    AutoencoderTransformer,
    DenoisingTransformer,
    ReconstructionOutlierDetector,
)
from skae.plotting import ReconstructionDisplay


def names(display: ReconstructionDisplay) -> list[str]:
    return [ax.get_ylabel() for ax in display.axes_[:, 0]]


def test_originals_above_reconstructions(
    reducer: AutoencoderTransformer, digits: np.ndarray
) -> None:
    rows = digits[:4]
    display = ReconstructionDisplay.from_estimator(reducer, rows, image_shape=(8, 8))
    assert np.array_equal(display.original, rows)
    assert np.array_equal(display.reconstruction, reducer.reconstruct(rows))
    assert display.corrupted is None
    assert display.axes_.shape == display.artists_.shape == (2, 4)
    assert names(display) == ["original", "reconstruction"]
    for drawn, row in zip(display.artists_[0], rows, strict=True):
        assert isinstance(drawn, AxesImage)
        np.testing.assert_allclose(drawn.get_array() * 16, row.reshape(8, 8))
    expected = np.clip(reducer.reconstruct(rows)[3] / 16, 0, 1)
    np.testing.assert_allclose(display.artists_[1, 3].get_array().ravel(), expected)
    assert {drawn.get_clim() for drawn in display.artists_.flat} == {(0, 1)}


def test_corrupted_rows_are_what_is_reconstructed(
    reducer: AutoencoderTransformer, digits: np.ndarray, rng: np.random.RandomState
) -> None:
    rows = digits[:3]
    corrupted = np.where(rng.uniform(size=rows.shape) < 0.5, 0, rows)
    display = ReconstructionDisplay.from_estimator(
        reducer, rows, image_shape=(8, 8), corrupted=corrupted
    )
    assert names(display) == ["original", "corrupted", "reconstruction"]
    assert np.array_equal(display.original, rows)
    assert np.array_equal(display.corrupted, corrupted)
    assert np.array_equal(display.reconstruction, reducer.reconstruct(corrupted))
    drawn = display.artists_[1, 2].get_array()
    np.testing.assert_allclose(drawn.ravel() * 16, corrupted[2])


def test_of_a_denoiser_what_it_restores(
    digits: np.ndarray, rng: np.random.RandomState
) -> None:
    """Also where it returns a data frame."""
    denoiser = DenoisingTransformer(max_iter=1, random_state=0).fit(digits)
    corrupted = digits[:3] + rng.normal(size=(3, 64))
    restored = denoiser.transform(corrupted)
    for output in ("default", "pandas"):
        display = ReconstructionDisplay.from_estimator(
            denoiser.set_output(transform=output),
            digits[:3],
            image_shape=(8, 8),
            corrupted=corrupted,
        )
        assert names(display) == ["original", "corrupted", "reconstruction"]
        assert np.array_equal(display.reconstruction, restored)


def test_curves(reducer: AutoencoderTransformer, digits: np.ndarray) -> None:
    display = ReconstructionDisplay.from_estimator(reducer, digits[:2], linewidth=3)
    rows = np.stack([digits[:2], reducer.reconstruct(digits[:2])])
    for cell, line in np.ndenumerate(display.artists_):
        assert isinstance(line, Line2D)
        assert line.get_linewidth() == 3
        assert np.array_equal(line.get_ydata(), rows[cell])
    limits = {ax.get_ylim() for ax in display.axes_.flat}
    assert limits == {(rows.min(), rows.max())}


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_are_last(channels: int) -> None:
    rows = np.arange(2.0 * 20 * channels).reshape(2, -1)
    display = ReconstructionDisplay(
        original=rows, reconstruction=rows, image_shape=(4, 5, channels)
    ).plot()
    expected = rows[1].reshape(4, 5, channels) / rows.max()
    expected = expected[..., 0] if channels == 1 else expected
    np.testing.assert_allclose(display.artists_[0, 1].get_array(), expected)


def test_values_beyond_the_originals_are_drawn_as_the_nearest() -> None:
    original = np.array([[-1.0, 0.0, 1.0, 3.0]])
    for rows, expected in (
        (original, [0, 0.25, 0.5, 1]),
        (3 * original, [0, 0.25, 1, 1]),
    ):
        display = ReconstructionDisplay(
            original=original, reconstruction=rows, image_shape=(2, 2)
        ).plot()
        assert display.artists_[1, 0].get_array().ravel().tolist() == expected


def test_equal_values() -> None:
    ones = np.ones((1, 4))
    display = ReconstructionDisplay(
        original=ones, reconstruction=ones, image_shape=(2, 2)
    ).plot()
    assert np.isfinite(display.artists_[0, 0].get_array()).all()


def test_axes_that_are_given(
    reducer: AutoencoderTransformer, digits: np.ndarray
) -> None:
    figure, (ax, other) = plt.subplots(1, 2)
    display = ReconstructionDisplay.from_estimator(
        reducer, digits[:2], image_shape=(8, 8), ax=ax, cmap="viridis"
    )
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    assert set(ax.child_axes) == set(display.axes_.flat)
    assert not other.child_axes
    assert display.artists_[0, 0].get_cmap().name == "viridis"
    figure.draw_without_rendering()
    around = ax.get_position()
    for small in display.axes_.flat:
        inside = small.get_position()
        assert around.x0 - 1e-9 <= inside.x0 < inside.x1 <= around.x1 + 1e-9
        assert around.y0 - 1e-9 <= inside.y0 < inside.y1 <= around.y1 + 1e-9
        # An image fills its cell: no pixel is stretched.
        window = small.get_window_extent()
        assert window.width == pytest.approx(window.height)


def test_names_stay_inside_the_figure(
    reducer: AutoencoderTransformer, digits: np.ndarray
) -> None:
    for n_rows in (1, 3, 10):
        for image_shape in ((8, 8), None):
            display = ReconstructionDisplay.from_estimator(
                reducer, digits[:n_rows], image_shape=image_shape
            )
            display.figure_.draw_without_rendering()
            for ax in display.axes_[:, 0]:
                assert ax.yaxis.label.get_window_extent().x0 >= 0


def test_detector_and_data_frame(digits: np.ndarray) -> None:
    frame = pd.DataFrame(digits).add_prefix("pixel ")
    detector = ReconstructionOutlierDetector(max_iter=1, random_state=0).fit(frame)
    rows = frame.iloc[:2]
    display = ReconstructionDisplay.from_estimator(detector, rows, image_shape=(8, 8))
    assert np.array_equal(display.original, digits[:2])
    assert np.array_equal(display.reconstruction, detector.reconstruct(rows))


@pytest.mark.parametrize(
    ("image_shape", "message"),
    [
        ((8, 9), "makes 72 features, but there are 64"),
        ((8, 8, 3), "makes 192 features"),
        ((8, 4, 2), "with 1 or 3 channels"),
        ((64,), "must be .height, width"),
    ],
)
def test_image_shape_that_does_not_fit(
    reducer: AutoencoderTransformer,
    digits: np.ndarray,
    image_shape: tuple[int, ...],
    message: str,
) -> None:
    with pytest.raises(ValueError, match=f"image_shape.*{message}"):
        ReconstructionDisplay.from_estimator(
            reducer, digits[:2], image_shape=image_shape
        )
    assert not plt.get_fignums()


def test_bad_input(reducer: AutoencoderTransformer, digits: np.ndarray) -> None:
    with pytest.raises(ValueError, match="corrupted must have the shape of X"):
        ReconstructionDisplay.from_estimator(
            reducer, digits[:3], corrupted=digits[:2], image_shape=(8, 8)
        )
    with pytest.raises(NotFittedError):
        ReconstructionDisplay.from_estimator(AutoencoderTransformer(), digits[:3])
