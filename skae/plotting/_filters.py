"""What the first layer of a network looks for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skae.plotting._cells import as_images, cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from skae.estimators import AutoencoderTransformer


class FilterDisplay:
    """Filters of a network's first layer, as images.

    It is best made with :meth:`from_estimator`. A filter is what a unit of the layer
    multiplies the features with: of a dense network all of them, of a convolutional
    network those in its window. Middle grey is zero, and each filter has a scale of its
    own, on which the weight farthest from zero is black or white.

    Parameters
    ----------
    filters : ndarray of shape (n_filters, height, width) or \
            (n_filters, height, width, 3)
        The filters.

    Attributes
    ----------
    axes_ : ndarray of shape (n_shown,)
        Axes of each filter that is shown.
    figure_ : matplotlib.figure.Figure
        Figure of the axes.
    images_ : list of matplotlib.image.AxesImage
        The filters that are shown, those with the largest norm first.

    See Also
    --------
    skae.plotting.ReconstructionDisplay : What the whole network makes of rows.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> from skae.networks import DenseNetwork
    >>> from skae.plotting import FilterDisplay
    >>> X = load_digits().data[:200]
    >>> network = DenseNetwork(hidden_layer_sizes=(36,))
    >>> reducer = AutoencoderTransformer(
    ...     8, network=network, max_iter=2, cv=None, random_state=0
    ... ).fit(X)
    >>> display = FilterDisplay.from_estimator(reducer, image_shape=(8, 8))
    >>> display.filters.shape
    (36, 8, 8)
    """

    def __init__(self, *, filters: np.ndarray) -> None:
        self.filters = filters

    @classmethod
    def from_estimator(
        cls,
        estimator: AutoencoderTransformer,
        *,
        image_shape: Sequence[int] | None = None,
        max_filters: int = 64,
        ax: Axes | None = None,
        **image_kwargs: Any,
    ) -> FilterDisplay:
        """Draw the filters of the network's first layer.

        Where another fit was fine-tuned and a blend of both was kept, they are those of
        the other fit.

        Parameters
        ----------
        estimator : AutoencoderTransformer
            Fitted transformer of images.
        image_shape : tuple of int, default=None
            ``(height, width)`` or ``(height, width, channels)`` with one or three
            channels. Needed for a dense network; the windows of a convolutional one
            have a shape of their own.
        max_filters : int, default=64
            Number of filters shown, those with the largest norm.
        ax : matplotlib.axes.Axes, default=None
            Axes to divide; by default those of a new figure.
        **image_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : FilterDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If `image_shape` does not make as many features as the estimator has seen,
            or no network was kept.
        """
        filters = estimator.filters()
        if filters.ndim == 2:
            if image_shape is None:
                raise ValueError(
                    "image_shape is needed to draw the filters of a dense network; "
                    "pass the height and width of the images."
                )
            filters = as_images(filters, image_shape)
        return cls(filters=filters).plot(max_filters=max_filters, ax=ax, **image_kwargs)

    def plot(
        self, *, max_filters: int = 64, ax: Axes | None = None, **image_kwargs: Any
    ) -> FilterDisplay:
        """Draw the filters with the largest norm.

        Parameters
        ----------
        max_filters : int, default=64
            Number of filters shown.
        ax : matplotlib.axes.Axes, default=None
            Axes to divide; by default those of a new figure.
        **image_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : FilterDisplay
            The display itself.
        """
        norms = np.linalg.norm(self.filters.reshape(len(self.filters), -1), axis=1)
        shown = self.filters[np.argsort(-norms, kind="stable")[:max_filters]]
        n_columns = math.ceil(math.sqrt(len(shown)))
        n_rows = math.ceil(len(shown) / n_columns)
        aspect = shown.shape[1] / shown.shape[2]
        grid = cells(ax, n_rows, n_columns, aspect=aspect).ravel()
        self.axes_, spare = np.split(grid, [len(shown)])
        for small in spare:
            small.remove()
        style = {"cmap": "gray", "vmin": 0, "vmax": 1} | image_kwargs
        self.images_ = [
            small.imshow(_with_grey_zero(weights), **style)
            for small, weights in zip(self.axes_, shown, strict=True)
        ]
        self.figure_ = self.axes_[0].figure
        return self


def _with_grey_zero(weights: np.ndarray) -> np.ndarray:
    largest = np.abs(weights).max()
    return 0.5 + 0.5 * weights / (largest if largest > 0 else 1.0)
