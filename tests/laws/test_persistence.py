"""A fitted estimator survives copying, pickling and another process."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from tests.laws._estimators import INSTANCES, each_estimator, each_instance, rows

PREDICT_ELSEWHERE = """
import pickle, sys, numpy as np
with open(sys.argv[1], "rb") as file:
    cases = pickle.load(file)
for estimator, X, codes, restored in cases:
    assert np.array_equal(estimator.transform(X), codes), estimator
    assert np.array_equal(estimator.inverse_transform(codes), restored), estimator
print(len(cases))
"""


def assert_same(one: BaseEstimator, two: BaseEstimator) -> None:
    codes = one.transform(rows())
    assert np.array_equal(two.transform(rows()), codes)
    assert np.array_equal(two.inverse_transform(codes), one.inverse_transform(codes))
    assert two.score(rows()) == one.score(rows())


def test_pickle_in_another_process(tmp_path: Path) -> None:
    cases = []
    for estimator in INSTANCES.values():
        fitted = clone(estimator).fit(rows())
        codes = fitted.transform(rows())
        cases.append((fitted, rows(), codes, fitted.inverse_transform(codes)))
    file = tmp_path / "cases.pickle"
    file.write_bytes(pickle.dumps(cases))
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", PREDICT_ELSEWHERE, str(file)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert result.stdout.strip() == str(len(INSTANCES)), result.stderr


@each_instance
def test_pickle(estimator: BaseEstimator) -> None:
    fitted = clone(estimator).fit(rows())
    again = pickle.loads(pickle.dumps(fitted))
    assert_same(again, fitted)
    assert again.history_ == fitted.history_


@each_instance
def test_joblib(estimator: BaseEstimator, tmp_path: Path) -> None:
    fitted = clone(estimator).fit(rows())
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    assert_same(joblib.load(tmp_path / "fitted.joblib"), fitted)


@each_instance
def test_memory_mapped_by_joblib(estimator: BaseEstimator, tmp_path: Path) -> None:
    """As in a worker process, where large arrays arrive read-only."""
    fitted = clone(estimator).fit(rows())
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    assert_same(joblib.load(tmp_path / "fitted.joblib", mmap_mode="r"), fitted)


@each_instance
def test_deepcopy_is_independent(estimator: BaseEstimator) -> None:
    fitted = clone(estimator).fit(rows())
    codes = fitted.transform(rows())
    twin = copy.deepcopy(fitted)
    assert_same(twin, fitted)
    for tensor in twin.module_.state_dict().values():
        tensor.zero_()
    assert np.array_equal(fitted.transform(rows()), codes)


@each_instance
def test_clone_is_unfitted_and_fits_alike(estimator: BaseEstimator) -> None:
    fitted = clone(estimator).fit(rows())
    twin = clone(fitted)
    with pytest.raises(NotFittedError):
        check_is_fitted(twin)
    assert_same(twin.fit(rows()), fitted)


@each_estimator
@pytest.mark.parametrize("params", [{}, {"cv": None}, {"start": None}], ids=str)
def test_pickle_holds_the_fitted_module_once(estimator: type, params: dict) -> None:
    """Neither the members that were dropped nor the rows nor the optimizer."""
    X = rows(500)
    fitted = estimator(4, max_iter=1, random_state=0, **params).fit(X)
    assert fitted.uses_network_
    state = fitted.module_.state_dict()
    assert {len(tensor) for tensor in state.values()} == {1}
    n_bytes = sum(t.numel() * t.element_size() for t in state.values())
    assert len(pickle.dumps(fitted)) < 1.3 * n_bytes
