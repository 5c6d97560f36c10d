"""Where the rows of a table lie in a space of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.manifold import TSNE
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import type_of_target

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from sklearn.base import TransformerMixin


class LatentSpaceDisplay:
    """Codes in the plane, coloured by class.

    It is best made with :meth:`from_estimator`.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
        The codes, or their embedding.
    y : ndarray of shape (n_samples,) or None, default=None
        Class of each point; None draws all alike.
    axis_labels : tuple of two str, default=("Component 1", "Component 2")
        What the points' coordinates are.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Axes with the points.
    figure_ : matplotlib.figure.Figure
        Figure of the axes.
    scatters_ : list of matplotlib.collections.PathCollection
        The points, one collection for each class in the order of the classes.

    See Also
    --------
    sklearn.manifold.TSNE : Embeds codes of more than two components.

    References
    ----------
    .. [1] L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", Journal of
       Machine Learning Research 9, 2008.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.preprocessing import scale
    >>> from skae import AutoencoderTransformer
    >>> from skae.plotting import LatentSpaceDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> X = scale(X)
    >>> reducer = AutoencoderTransformer(max_iter=5, random_state=0).fit(X)
    >>> display = LatentSpaceDisplay.from_estimator(reducer, X, y)
    >>> display.points.shape
    (178, 2)
    >>> [points.get_label() for points in display.scatters_]
    ['0', '1', '2']
    """

    def __init__(
        self,
        *,
        points: np.ndarray,
        y: np.ndarray | None = None,
        axis_labels: tuple[str, str] = ("Component 1", "Component 2"),
    ) -> None:
        self.points = points
        self.y = y
        self.axis_labels = axis_labels

    @classmethod
    def from_estimator(
        cls,
        estimator: TransformerMixin,
        X,
        y=None,
        *,
        random_state: int | np.random.RandomState | None = None,
        ax: Axes | None = None,
        **scatter_kwargs: Any,
    ) -> LatentSpaceDisplay:
        """Encode rows and draw their codes.

        Parameters
        ----------
        estimator : transformer
            Fitted :class:`~skae.AutoencoderTransformer`, or another transformer to
            compare it with. Codes of more than two components are embedded in the plane
            by :class:`~sklearn.manifold.TSNE`, which keeps neighbours together but not
            distances; the labels of the axes tell that it did.
        X : array-like of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,), default=None
            Class of each row.
        random_state : int, RandomState instance or None, default=None
            Passed to :class:`~sklearn.manifold.TSNE`.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw into; by default those of a new figure.
        **scatter_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        display : LatentSpaceDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If the codes have a single component, or `y` does not hold one class for
            each row.
        """
        check_consistent_length(X, y)
        if y is not None and type_of_target(y) not in ("binary", "multiclass"):
            raise ValueError(
                f"y must hold a class for each row, got {type_of_target(y)} values; "
                "group them first, for instance with pandas.qcut."
            )
        codes = np.asarray(estimator.transform(X))
        n_components = codes.shape[1]
        if n_components == 1:
            raise ValueError(
                f"This {type(estimator).__name__} has a single component, which makes "
                "no plane; fit it with two or more, or draw a histogram of its codes."
            )
        if n_components == 2:
            points, axis_labels = codes, ("Component 1", "Component 2")
        else:
            # The default of 30 neighbours is more than a small table has.
            perplexity = min(30, len(codes) / 4)
            tsne = TSNE(perplexity=perplexity, random_state=random_state)
            points = tsne.fit_transform(codes)
            axis_labels = (
                f"t-SNE 1 of {n_components} components",
                f"t-SNE 2 of {n_components} components",
            )
        y = None if y is None else np.asarray(y)
        display = cls(points=points, y=y, axis_labels=axis_labels)
        return display.plot(ax=ax, **scatter_kwargs)

    def plot(
        self, *, ax: Axes | None = None, **scatter_kwargs: Any
    ) -> LatentSpaceDisplay:
        """Draw the points, with a legend of the classes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw into; by default those of a new figure.
        **scatter_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        display : LatentSpaceDisplay
            The display itself.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        style = {"s": 10} | scatter_kwargs
        if self.y is None:
            self.scatters_ = [ax.scatter(*self.points.T, **style)]
        else:
            classes = np.unique(self.y)
            # Ten colours that are easily told apart, or as many as it takes.
            palette = plt.get_cmap("tab10" if len(classes) <= 10 else "turbo")
            n_colors = max(len(classes), 10)
            colors = palette(np.linspace(0, 1, n_colors))[: len(classes)]
            self.scatters_ = [
                ax.scatter(
                    *self.points[self.y == label].T,
                    **{"color": color, "label": str(label)} | style,
                )
                for label, color in zip(classes, colors, strict=True)
            ]
            ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2)
        ax.set(xlabel=self.axis_labels[0], ylabel=self.axis_labels[1])
        self.ax_, self.figure_ = ax, ax.figure
        return self
