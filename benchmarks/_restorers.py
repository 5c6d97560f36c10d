"""The classical methods that restore images, each with settings to choose from.

Images are arrays ``(height, width)`` or ``(height, width, channels)`` of values about 0
to 1; hidden pixels are NaN.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from scipy import linalg, ndimage
from skimage.restoration import (
    denoise_nl_means,
    denoise_tv_chambolle,
    denoise_wavelet,
    inpaint_biharmonic,
)
from skimage.transform import resize
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA, KernelPCA
from sklearn.linear_model import Ridge

Restore = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Peer:
    """A method, and the settings among which validation images choose.

    ``make(degraded, clean, setting)`` learns from pairs of images, or leaves them
    unread, and returns a function that restores images ``(n, height, width, ...)``.
    """

    make: Callable[[np.ndarray, np.ndarray, object], Restore]
    settings: Sequence[object]


def image_filter(function: Callable, settings: Sequence[object]) -> Peer:
    """Return a peer that works on one image at a time and learns nothing."""

    def make(degraded: np.ndarray, clean: np.ndarray, setting: object) -> Restore:
        return lambda images: np.stack([function(image, setting) for image in images])

    return Peer(make, settings)


def noise_filters(sigma: float) -> dict[str, Peer]:
    """Return the filters against Gaussian noise of a known deviation."""
    return {
        "median": image_filter(median, (3, 5)),
        "Gaussian": image_filter(gaussian, (0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.3)),
        "non-local means": image_filter(
            partial(non_local_means, sigma=sigma),
            list(product((0.5, 0.65, 0.8, 1.1, 1.4, 1.8), (3, 5), (5, 9, 14))),
        ),
        "total variation": image_filter(
            total_variation, [sigma * factor for factor in (0.4, 0.6, 0.8, 1.0, 1.3)]
        ),
        "wavelets": image_filter(
            partial(wavelets, sigma=sigma),
            list(product(("haar", "db2", "sym4"), ("BayesShrink", "VisuShrink"))),
        ),
    }


def gap_filters() -> dict[str, Peer]:
    """Return the filters that fill hidden pixels."""
    return {
        "median": image_filter(median, (3, 5)),
        "Gaussian": image_filter(gaussian, (0.3, 0.4, 0.5, 0.6, 0.7, 1.0)),
        "biharmonic": image_filter(biharmonic, (None,)),
    }


def enlargers() -> dict[str, Peer]:
    """Return the methods that double height and width."""
    return {
        "bilinear": image_filter(partial(enlarge, order=1), (None,)),
        "bicubic": image_filter(partial(enlarge, order=3), (None,)),
        "bicubic, back-projected": image_filter(back_projected, (1, 3, 10)),
    }


def noise_learners() -> dict[str, Peer]:
    """Return the methods that learn what clean images look like."""
    return {
        "PCA": Peer(reconstruction, [PCA(k) for k in (8, 16, 32, 64, 128)]),
        "kernel PCA": Peer(
            reconstruction,
            [
                KernelPCA(
                    300, kernel="rbf", gamma=gamma, fit_inverse_transform=True,
                    alpha=alpha, eigen_solver="dense",
                )
                for gamma, alpha in product((1e-3, 3e-3, 1e-2, 0.1), (5e-3, 0.05))
            ],
        ),
        "ridge": Peer(regression, (1.0, 10.0, 100.0)),
    }  # fmt: skip


def gap_learners() -> dict[str, Peer]:
    """Return the methods that learn what hidden pixels depend on."""
    return {
        "ridge": Peer(regression, (10.0, 100.0, 1000.0)),
        "Gaussian conditional mean": Peer(conditional_mean, (1e-3, 3e-3, 1e-2)),
    }


def enlarging_learners() -> dict[str, Peer]:
    """Return the methods that learn large images from small ones."""
    return {"ridge": Peer(regression, (0.1, 1.0, 10.0))}


def median(image: np.ndarray, size: int) -> np.ndarray:
    """Return the median of the visible pixels of each window."""
    if not np.isnan(image).any():
        return ndimage.median_filter(image, _per_axis(image, size, 1))
    edge = size // 2
    padded = np.pad(
        image, [(n, n) for n in _per_axis(image, edge, 0)], constant_values=np.nan
    )
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (0, 1))
    seen = np.isfinite(windows).any(axis=(-2, -1))
    restored = np.full(image.shape, np.nanmean(image))
    restored[seen] = np.nanmedian(windows[seen], axis=(-2, -1))
    return restored


def gaussian(image: np.ndarray, sigma: float) -> np.ndarray:
    """Return the mean of the visible pixels around each, with Gaussian weights."""
    blur = partial(ndimage.gaussian_filter, sigma=_per_axis(image, sigma, 0))
    visible = ~np.isnan(image)
    weight = blur(visible.astype(float))
    return blur(np.where(visible, image, 0)) / np.maximum(weight, 1e-9)


def non_local_means(
    image: np.ndarray, setting: tuple[float, int, int], sigma: float
) -> np.ndarray:
    factor, patch_size, patch_distance = setting
    return denoise_nl_means(
        image,
        patch_size,
        patch_distance,
        h=factor * sigma,
        sigma=sigma,
        fast_mode=image.size > 2**12,
        channel_axis=_channel_axis(image),
    )


def total_variation(image: np.ndarray, weight: float) -> np.ndarray:
    return denoise_tv_chambolle(image, weight, channel_axis=_channel_axis(image))


def wavelets(image: np.ndarray, setting: tuple[str, str], sigma: float) -> np.ndarray:
    wavelet, method = setting
    levels = max(1, int(np.log2(min(image.shape[:2]))) - 2)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Level value of")  # of images of 8 x 8
        return denoise_wavelet(
            image, sigma, wavelet, "soft", levels, method=method,
            channel_axis=_channel_axis(image),
        )  # fmt: skip


def biharmonic(image: np.ndarray, setting: None) -> np.ndarray:
    hidden = np.isnan(image)
    if image.ndim == 2:
        return inpaint_biharmonic(np.where(hidden, 0, image), hidden)
    # Channels are hidden apart, and a mask has none.
    channels = [biharmonic(channel, None) for channel in np.moveaxis(image, -1, 0)]
    return np.stack(channels, axis=-1)


def enlarge(image: np.ndarray, setting: None = None, *, order: int = 3) -> np.ndarray:
    height, width = image.shape[:2]
    return resize(
        image, (2 * height, 2 * width), order, mode="edge", clip=False,
        anti_aliasing=False,
    )  # fmt: skip


def back_projected(image: np.ndarray, rounds: int) -> np.ndarray:
    """Correct an enlarged image until its block means are the pixels that it is of."""
    large = enlarge(image)
    for _ in range(rounds):
        large += enlarge(image - halve(large))
    return large


def halve(image: np.ndarray) -> np.ndarray:
    """Return the means of blocks of two by two pixels."""
    height, width = (side // 2 * 2 for side in image.shape[:2])
    image = image[:height, :width]
    blocks = image.reshape(height // 2, 2, width // 2, 2, *image.shape[2:])
    return blocks.mean(axis=(1, 3))


def reconstruction(
    degraded: np.ndarray, clean: np.ndarray, model: BaseEstimator
) -> Restore:
    """Project onto what clean images have in common."""
    rows = _rows(clean)
    if isinstance(model, KernelPCA):
        rows = rows[:1000]  # its cost is cubic in them
    most = min(rows.shape) if isinstance(model, PCA) else len(rows)
    model = clone(model).set_params(n_components=min(model.n_components, most))
    model.fit(rows)
    return lambda images: model.inverse_transform(
        model.transform(_rows(images))
    ).reshape(images.shape)


def regression(degraded: np.ndarray, clean: np.ndarray, alpha: float) -> Restore:
    """Predict every pixel from all degraded ones and from which are visible."""
    model = Ridge(alpha).fit(_with_gaps_marked(degraded), _rows(clean))
    shape = clean.shape[1:]
    return lambda images: model.predict(_with_gaps_marked(images)).reshape(-1, *shape)


def conditional_mean(
    degraded: np.ndarray, clean: np.ndarray, shrinkage: float
) -> Restore:
    """Predict hidden pixels from the visible ones, as if all were jointly normal."""
    rows = _rows(clean)
    mean, covariance = rows.mean(axis=0), np.cov(rows, rowvar=False)
    covariance[np.diag_indices_from(covariance)] += shrinkage

    def fill(row: np.ndarray) -> np.ndarray:
        hidden = np.isnan(row)
        weights = linalg.solve(
            covariance[np.ix_(~hidden, ~hidden)],
            row[~hidden] - mean[~hidden],
            assume_a="pos",
        )
        filled = row.copy()
        filled[hidden] = mean[hidden] + covariance[np.ix_(hidden, ~hidden)] @ weights
        return filled

    return lambda images: np.stack([fill(row) for row in _rows(images)]).reshape(
        images.shape
    )


def _rows(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


def _with_gaps_marked(images: np.ndarray) -> np.ndarray:
    rows = _rows(images)
    hidden = np.isnan(rows)
    return np.hstack([np.where(hidden, 0, rows), hidden]) if hidden.any() else rows


def _per_axis(image: np.ndarray, value: float, of_channels: float) -> tuple:
    return (value, value, of_channels)[: image.ndim]


def _channel_axis(image: np.ndarray) -> int | None:
    return -1 if image.ndim == 3 else None
