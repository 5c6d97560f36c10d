"""Clean rows are metadata: callbacks see them, and a round is a fit that ends there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from skae import DenoisingTransformer
from tests.laws._estimators import QUICK, rows
from tests.laws._recorder import Recorder, assert_equal, results, scores_of_rounds

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")

#: Values that are folded in the middle, which no linear map undoes.
CLEAN = pd.DataFrame(rows(200)).add_prefix("pixel ")
DEGRADED = np.abs(rows(200) - 0.5)[:, ::2]


class MetadataRecorder(Recorder):
    """Notes also what was passed beside X and y."""

    def on_fit_task_begin(self, estimator, context, *, metadata=None) -> None:
        self._note("begin", context)
        self.passed.append(metadata)

    def on_fit_task_end(
        self, estimator, context, *, metadata=None, fitted_estimator=None
    ) -> bool:
        self.passed.append(metadata)
        path = self._note("end", context)
        self.fitted[path] = fitted_estimator
        return path in self.stop_at


def recorded(
    *stop_at: tuple[int, ...],
) -> tuple[DenoisingTransformer, MetadataRecorder]:
    recorder = MetadataRecorder(*stop_at)
    denoiser = DenoisingTransformer(**QUICK | {"max_iter": 3})
    denoiser.set_callbacks(recorder).fit(DEGRADED, X_clean=CLEAN)
    return denoiser, recorder


def test_a_fit_is_the_same_with_callbacks() -> None:
    plain = DenoisingTransformer(**QUICK | {"max_iter": 3})
    plain.fit(DEGRADED, X_clean=CLEAN)
    watched, _ = recorded()
    assert_equal(results(watched, DEGRADED), results(plain, DEGRADED))


def test_clean_rows_are_told_as_they_were_passed() -> None:
    _, recorder = recorded()
    assert len(recorder.passed) == 2 * (3 + 1)
    assert all(told["X_clean"] is CLEAN for told in recorder.passed)


def test_there_is_no_metadata_without_them() -> None:
    recorder = MetadataRecorder()
    DenoisingTransformer(**QUICK).set_callbacks(recorder).fit(rows())
    assert all("X_clean" not in (told or {}) for told in recorder.passed)


def test_what_a_round_gives_is_a_fit_that_stops_there() -> None:
    fitted, recorder = recorded()
    assert len(recorder.rounds) == fitted.n_iter_ == 3
    assert fitted.uses_network_
    for n, path in enumerate(recorder.rounds, start=1):
        stopped, _ = recorded(path)
        assert stopped.n_iter_ == n
        offered = recorder.fitted[path]
        assert_equal(results(offered, DEGRADED), results(stopped, DEGRADED))
        assert list(offered.get_feature_names_out()) == list(CLEAN)
    for path in (recorder.rounds[-1], (0,)):
        last = recorder.fitted[path]
        assert_equal(results(last, DEGRADED), results(fitted, DEGRADED))


def test_a_monitor_scores_rounds_by_them() -> None:
    def of_pairs(fitted: BaseEstimator, X, y, X_clean) -> float:
        return fitted.score(X, X_clean=X_clean)

    monitor = callback.ScoringMonitor(scoring={"score": of_pairs})
    denoiser = DenoisingTransformer(**QUICK | {"max_iter": 3})
    denoiser.set_callbacks(monitor)
    denoiser.fit(DEGRADED, np.zeros(200), X_clean=CLEAN)
    scores = scores_of_rounds(monitor)
    assert len(scores) == denoiser.n_iter_ == 3
    assert scores[-1] == denoiser.score(DEGRADED, X_clean=CLEAN)
