"""A fitted estimator survives copying, pickling and another process."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skae import AutoencoderTransformer, ReconstructionOutlierDetector
from tests.laws._estimators import (
    INSTANCES,
    assert_same,
    each_instance,
    outputs,
    rows,
)

PREDICT_ELSEWHERE = """
import pickle, sys, numpy as np
with open(sys.argv[1], "rb") as file:
    cases = pickle.load(file)
for estimator, X, outputs in cases:
    for name, output in outputs.items():
        assert np.array_equal(getattr(estimator, name)(X), output), (estimator, name)
print(len(cases))
"""


def test_pickle_in_another_process(tmp_path: Path) -> None:
    cases = []
    for estimator in INSTANCES.values():
        fitted = clone(estimator).fit(rows())
        cases.append((fitted, rows(), outputs(fitted, rows())))
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
    assert_same(outputs(again, rows()), outputs(fitted, rows()))
    assert again.history_ == fitted.history_


@each_instance
def test_joblib(estimator: BaseEstimator, tmp_path: Path) -> None:
    fitted = clone(estimator).fit(rows())
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    again = joblib.load(tmp_path / "fitted.joblib")
    assert_same(outputs(again, rows()), outputs(fitted, rows()))


@each_instance
def test_memory_mapped_by_joblib(estimator: BaseEstimator, tmp_path: Path) -> None:
    """As in a worker process, where large arrays arrive read-only."""
    fitted = clone(estimator).fit(rows())
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    again = joblib.load(tmp_path / "fitted.joblib", mmap_mode="r")
    assert_same(outputs(again, rows()), outputs(fitted, rows()))


@each_instance
def test_deepcopy_is_independent(estimator: BaseEstimator) -> None:
    fitted = clone(estimator).fit(rows())
    before = outputs(fitted, rows())
    twin = copy.deepcopy(fitted)
    assert_same(outputs(twin, rows()), before)
    for tensor in twin.module_.state_dict().values():
        tensor.zero_()
    assert_same(outputs(fitted, rows()), before)


@each_instance
def test_clone_is_unfitted_and_fits_alike(estimator: BaseEstimator) -> None:
    fitted = clone(estimator).fit(rows())
    twin = clone(fitted)
    with pytest.raises(NotFittedError):
        check_is_fitted(twin)
    assert_same(outputs(twin.fit(rows()), rows()), outputs(fitted, rows()))


@pytest.mark.parametrize("params", [{}, {"cv": None}, {"start": None}], ids=str)
def test_pickle_of_a_transformer_holds_its_module_once(params: dict) -> None:
    """Neither the members that were dropped nor the rows nor the optimizer."""
    X = rows(500)
    fitted = AutoencoderTransformer(4, max_iter=1, random_state=0, **params).fit(X)
    assert fitted.uses_network_
    state = fitted.module_.state_dict()
    assert {len(tensor) for tensor in state.values()} == {1}
    n_bytes = sum(t.numel() * t.element_size() for t in state.values())
    assert len(pickle.dumps(fitted)) < 1.3 * n_bytes


def test_pickle_of_a_detector_holds_no_rows_beside_the_neighbors() -> None:
    X = rows(1700)
    networks = ReconstructionOutlierDetector(
        n_neighbors=None, max_iter=1, random_state=0
    )
    alone = len(pickle.dumps(networks.fit(X)))
    both = len(pickle.dumps(networks.set_params(n_neighbors=5).fit(X)))
    state = networks.module_.state_dict()
    n_bytes = sum(t.numel() * t.element_size() for t in state.values())
    # Scores and errors of the training rows are a few columns.
    assert alone < 1.3 * n_bytes + 5 * X[:, 0].nbytes
    # The neighbors themselves, and as they are searched.
    assert both - alone < 2 * X.nbytes + 5 * X[:, 0].nbytes
