"""A fit changes an estimator at its end, all at once, or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skae import AutoencoderTransformer
from tests.laws._estimators import EVERY_INSTANCE, QUICK, each, rows
from tests.laws._recorder import Recorder, assert_equal, results, with_gaps

every_instance = each(EVERY_INSTANCE)
#: What is compared are arrays, also of a fit to a data frame.
pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")


def table(estimator: BaseEstimator) -> np.ndarray:
    """Rows that an imputer has something to learn from."""
    name = type(estimator).__name__
    return with_gaps(rows()) if name == "DenoisingImputer" else rows()


def fitted_to_names(estimator: BaseEstimator) -> tuple[BaseEstimator, pd.DataFrame]:
    frame = pd.DataFrame(table(estimator)).add_prefix("pixel ")
    return clone(estimator).fit(frame), frame


class Snapshot:
    """All attributes of an estimator, and what it returns."""

    def __init__(self, fitted: BaseEstimator, X: Any) -> None:
        self.fitted, self.X = fitted, X
        self.attributes = dict(vars(fitted))
        self.results = results(fitted, X)

    def assert_unchanged(self) -> None:
        assert vars(self.fitted).keys() == self.attributes.keys()
        for name, value in vars(self.fitted).items():
            assert value is self.attributes[name], name
        assert_equal(results(self.fitted, self.X), self.results)


def assert_unfitted(estimator: BaseEstimator, before: dict[str, Any]) -> None:
    assert vars(estimator) == before
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)


REFUSED = {
    "an infinite value": np.where(np.eye(60, 28) > 0, np.inf, 0.5),
    "text": np.full((60, 28), "a"),
    "one axis": np.zeros(60),
    "no row": np.empty((0, 28)),
}


@every_instance
def test_what_is_refused_leaves_an_earlier_fit(estimator: BaseEstimator) -> None:
    """Rows of any kind, also those that are refused after their columns are seen."""
    snapshot = Snapshot(*fitted_to_names(estimator))
    refused = list(REFUSED.values())
    if not get_tags(estimator).input_tags.allow_nan:
        other_width = rows()[:, :20].copy()
        other_width[3, 4] = np.nan
        refused.append(other_width)
    for bad in refused:
        with pytest.raises(ValueError):
            snapshot.fitted.fit(bad)
    before = snapshot.fitted.max_iter
    with pytest.raises(ValueError, match="max_iter"):
        snapshot.fitted.set_params(max_iter=0).fit(snapshot.X)
    snapshot.fitted.set_params(max_iter=before)
    snapshot.assert_unchanged()


@every_instance
def test_bad_input_leaves_no_first_fit(estimator: BaseEstimator) -> None:
    unfitted = clone(estimator)
    before = dict(vars(unfitted))
    for bad in REFUSED.values():
        with pytest.raises(ValueError):
            unfitted.fit(bad)
        assert_unfitted(unfitted, before)


class Interrupting(Recorder):
    """Raises an error at the beginning or at the end of one of the tasks of a fit."""

    def __init__(self, at: int, event: str, error: BaseException) -> None:
        super().__init__()
        self.at, self.event, self.error = at, event, error
        self.seen = 0

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None) -> None:
        self._count("begin")

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, fitted_estimator=None
    ) -> bool:
        self._count("end")
        return False

    def _count(self, event: str) -> None:
        if event == self.event:
            self.seen += 1
            if self.seen == self.at:
                raise self.error


@pytest.mark.parametrize(
    "event, error",
    [("begin", RuntimeError("no patience")), ("end", KeyboardInterrupt())],
)
@every_instance
def test_an_interruption_in_any_task_leaves_an_earlier_fit(
    estimator: BaseEstimator, event: str, error: BaseException
) -> None:
    """The fit, its phases and its rounds are tasks, each of which begins and ends.

    A refit, with another seed and on other rows, is interrupted in each of them.
    """
    pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")
    snapshot = Snapshot(*fitted_to_names(estimator))
    snapshot.fitted.set_params(random_state=1)
    recorder = Recorder()
    clone(snapshot.fitted).set_callbacks(recorder).fit(table(estimator))
    n_tasks = sum(kind == event for kind, _, _ in recorder.events)
    assert n_tasks >= 3
    for task in range(1, n_tasks + 1):
        snapshot.fitted.set_callbacks(Interrupting(task, event, error))
        with pytest.raises(type(error)):
            snapshot.fitted.fit(table(estimator)[::-1])
        snapshot.fitted.set_callbacks()
        snapshot.fitted.set_params(random_state=0)
        snapshot.assert_unchanged()
        snapshot.fitted.set_params(random_state=1)


@every_instance
def test_an_interruption_leaves_no_first_fit(estimator: BaseEstimator) -> None:
    pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")
    unfitted = clone(estimator).set_callbacks(
        Interrupting(2, "end", KeyboardInterrupt())
    )
    before = dict(vars(unfitted))
    with pytest.raises(KeyboardInterrupt):
        unfitted.fit(table(estimator))
    assert_unfitted(unfitted, before)


@every_instance
def test_while_a_fit_runs_the_earlier_one_predicts(estimator: BaseEstimator) -> None:
    pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")

    class Watching(Recorder):
        def on_fit_task_end(
            self, estimator, context, *, X=None, y=None, fitted_estimator=None
        ) -> bool:
            snapshot.attributes |= {
                name: value
                for name, value in vars(snapshot.fitted).items()
                if name.startswith("_skl") or name == "_callback_fit_ctx"
            }
            assert_equal(results(snapshot.fitted, snapshot.X), snapshot.results)
            return super().on_fit_task_end(estimator, context)

    snapshot = Snapshot(*fitted_to_names(estimator))
    watching = Watching()
    snapshot.fitted.set_params(random_state=1).set_callbacks(watching)
    snapshot.fitted.fit(table(estimator)[::-1])
    assert len(watching.rounds) > 0
    assert not hasattr(snapshot.fitted, "feature_names_in_")


@every_instance
def test_a_fit_that_diverges_is_a_fit(estimator: BaseEstimator) -> None:
    """It warns, and what it leaves is that of a first fit that diverges."""
    X = table(estimator)
    wild = clone(estimator).set_params(learning_rate_init=1e6)
    again = clone(estimator).fit(X[::-1]).set_params(learning_rate_init=1e6)
    with pytest.warns(ConvergenceWarning):
        wild.fit(X)
    with pytest.warns(ConvergenceWarning):
        again.fit(X)
    assert vars(again).keys() == vars(wild).keys()
    assert_equal(results(again, X), results(wild, X))


@every_instance
def test_a_refit_leaves_nothing_of_the_earlier_fit(estimator: BaseEstimator) -> None:
    """Neither names of features, nor attributes that the second fit does not set."""
    refitted, _ = fitted_to_names(estimator)
    X = table(estimator)
    first = clone(estimator).fit(X)
    refitted.fit(X)
    assert vars(refitted).keys() == vars(first).keys()
    assert_equal(results(refitted, X), results(first, X))


def test_a_fit_that_would_start_from_itself_leaves_the_earlier_fit() -> None:
    snapshot = Snapshot(AutoencoderTransformer(2, **QUICK).fit(rows()), rows())
    reducer = snapshot.fitted
    earlier = reducer.get_params(deep=False)
    reducer.set_params(start=FrozenEstimator(reducer), hidden_layer_sizes="auto")
    with pytest.raises(ValueError, match="freeze a copy of it"):
        reducer.fit(rows())
    reducer.set_params(**earlier)
    snapshot.assert_unchanged()
