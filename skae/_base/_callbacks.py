"""What callbacks are told of a fit; only this file knows scikit-learn's protocol."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from sklearn.base import BaseEstimator

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # before scikit-learn 1.9, where nobody can set a callback

    class CallbackSupportMixin:
        """Mixin of estimators without callbacks."""

        def _init_callback_context(self, **settings: Any) -> _Unwatched:
            return _Unwatched()


class _Unwatched:
    """Stands in for scikit-learn's context of a task."""

    def subcontext(self, **settings: Any) -> _Unwatched:
        return self

    def call_on_fit_task_begin(self, **told: Any) -> None:
        pass

    def call_on_fit_task_end(self, **told: Any) -> bool:
        return False


class FitTask:
    """A task of a fit, which begins when it is made and may consist of others.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        Place of the task among the others.
    estimator : estimator
        What is being fitted.
    X, y : object
        What the user passed to ``fit``.
    metadata : dict
        What else was passed, by its name.
    """

    def __init__(
        self,
        context: Any,
        estimator: BaseEstimator,
        X: Any,
        y: Any,
        metadata: dict[str, Any],
    ) -> None:
        self._context = context
        self._told = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        context.call_on_fit_task_begin(**self._told)

    @classmethod
    def whole(
        cls,
        estimator: CallbackSupportMixin,
        X: Any,
        y: Any,
        max_subtasks: int,
        **metadata: Any,
    ) -> FitTask:
        """Begin the task that is the whole fit."""
        context = estimator._init_callback_context(max_subtasks=max_subtasks)
        return cls(context, estimator, X, y, metadata)

    def subtask(self, name: str, max_subtasks: int = 0) -> FitTask:
        """Begin the next part of this task."""
        context = self._context.subcontext(task_name=name, max_subtasks=max_subtasks)
        return FitTask(context, **self._told)

    def end(
        self, conclude: Callable[[BaseEstimator], None] = lambda fitted: None
    ) -> bool:
        """End the task; tell whether a callback asks to stop those beside it.

        Parameters
        ----------
        conclude : callable
            Fits a copy of the estimator as if the fit ended here. It is called only if
            a callback wants that copy.
        """

        def attributes() -> dict[str, Any]:
            fitted = copy.copy(self._told["estimator"])
            conclude(fitted)
            return vars(fitted)

        return self._context.call_on_fit_task_end(
            **self._told, reconstruction_attributes=attributes
        )

    def watch(
        self, conclude: Callable[[BaseEstimator, Any], None]
    ) -> Callable[[Callable[[], None], Callable[[], Any]], bool]:
        """Return what makes a part of this task of every round of a training.

        Parameters
        ----------
        conclude : callable
            As in :meth:`end`; its second argument is what was trained so far.
        """

        def watch(run: Callable[[], None], so_far: Callable[[], Any]) -> bool:
            task = self.subtask("round")
            run()
            return task.end(lambda fitted: conclude(fitted, so_far()))

        return watch
