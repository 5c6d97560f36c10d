"""ExplanationDisplay: what is drawn, and when matplotlib is needed."""

from __future__ import annotations

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError

from skae import ReconstructionOutlierDetector
from skae.plotting import ExplanationDisplay

QUICK = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return load_wine(as_frame=True).data


@pytest.fixture(scope="module")
def detector(frame: pd.DataFrame) -> ReconstructionOutlierDetector:
    return ReconstructionOutlierDetector(**QUICK).fit(frame.to_numpy())


@pytest.fixture(scope="module")
def row(frame: pd.DataFrame) -> np.ndarray:
    return frame.to_numpy()[[121]]


def labels(display: ExplanationDisplay) -> list[str]:
    return [tick.get_text() for tick in display.ax_.get_yticklabels()]


def test_attributes(detector: ReconstructionOutlierDetector, row: np.ndarray) -> None:
    display = ExplanationDisplay.from_estimator(detector, row)
    assert np.array_equal(display.value, row[0])
    assert np.array_equal(display.expected, detector.reconstruct(row)[0])
    assert np.array_equal(display.contribution, detector.explain(row)[0])
    assert list(display.feature_names) == [f"x{j}" for j in range(13)]
    assert display.figure_ is display.ax_.figure
    assert len(display.bars_) == 10


@pytest.mark.parametrize("max_features", [1, 4, 13, 50])
def test_bars_are_in_the_order_of_contributions(
    detector: ReconstructionOutlierDetector, row: np.ndarray, max_features: int
) -> None:
    display = ExplanationDisplay.from_estimator(
        detector, row, max_features=max_features
    )
    n_bars = min(max_features, 13)
    contribution = detector.explain(row)[0]
    widths = [bar.get_width() for bar in display.bars_]
    assert widths == sorted(contribution, reverse=True)[:n_bars]
    names = [label.split(" = ")[0] for label in labels(display)]
    assert names == [f"x{j}" for j in np.argsort(-contribution)[:n_bars]]
    # The first is on top.
    bottom, top = display.ax_.get_ylim()
    assert top < bottom
    assert f"{contribution.sum():.1f}" in display.ax_.get_title()


def test_labels_hold_value_and_expectation() -> None:
    display = ExplanationDisplay(
        value=np.array([1.0, 2.5]),
        expected=np.array([0.25, 1234.5678]),
        contribution=np.array([1.0, 3.0]),
        feature_names=["low", "high"],
    ).plot()
    assert labels(display) == [
        "high = 2.5\n(expected 1235)",
        "low = 1\n(expected 0.25)",
    ]


def test_names_are_those_of_the_data_frame(frame: pd.DataFrame) -> None:
    detector = ReconstructionOutlierDetector(**QUICK).fit(frame)
    display = ExplanationDisplay.from_estimator(detector, frame.iloc[[3]])
    assert list(display.feature_names) == frame.columns.tolist()


def test_names_that_are_given(
    detector: ReconstructionOutlierDetector, row: np.ndarray, frame: pd.DataFrame
) -> None:
    names = frame.columns.tolist()
    display = ExplanationDisplay.from_estimator(detector, row, feature_names=names)
    assert list(display.feature_names) == names
    with pytest.raises(ValueError, match="input_features"):
        ExplanationDisplay.from_estimator(detector, row, feature_names=names[:3])


def test_axes_that_are_given(
    detector: ReconstructionOutlierDetector, row: np.ndarray
) -> None:
    figure, ax = plt.subplots()
    display = ExplanationDisplay.from_estimator(detector, row, ax=ax, color="red")
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    assert display.bars_[0].get_facecolor() == (1, 0, 0, 1)
    other = display.plot()
    assert other is display
    assert display.ax_ is not ax


@pytest.mark.parametrize("n_rows", [2, 5])
def test_more_than_one_row_is_refused(
    detector: ReconstructionOutlierDetector, frame: pd.DataFrame, n_rows: int
) -> None:
    with pytest.raises(ValueError, match=f"X must be one row .* got {n_rows} rows"):
        ExplanationDisplay.from_estimator(detector, frame.to_numpy()[:n_rows])
    assert not plt.get_fignums()


def test_a_row_in_other_forms(
    detector: ReconstructionOutlierDetector, row: np.ndarray
) -> None:
    for form in (row.tolist(), row.astype(np.float32)):
        display = ExplanationDisplay.from_estimator(detector, form)
        np.testing.assert_allclose(display.value, row[0], rtol=1e-6)


def test_unfitted_detector_is_refused(row: np.ndarray) -> None:
    with pytest.raises(NotFittedError):
        ExplanationDisplay.from_estimator(ReconstructionOutlierDetector(), row)


def test_matplotlib_is_imported_by_a_plot_alone() -> None:
    code = (
        "import sys, skae, skae.plotting, skae.model_selection\n"
        "print('matplotlib' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
