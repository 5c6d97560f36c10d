"""What callbacks are told of a fit; only this file knows scikit-learn's protocol."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sklearn.base import BaseEstimator

from skae._training import History

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # before scikit-learn 1.9, where nobody can set a callback

    class CallbackSupportMixin:  # type: ignore[no-redef]
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


#: Attributes that an estimator would have if its fit ended now.
Attributes = Callable[[], dict[str, Any]]
#: The same, after these rounds of the training under way.
AttributesAfter = Callable[[History], dict[str, Any]]


class FitTask:
    """A task of a fit, which begins when it is made and may consist of others.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        Place of the task among the others.
    estimator : estimator
        What is being fitted.
    passed : dict of str to object
        What the user passed to ``fit``: ``X``, ``y`` and, by name, ``metadata``.
    """

    def __init__(
        self, context: Any, estimator: BaseEstimator, passed: dict[str, Any]
    ) -> None:
        self._context, self._estimator, self._passed = context, estimator, passed
        self._told = {"estimator": estimator, "metadata": {}} | passed
        context.call_on_fit_task_begin(**self._told)

    @classmethod
    def whole(
        cls, estimator: CallbackSupportMixin, passed: dict[str, Any], max_subtasks: int
    ) -> FitTask:
        """Begin the task that is the whole fit."""
        context = estimator._init_callback_context(max_subtasks=max_subtasks)
        return cls(context, estimator, passed)

    def subtask(self, name: str, max_subtasks: int = 0) -> FitTask:
        """Begin the next part of this task."""
        context = self._context.subcontext(task_name=name, max_subtasks=max_subtasks)
        return FitTask(context, self._estimator, self._passed)

    def end(self, attributes: Attributes) -> bool:
        """End the task; tell whether a callback asks to stop those beside it.

        The attributes are computed only if a callback wants the fit so far.
        """
        return bool(
            self._context.call_on_fit_task_end(
                **self._told, reconstruction_attributes=attributes
            )
        )

    def watch(self, attributes_after: AttributesAfter) -> _Rounds:
        """Return what makes a part of this task of every round of a training."""
        return _Rounds(self, attributes_after)


class _Rounds:
    """Runs rounds of a training as parts of a task."""

    def __init__(self, task: FitTask, attributes_after: AttributesAfter) -> None:
        self._task = task
        self._attributes_after = attributes_after

    def __call__(self, run: Callable[[], None], so_far: Callable[[], History]) -> bool:
        """Run a round; tell whether a callback asks to stop."""
        task = self._task.subtask("round")
        run()
        return task.end(partial(self._attributes, so_far))

    def _attributes(self, so_far: Callable[[], History]) -> dict[str, Any]:
        return self._attributes_after(so_far())
