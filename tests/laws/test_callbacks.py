"""Callbacks see every round, get what a fit that ends there gives, and change nothing.

The laws hold for all estimators; scikit-learn's own callbacks are tried on them as its
users set them.
"""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderTransformer, DenoisingImputer, ReconstructionOutlierDetector
from skae.model_selection import outlier_roc_auc_scorer
from tests.laws._estimators import EVERY_INSTANCE, QUICK, each, rows
from tests.laws._recorder import (
    Recorder,
    assert_equal,
    results,
    scores_of_rounds,
    with_gaps,
)

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")

every_instance = each(EVERY_INSTANCE)


def table(estimator: BaseEstimator) -> np.ndarray:
    return with_gaps(rows()) if isinstance(estimator, DenoisingImputer) else rows()


def recorded(
    estimator: BaseEstimator, *stop_at: tuple[int, ...], max_iter: int = 3
) -> tuple[BaseEstimator, Recorder]:
    recorder = Recorder(*stop_at)
    fitted = clone(estimator).set_params(max_iter=max_iter).set_callbacks(recorder)
    return fitted.fit(table(estimator)), recorder


@every_instance
def test_a_fit_is_the_same_with_callbacks(estimator: BaseEstimator) -> None:
    X = table(estimator)
    plain = clone(estimator).set_params(max_iter=3).fit(X)
    assert_equal(results(recorded(estimator)[0], X), results(plain, X))


@every_instance
def test_every_task_begins_and_ends(estimator: BaseEstimator) -> None:
    """In the order of a tree that is walked, with a leaf for each round."""
    fitted, recorder = recorded(estimator)
    events = recorder.events
    assert (events[0][0], events[-1][0]) == ("setup", "teardown")
    open_tasks = []
    for event, path, _ in events[1:-1]:
        if event == "begin":
            assert list(path[:-1]) == (open_tasks[-1] if open_tasks else [])
            open_tasks.append(list(path))
        else:
            assert open_tasks.pop() == list(path)
    assert not open_tasks
    assert len(recorder.rounds) == len(fitted.history_) > 0


@every_instance
def test_what_a_round_gives_is_a_fit_that_stops_there(
    estimator: BaseEstimator,
) -> None:
    X = table(estimator)
    _, recorder = recorded(estimator)
    of_last_phase = [
        path for path in recorder.rounds if path[:-1] == recorder.rounds[-1][:-1]
    ]
    assert len(of_last_phase) == 3
    for n, path in enumerate(of_last_phase, start=1):
        stopped, again = recorded(estimator, path)
        assert stopped.n_iter_ == n
        assert again.rounds == recorder.rounds[: recorder.rounds.index(path) + 1]
        assert_equal(results(recorder.fitted[path], X), results(stopped, X))


@every_instance
def test_after_the_last_round_nothing_is_added(estimator: BaseEstimator) -> None:
    X = table(estimator)
    fitted, recorder = recorded(estimator)
    for path in (recorder.rounds[-1], (0,)):
        assert_equal(results(recorder.fitted[path], X), results(fitted, X))


@every_instance
def test_rows_are_told_as_they_were_passed(estimator: BaseEstimator) -> None:
    """Among them, names of features, which a score on these rows needs."""
    X, y, recorder = pd.DataFrame(table(estimator)), np.arange(60), Recorder()
    X.columns = [f"pixel {j}" for j in X.columns]
    clone(estimator).set_callbacks(recorder).fit(X, y)
    assert all(told[0] is X and told[1] is y for told in recorder.passed)
    assert all(name in X for name in recorder.fitted[0,].feature_names_in_)


@every_instance
def test_copies_and_pickles(estimator: BaseEstimator) -> None:
    X = table(estimator)
    fitted, recorder = recorded(estimator)
    restored = pickle.loads(pickle.dumps(fitted))
    assert_equal(results(restored, X), results(fitted, X))
    before = len(recorder.events)
    clone(fitted).fit(X)
    assert len(recorder.events) == 2 * before


@every_instance
def test_an_error_of_a_callback_leaves_nothing_behind(estimator: BaseEstimator) -> None:
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None) -> bool:
            raise RuntimeError("out of patience")

    failing = Failing()
    fitted = clone(estimator).set_callbacks(failing)
    before = set(vars(fitted))
    with pytest.raises(RuntimeError, match="out of patience"):
        fitted.fit(table(estimator))
    assert failing.events[-1][0] == "teardown"
    assert set(vars(fitted)) - before <= {"n_features_in_"}


class TestPhases:
    LAYERWISE = AutoencoderTransformer(
        start=None, pretraining="layerwise", **QUICK | {"hidden_layer_sizes": (8, 4)}
    )
    PHASES = ("layer 1", "layer 2", "layer 3", "fine-tuning")

    def test_are_tasks_of_rounds(self) -> None:
        fitted, recorder = recorded(self.LAYERWISE)
        ends = [event for event in recorder.events if event[0] == "end"]
        phases = {path: name for _, path, name in ends if len(path) == 2}
        assert tuple(phases.values()) == self.PHASES
        of_rounds = [phases[path[:-1]] for path in recorder.rounds]
        assert of_rounds == [row["phase"] for row in fitted.history_]

    def test_stop_one_by_one(self) -> None:
        fitted, _ = recorded(self.LAYERWISE, (0, 1, 0))
        rounds = [row["phase"] for row in fitted.history_]
        assert [rounds.count(phase) for phase in self.PHASES] == [3, 1, 3, 3]

    def test_stop_all_at_once(self) -> None:
        fitted, recorder = recorded(self.LAYERWISE, (0, 1))
        assert {row["phase"] for row in fitted.history_} == {"layer 1", "layer 2"}
        X = rows()
        assert_equal(results(recorder.fitted[0, 1], X), results(fitted, X))


def test_a_training_that_diverges_ends_its_round() -> None:
    recorder = Recorder()
    estimator = AutoencoderTransformer(
        start=None, learning_rate_init=1e4, **QUICK
    ).set_callbacks(recorder)
    with pytest.warns(ConvergenceWarning):
        estimator.fit(rows())
    assert [name for event, _, name in recorder.events if event == "end"] == [
        "round",
        "joint",
        "fit",
    ]


def score(fitted: BaseEstimator, X, y=None) -> float:
    return fitted.score(X)


class TestScoringMonitor:
    Y = np.arange(60) % 2  # without any y the monitor does not call its scorer

    @pytest.mark.parametrize("start", ["pca", None])
    def test_last_score_is_that_of_the_fit(self, start: str | None) -> None:
        monitor = callback.ScoringMonitor(scoring={"score": score})
        estimator = AutoencoderTransformer(4, start=start, **QUICK | {"max_iter": 6})
        X = pd.DataFrame(rows()).add_prefix("pixel ")
        fitted = estimator.set_callbacks(monitor).fit(X, self.Y)
        scores = scores_of_rounds(monitor)
        assert len(scores) == fitted.n_iter_
        assert scores[-1] == fitted.score(X)
        assert scores[-1] > scores[0]

    def test_scores_follow_the_best_held_out_one_so_far(self) -> None:
        """A high learning rate makes the curve go up and down."""

        def held_out(fitted: BaseEstimator, X, y) -> float:
            return fitted.best_validation_score_

        monitor = callback.ScoringMonitor(scoring={"score": held_out})
        estimator = AutoencoderTransformer(
            4, start=None, learning_rate_init=0.15, **QUICK | {"max_iter": 12}
        )
        fitted = estimator.set_callbacks(monitor).fit(rows(), self.Y)
        curve = fitted.validation_scores_
        assert np.diff(curve).min() < 0 < np.diff(curve).max()
        np.testing.assert_allclose(
            scores_of_rounds(monitor), np.maximum.accumulate(curve), atol=1e-6
        )

    def test_of_a_detector(self) -> None:
        monitor = callback.ScoringMonitor(scoring=outlier_roc_auc_scorer)
        detector = ReconstructionOutlierDetector(**QUICK).set_callbacks(monitor)
        fitted = detector.fit(rows(), self.Y)
        expected = outlier_roc_auc_scorer(fitted, rows(), self.Y)
        assert scores_of_rounds(monitor)[-1] == expected

    def test_of_an_imputer(self) -> None:
        def closeness(fitted: BaseEstimator, X, y) -> float:
            return -np.abs(fitted.transform(X) - rows()).mean()

        monitor = callback.ScoringMonitor(scoring={"score": closeness})
        imputer = DenoisingImputer(**QUICK).set_callbacks(monitor)
        X = table(imputer)
        fitted = imputer.fit(X, self.Y)
        assert scores_of_rounds(monitor)[-1] == closeness(fitted, X, self.Y)


class TestProgressBar:
    @pytest.fixture(autouse=True)
    def rich(self) -> None:
        pytest.importorskip("rich")

    @every_instance
    def test_has_a_bar_for_the_fit(
        self, estimator: BaseEstimator, capsys: pytest.CaptureFixture
    ) -> None:
        bar = callback.ProgressBar()
        clone(estimator).set_callbacks(bar).fit(table(estimator))
        lines = capsys.readouterr().out.splitlines()
        assert f"{type(estimator).__name__} - fit" in lines[0]
        assert all("100%" in line for line in lines)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_grid_of_pipelines(n_jobs: int, capsys: pytest.CaptureFixture) -> None:
    """A bar goes down to the rounds; a monitor stays where it was set."""
    pytest.importorskip("rich")
    y, grid = np.arange(60) % 2, {"autoencodertransformer__n_components": [2, 3]}
    monitor = callback.ScoringMonitor(scoring={"score": score})
    estimator = AutoencoderTransformer(**QUICK).set_callbacks(monitor)
    pipeline = make_pipeline(StandardScaler(), estimator)
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs)
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None))
    search.fit(rows(), y)

    n_fits = 2 * 2 + 1
    lines = capsys.readouterr().out.splitlines()
    assert sum("AutoencoderTransformer - joint" in line for line in lines) == n_fits
    assert all("100%" in line for line in lines)
    scores = scores_of_rounds(monitor)
    assert len(scores) == n_fits * QUICK["max_iter"]
    assert search.score(rows()) in scores
