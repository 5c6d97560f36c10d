"""Why one row is an outlier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skae._base import check_feature_names_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from skae.estimators import ReconstructionOutlierDetector


class ExplanationDisplay:
    """What each feature contributes to the abnormality of one row.

    It is best made with :meth:`from_estimator`.

    Parameters
    ----------
    value : ndarray of shape (n_features,)
        The row.
    expected : ndarray of shape (n_features,)
        What the detector expected.
    contribution : ndarray of shape (n_features,)
        Share of each feature in the row's abnormality.
    feature_names : sequence of str
        Names of the features.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Axes with the bars.
    figure_ : matplotlib.figure.Figure
        Figure of the axes.
    bars_ : matplotlib.container.BarContainer
        The bars, the largest contribution on top.

    See Also
    --------
    skae.ReconstructionOutlierDetector.explain : The contributions of many rows.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_wine
    >>> from skae import ReconstructionOutlierDetector
    >>> from skae.plotting import ExplanationDisplay
    >>> X = load_wine(as_frame=True).data
    >>> detector = ReconstructionOutlierDetector(random_state=0).fit(X)
    >>> worst = X.iloc[[detector.score_samples(X).argmin()]]
    >>> display = ExplanationDisplay.from_estimator(detector, worst)
    >>> len(display.bars_)
    10
    """

    def __init__(
        self,
        *,
        value: np.ndarray,
        expected: np.ndarray,
        contribution: np.ndarray,
        feature_names: Sequence[str],
    ) -> None:
        self.value = value
        self.expected = expected
        self.contribution = contribution
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: ReconstructionOutlierDetector,
        X,
        *,
        feature_names: Sequence[str] | None = None,
        max_features: int = 10,
        ax: Axes | None = None,
        **bar_kwargs: Any,
    ) -> ExplanationDisplay:
        """Explain one row.

        Parameters
        ----------
        estimator : ReconstructionOutlierDetector
            Fitted detector.
        X : array-like of shape (1, n_features)
            The row.
        feature_names : sequence of str, default=None
            Names of the features; by default those seen during fit, or ``x0``, ``x1``
            and so on.
        max_features : int, default=10
            Number of features shown, those with the largest contributions.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw into; by default those of a new figure.
        **bar_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : ExplanationDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If X is not exactly one row, or the names are not those seen during fit or
            not one for each feature.
        """
        contribution = np.asarray(estimator.explain(X))
        if len(contribution) != 1:
            raise ValueError(
                f"X must be one row to explain, got {len(contribution)} rows; select "
                "one, for instance X[[0]]."
            )
        display = cls(
            value=np.asarray(X, dtype=np.float64)[0],
            expected=np.asarray(estimator.reconstruct(X), dtype=np.float64)[0],
            contribution=contribution[0],
            feature_names=check_feature_names_in(estimator, feature_names),
        )
        return display.plot(max_features=max_features, ax=ax, **bar_kwargs)

    def plot(
        self, *, max_features: int = 10, ax: Axes | None = None, **bar_kwargs: Any
    ) -> ExplanationDisplay:
        """Draw a bar for each of the features that contribute most.

        Parameters
        ----------
        max_features : int, default=10
            Number of features shown.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw into; by default those of a new figure.
        **bar_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : ExplanationDisplay
            The display itself.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        shown = np.argsort(-self.contribution, kind="stable")[:max_features]
        labels = [
            f"{self.feature_names[i]} = {self.value[i]:.4g}\n"
            f"(expected {self.expected[i]:.4g})"
            for i in shown
        ]
        self.bars_ = ax.barh(
            np.arange(len(shown)), self.contribution[shown], **bar_kwargs
        )
        ax.set_yticks(np.arange(len(shown)), labels)
        ax.invert_yaxis()
        ax.set(
            xlabel="Contribution",
            title=f"Surprise {self.contribution.sum():.1f}",
        )
        self.ax_, self.figure_ = ax, ax.figure
        return self
