"""What becomes of callbacks where scikit-learn has none."""

from __future__ import annotations

import runpy
import sys

import pytest

from skae._base import _callbacks


def test_rounds_run_without_callbacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    without = runpy.run_path(_callbacks.__file__)
    estimator = without["CallbackSupportMixin"]()
    assert not hasattr(estimator, "set_callbacks")
    ran = []

    def never(*args: object) -> None:
        raise AssertionError("Nobody asked for a fitted estimator.")

    task = without["FitTask"].whole(estimator, {"X": None, "y": None}, max_subtasks=1)
    phase = task.subtask("joint", max_subtasks=1)
    assert phase.watch(never)(lambda: ran.append("round"), never) is False
    assert ran == ["round"]
    assert phase.end(never) is False
    assert task.end(never) is False
