"""A callback that notes what it is told, and what is compared between fits."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from skae import DenoisingImputer
from tests.laws._estimators import outputs


class Recorder:
    """Notes all that a callback is told; asks to stop at the ends of some tasks."""

    def __init__(self, *stop_at: tuple[int, ...]) -> None:
        self.stop_at = stop_at
        self.events: list[tuple[str, tuple[int, ...], str]] = []
        self.fitted: dict[tuple[int, ...], BaseEstimator] = {}
        self.passed: list[tuple[Any, Any]] = []

    def setup(self, estimator, context) -> None:
        self.events.append(("setup", (), ""))

    def teardown(self, estimator, context) -> None:
        self.events.append(("teardown", (), ""))

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None) -> None:
        self._note("begin", context)
        self.passed.append((X, y))

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, fitted_estimator=None
    ) -> bool:
        path = self._note("end", context)
        self.passed.append((X, y))
        self.fitted[path] = fitted_estimator
        return path in self.stop_at

    def _note(self, event: str, context) -> tuple[int, ...]:
        path, at = (), context
        while at is not None:
            path, at = (at.task_id, *path), at.parent
        self.events.append((event, path, context.task_name))
        return path

    @property
    def rounds(self) -> list[tuple[int, ...]]:
        """Paths of the rounds in the order in which they ended."""
        ends = [event for event in self.events if event[0] == "end"]
        return [path for _, path, name in ends if name == "round"]


def with_gaps(X: np.ndarray) -> np.ndarray:
    return np.where(np.random.RandomState(0).uniform(size=X.shape) < 0.2, np.nan, X)


def results(fitted: BaseEstimator, X: np.ndarray) -> dict[str, Any]:
    """What a fitted estimator returns for rows, and its fitted numbers."""
    if isinstance(fitted, DenoisingImputer):
        returned = {
            "transform": fitted.transform(X),
            "imputation_std": fitted.imputation_std(X),
        }
    elif get_tags(fitted).input_tags.allow_nan:
        returned = outputs(fitted, with_gaps(X))  # complete rows would stay as they are
    else:
        returned = outputs(fitted, X)
    kinds = (int, float, str, list, np.ndarray, type(None))
    state = {
        name: value
        for name, value in vars(fitted).items()
        if name.endswith("_") and isinstance(value, kinds) and name != "experts_"
    }
    state["history_"] = [row | {"duration": None} for row in fitted.history_]
    return returned | state


def assert_equal(one: dict[str, Any], two: dict[str, Any]) -> None:
    """Bit for bit."""
    assert one.keys() == two.keys()
    for name, value in one.items():
        np.testing.assert_equal(value, two[name], err_msg=name)


def scores_of_rounds(monitor) -> list[float]:
    data = monitor.get_logs().data
    return [row["score"] for row in data if row["task_name"] == "round"]
