"""Rows and what an autoencoder makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skae.estimators import DenoisingTransformer
from skae.plotting._cells import as_images, cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from skae.estimators import AutoencoderTransformer, ReconstructionOutlierDetector

_CURVE_ASPECT = 0.5  # height over width


class ReconstructionDisplay:
    """Originals above their reconstructions, as images or as curves.

    It is best made with :meth:`from_estimator`.

    Parameters
    ----------
    original : ndarray of shape (n_samples, n_features)
        The rows.
    reconstruction : ndarray of shape (n_samples, n_features)
        What the estimator made of them, or of the corrupted rows.
    corrupted : ndarray of shape (n_samples, n_features) or None, default=None
        The rows that the estimator saw, if these were not the originals.
    image_shape : tuple of int or None, default=None
        ``(height, width)`` or ``(height, width, channels)`` with one or three
        channels; None draws the features of a row as a curve.

    Attributes
    ----------
    axes_ : ndarray of shape (2, n_samples) or (3, n_samples)
        Axes of each picture: originals, corrupted rows if there are any, and
        reconstructions.
    figure_ : matplotlib.figure.Figure
        Figure of the axes.
    artists_ : ndarray of the shape of `axes_`
        The images (:class:`matplotlib.image.AxesImage`) or curves
        (:class:`matplotlib.lines.Line2D`).

    See Also
    --------
    skae.AutoencoderTransformer.reconstruct : The reconstructions of many rows.
    skae.DenoisingTransformer : Restores rows.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> from skae.plotting import ReconstructionDisplay
    >>> X = load_digits().data[:200]
    >>> reducer = AutoencoderTransformer(8, max_iter=2, cv=None, random_state=0).fit(X)
    >>> display = ReconstructionDisplay.from_estimator(
    ...     reducer, X[:5], image_shape=(8, 8)
    ... )
    >>> display.axes_.shape
    (2, 5)
    """

    def __init__(
        self,
        *,
        original: np.ndarray,
        reconstruction: np.ndarray,
        corrupted: np.ndarray | None = None,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.original = original
        self.reconstruction = reconstruction
        self.corrupted = corrupted
        self.image_shape = image_shape

    @classmethod
    def from_estimator(
        cls,
        estimator: (
            AutoencoderTransformer
            | DenoisingTransformer
            | ReconstructionOutlierDetector
        ),
        X,
        *,
        image_shape: Sequence[int] | None = None,
        corrupted=None,
        ax: Axes | None = None,
        **artist_kwargs: Any,
    ) -> ReconstructionDisplay:
        """Reconstruct a few rows.

        Parameters
        ----------
        estimator : AutoencoderTransformer, DenoisingTransformer or \
                ReconstructionOutlierDetector
            Fitted estimator. What a denoiser restores stands for the reconstruction;
            pass the degraded samples as `corrupted`.
        X : array-like of shape (n_samples, n_features)
            The rows, each of which gets a column of pictures: ten or so are readable.
        image_shape : tuple of int or None, default=None
            ``(height, width)`` or ``(height, width, channels)`` with one or three
            channels; None draws the features of a row as a curve.
        corrupted : array-like of shape (n_samples, n_features), default=None
            Corrupted copies of the rows, which are reconstructed in their place.
        ax : matplotlib.axes.Axes, default=None
            Axes to divide; by default those of a new figure.
        **artist_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.imshow` or
            :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : ReconstructionDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If `corrupted` does not have the shape of X, or `image_shape` does not make
            as many features as X has.
        """
        seen = X if corrupted is None else corrupted
        reconstruction = np.asarray(
            estimator.transform(seen)
            if isinstance(estimator, DenoisingTransformer)
            else estimator.reconstruct(seen)
        )
        original = np.asarray(X, dtype=np.float64)
        if corrupted is not None:
            corrupted = np.asarray(corrupted, dtype=np.float64)
        if original.shape != reconstruction.shape:
            raise ValueError(
                f"corrupted must have the shape of X, {original.shape}, got "
                f"{corrupted.shape}; pass a corrupted copy of each row of X."
            )
        display = cls(
            original=original,
            reconstruction=np.asarray(reconstruction, dtype=np.float64),
            corrupted=corrupted,
            image_shape=image_shape,
        )
        return display.plot(ax=ax, **artist_kwargs)

    def plot(
        self, *, ax: Axes | None = None, **artist_kwargs: Any
    ) -> ReconstructionDisplay:
        """Draw the originals, the corrupted rows if there are any, the reconstructions.

        All images share one scale, from the least to the largest value of the
        originals; values beyond it are drawn as these. All curves share their limits,
        and each has a grey copy of the original behind it.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to divide; by default those of a new figure.
        **artist_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.imshow` or
            :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : ReconstructionDisplay
            The display itself.

        Raises
        ------
        ValueError
            If `image_shape` does not make as many features as there are.
        """
        tables = {"original": self.original}
        if self.corrupted is not None:
            tables["corrupted"] = self.corrupted
        tables["reconstruction"] = self.reconstruction

        names, rows = tuple(tables), np.stack(list(tables.values()))
        if self.image_shape is None:
            self._draw_curves(rows, names, ax, artist_kwargs)
        else:
            self._draw_images(rows, names, self.image_shape, ax, artist_kwargs)
        self.figure_ = self.axes_[0, 0].figure
        return self

    def _draw_images(
        self,
        rows: np.ndarray,
        names: tuple[str, ...],
        image_shape: Sequence[int],
        ax: Axes | None,
        style: dict[str, Any],
    ) -> None:
        least, largest = self.original.min(), self.original.max()
        span = largest - least if largest > least else 1.0
        images = as_images(((rows - least) / span).clip(0, 1), image_shape)
        aspect = images.shape[2] / images.shape[3]
        style = {"cmap": "gray", "vmin": 0, "vmax": 1} | style
        self.axes_ = cells(ax, *rows.shape[:2], aspect=aspect, names=names)
        self.artists_ = np.empty_like(self.axes_)
        for cell, small in np.ndenumerate(self.axes_):
            self.artists_[cell] = small.imshow(images[cell], **style)

    def _draw_curves(
        self,
        rows: np.ndarray,
        names: tuple[str, ...],
        ax: Axes | None,
        style: dict[str, Any],
    ) -> None:
        style = {"color": "C0", "linewidth": 1} | style
        self.axes_ = cells(ax, *rows.shape[:2], aspect=_CURVE_ASPECT, names=names)
        self.artists_ = np.empty_like(self.axes_)
        for cell, small in np.ndenumerate(self.axes_):
            small.plot(self.original[cell[1]], color="silver", linewidth=1)
            (self.artists_[cell],) = small.plot(rows[cell], **style)
            small.set_ylim(rows.min(), rows.max())
