"""How the loss fell while an estimator was trained."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from skae.estimators import (
        AutoencoderTransformer,
        DenoisingImputer,
        DenoisingTransformer,
        ReconstructionOutlierDetector,
    )


class TrainingCurveDisplay:
    """Training loss and held-out loss over the rounds, phase by phase.

    It is best made with :meth:`from_estimator`. The training loss is a mean over the
    steps of a round, with noise and penalties; the held-out loss is taken after the
    round and without either, so it may be the lower one. A layer that is trained alone
    is judged on the codes that it sees: the losses of two phases cannot be compared.

    Parameters
    ----------
    loss : ndarray of shape (n_rounds,)
        Training loss of each round.
    validation_loss : ndarray of shape (n_rounds,) or None, default=None
        Loss on the held-out rows after each round, if there were any.
    phases : sequence of str or None, default=None
        Name of the phase that each round belongs to; None is a single phase.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Axes with the curves.
    figure_ : matplotlib.figure.Figure
        Figure of the axes.
    training_lines_ : list of matplotlib.lines.Line2D
        Training loss, one line for each phase.
    validation_lines_ : list of matplotlib.lines.Line2D
        Held-out loss, one line for each phase; empty if no rows were held out.

    See Also
    --------
    skae.AutoencoderTransformer : Its ``history_`` holds what is drawn.
    sklearn.model_selection.LearningCurveDisplay : Score over the number of rows.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.preprocessing import scale
    >>> from skae import AutoencoderTransformer
    >>> from skae.plotting import TrainingCurveDisplay
    >>> reducer = AutoencoderTransformer(max_iter=5, random_state=0)
    >>> reducer.fit(scale(load_wine().data))
    AutoencoderTransformer(max_iter=5, random_state=0)
    >>> display = TrainingCurveDisplay.from_estimator(reducer)
    >>> len(display.loss) == len(reducer.history_)
    True
    """

    def __init__(
        self,
        *,
        loss: np.ndarray,
        validation_loss: np.ndarray | None = None,
        phases: Sequence[str] | None = None,
    ) -> None:
        self.loss = loss
        self.validation_loss = validation_loss
        self.phases = phases

    @classmethod
    def from_estimator(
        cls,
        estimator: (
            AutoencoderTransformer
            | DenoisingImputer
            | DenoisingTransformer
            | ReconstructionOutlierDetector
        ),
        *,
        ax: Axes | None = None,
        **line_kwargs: Any,
    ) -> TrainingCurveDisplay:
        """Draw the training that ``estimator.history_`` tells of.

        Parameters
        ----------
        estimator : AutoencoderTransformer, DenoisingImputer, DenoisingTransformer or \
                ReconstructionOutlierDetector
            Fitted estimator.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw into; by default those of a new figure.
        **line_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for both losses.

        Returns
        -------
        display : TrainingCurveDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If nothing was trained.
        """
        check_is_fitted(estimator)
        history = estimator.history_
        if not history:
            raise ValueError(
                f"This {type(estimator).__name__} has no training to draw: fit kept "
                "the start as it is; pass one that was fitted on more rows, or one "
                "whose start leaves something to learn: a reducer with fewer "
                "components, a denoiser with more noise."
            )

        def recorded(key: str) -> list[Any] | None:
            return [row[key] for row in history] if key in history[0] else None

        validation_loss = recorded("validation_loss")
        display = cls(
            loss=np.array(recorded("loss")),
            validation_loss=(
                None if validation_loss is None else np.array(validation_loss)
            ),
            phases=recorded("phase"),
        )
        return display.plot(ax=ax, **line_kwargs)

    def plot(
        self, *, ax: Axes | None = None, **line_kwargs: Any
    ) -> TrainingCurveDisplay:
        """Draw the losses on a logarithmic scale.

        Several phases are separated by dotted lines and named above the axes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw into; by default those of a new figure.
        **line_kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for both losses.

        Returns
        -------
        display : TrainingCurveDisplay
            The display itself.
        """
        import matplotlib.pyplot as plt
        from matplotlib.ticker import (
            AutoLocator,
            LogLocator,
            MaxNLocator,
            NullFormatter,
        )

        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        phases = self._phases()
        self.training_lines_: list[Line2D] = []
        self.validation_lines_: list[Line2D] = []
        curves = [(self.loss, self.training_lines_, "training", "C0")]
        if self.validation_loss is not None:
            curves.append(
                (self.validation_loss, self.validation_lines_, "held-out", "C1")
            )
        for loss, lines, label, color in curves:
            style = {"color": color, "marker": "."} | line_kwargs
            for _, rounds in phases:
                lines += ax.plot(rounds + 1, loss[rounds], **style)
            lines[0].set_label(label)
        ax.set(xlabel="Round", ylabel="Loss", yscale="log")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        # Within a power of ten, a logarithmic scale would have few numbers or none.
        bottom, top = ax.get_ylim()
        wide = top > 10 * bottom
        ax.yaxis.set_major_locator(
            LogLocator(subs=(1, 2, 5)) if wide else AutoLocator()
        )
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.legend()
        if len(phases) > 1:
            names = ax.secondary_xaxis("top")
            names.set_xticks(
                [rounds.mean() + 1 for _, rounds in phases],
                [name for name, _ in phases],
            )
            names.tick_params(length=0)
            for _, rounds in phases[1:]:
                ax.axvline(rounds[0] + 0.5, color="grey", linestyle=":")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _phases(self) -> list[tuple[str, np.ndarray]]:
        """Name and rounds of each phase, counted from zero."""
        names = [""] * len(self.loss) if self.phases is None else self.phases
        rounds = groupby(range(len(names)), key=lambda index: names[index])
        return [(name, np.array(list(indices))) for name, indices in rounds]
