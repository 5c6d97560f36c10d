"""TrainingCurveDisplay: the history that is drawn, phase by phase."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import scale

from skae import AutoencoderTransformer, DenoisingImputer, ReconstructionOutlierDetector
from skae.plotting import TrainingCurveDisplay

PHASES = ["layer 1"] * 3 + ["layer 2"] * 2 + ["fine-tuning"] * 4


@pytest.fixture
def three_phases() -> TrainingCurveDisplay:
    loss = np.geomspace(10, 1, len(PHASES))
    return TrainingCurveDisplay(loss=loss, validation_loss=2 * loss, phases=PHASES)


def test_both_losses_are_those_of_the_history(reducer: AutoencoderTransformer) -> None:
    display = TrainingCurveDisplay.from_estimator(reducer)
    (training,), (held_out,) = display.training_lines_, display.validation_lines_
    rounds = np.arange(1, 4)
    for line, key in ((training, "loss"), (held_out, "validation_loss")):
        assert np.array_equal(line.get_xdata(), rounds)
        assert line.get_ydata().tolist() == [row[key] for row in reducer.history_]
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["training", "held-out"]
    assert display.figure_ is display.ax_.figure


@pytest.mark.parametrize(
    "estimator",
    [
        DenoisingImputer(max_iter=2, random_state=0),
        ReconstructionOutlierDetector(max_iter=2, random_state=0),
        AutoencoderTransformer(max_iter=2, cv=None, random_state=0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_every_estimator(estimator) -> None:
    estimator.fit(scale(load_wine().data))
    display = TrainingCurveDisplay.from_estimator(estimator)
    assert display.loss.tolist() == estimator.loss_curve_
    held_out = "validation_loss" in estimator.history_[0]
    assert len(display.training_lines_) == 1
    assert len(display.validation_lines_) == held_out
    assert not display.ax_.child_axes  # one phase needs no name


def test_phases_are_those_of_the_history(digits: np.ndarray) -> None:
    reducer = AutoencoderTransformer(
        start=None, pretraining="layerwise", max_iter=2, random_state=0
    ).fit(digits)
    display = TrainingCurveDisplay.from_estimator(reducer)
    assert list(display.phases) == [row["phase"] for row in reducer.history_]
    # Two hidden layers, the code, and all of them together.
    assert [len(line.get_xdata()) for line in display.training_lines_] == [2] * 4
    assert len(display.validation_lines_) == 4


def test_a_line_for_each_phase(three_phases: TrainingCurveDisplay) -> None:
    display = three_phases.plot()
    assert display is three_phases
    for lines, loss in (
        (display.training_lines_, display.loss),
        (display.validation_lines_, display.validation_loss),
    ):
        assert [len(line.get_xdata()) for line in lines] == [3, 2, 4]
        rounds = np.concatenate([line.get_xdata() for line in lines])
        assert np.array_equal(rounds, np.arange(1, 10))
        assert np.array_equal(np.concatenate([li.get_ydata() for li in lines]), loss)
        assert len({line.get_color() for line in lines}) == 1
    assert len(display.ax_.get_legend().get_texts()) == 2


def test_phases_are_named_and_separated(three_phases: TrainingCurveDisplay) -> None:
    display = three_phases.plot()
    (names,) = display.ax_.child_axes
    assert [label.get_text() for label in names.get_xticklabels()] == [
        "layer 1",
        "layer 2",
        "fine-tuning",
    ]
    assert names.get_xticks().tolist() == [2, 4.5, 7.5]
    curves = {*display.training_lines_, *display.validation_lines_}
    between = [line for line in display.ax_.lines if line not in curves]
    assert [line.get_xdata()[0] for line in between] == [3.5, 5.5]


@pytest.mark.parametrize("ratio", [1.01, 1.5, 2, 9, 11, 1e3, 1e7])
def test_losses_of_any_range_have_numbers_beside_them(ratio: float) -> None:
    for largest in (0.19, 1.0, 7.3):
        ax = TrainingCurveDisplay(loss=largest * np.array([1, 1 / ratio])).plot().ax_
        bottom, top = ax.get_ylim()
        numbers = [tick for tick in ax.get_yticks() if bottom <= tick <= top]
        assert len(numbers) >= 3


def test_axes_and_style_that_are_given(reducer: AutoencoderTransformer) -> None:
    figure, ax = plt.subplots()
    display = TrainingCurveDisplay.from_estimator(reducer, ax=ax, linestyle="--")
    assert display.ax_ is ax
    assert plt.get_fignums() == [figure.number]
    lines = display.training_lines_ + display.validation_lines_
    assert {line.get_linestyle() for line in lines} == {"--"}


def test_no_training_is_refused(digits: np.ndarray) -> None:
    reducer = AutoencoderTransformer().fit(digits[:10])
    with pytest.raises(ValueError, match="no training to draw"):
        TrainingCurveDisplay.from_estimator(reducer)
    with pytest.raises(NotFittedError):
        TrainingCurveDisplay.from_estimator(AutoencoderTransformer())
    assert not plt.get_fignums()
