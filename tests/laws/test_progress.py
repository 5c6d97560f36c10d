"""What verbose=1 shows has names, the scale of score, and a form that fits."""

from __future__ import annotations

import io
import re
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

from skae import AutoencoderTransformer, DenoisingImputer, DenoisingTransformer
from skae.noise import GaussianNoise, MaskingNoise
from tests.laws._estimators import EVERY_INSTANCE, QUICK, each, rows
from tests.laws._recorder import Recorder, assert_equal, results, with_gaps

every_instance = each(EVERY_INSTANCE)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def table(estimator: BaseEstimator) -> np.ndarray:
    return with_gaps(rows()) if isinstance(estimator, DenoisingImputer) else rows()


def shown(
    estimator: BaseEstimator, monkeypatch: pytest.MonkeyPatch, output: io.StringIO
) -> tuple[BaseEstimator, str]:
    """A fit and what it writes to an output."""
    monkeypatch.setattr(sys, "stderr", output)
    fitted = clone(estimator).set_params(verbose=1).fit(table(estimator))
    return fitted, output.getvalue()


@every_instance
def test_a_log_file_gets_a_line_for_each_round(
    estimator: BaseEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the trainings that are kept in the history, and with their names."""
    fitted, text = shown(estimator, monkeypatch, io.StringIO())
    assert "\r" not in text
    lines = text.splitlines()
    assert len(lines) == len(fitted.history_)
    for line, entry in zip(lines, fitted.history_, strict=True):
        phase = f" ({entry['phase']})" if "phase" in entry else ""
        assert line.startswith(f"{type(estimator).__name__}{phase}, round ")
        assert f"round {entry['round']} of 2: " in line
        assert f"training loss {entry['loss']:.4g}" in line
        assert ("validation" in line) == ("validation_loss" in entry)


@every_instance
def test_scores_are_those_of_the_fit(
    estimator: BaseEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted, text = shown(estimator, monkeypatch, io.StringIO())
    told = [float(score) for score in re.findall(r"validation score (\S+)", text)]
    if fitted.validation_scores_ is not None:
        np.testing.assert_allclose(told, fitted.validation_scores_, atol=1e-4)
    elif isinstance(fitted, DenoisingTransformer) and fitted.loss == "squared_error":
        assert len(told) == fitted.n_iter_
    else:
        assert not told


def test_scores_of_a_denoiser_are_ratios_in_decibel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The best of them is about that of the fit, which may keep less of the network."""
    for noise in (GaussianNoise(0.2), MaskingNoise(0.5, fill="nan")):
        monkeypatch.setattr(sys, "stderr", output := io.StringIO())
        denoiser = DenoisingTransformer(noise=noise, random_state=0, verbose=1)
        denoiser.set_params(max_iter=4).fit(rows(500))
        told = re.findall(r"validation score (\S+)", output.getvalue())
        best = max(map(float, told))
        assert best == pytest.approx(denoiser.best_validation_score_, abs=0.2)


@every_instance
def test_a_terminal_gets_a_bar_for_each_phase(
    estimator: BaseEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted, text = shown(estimator, monkeypatch, Terminal())
    bars = [bar.split("\r")[-1] for bar in text.split("\n") if bar]
    phases = list(dict.fromkeys(row.get("phase") for row in fitted.history_))
    assert len(bars) == len(phases)
    for bar, phase in zip(bars, phases, strict=True):
        assert bar.startswith(type(estimator).__name__)
        assert f"({phase})" in bar or phase is None
        assert "2/2" in bar
        assert "training loss=" in bar


ENDS_EARLY = AutoencoderTransformer(
    **QUICK | {"max_iter": 50}, tol=0.9, n_iter_no_change=1
)


def test_an_early_end_is_told_in_a_log_file(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted, text = shown(ENDS_EARLY, monkeypatch, io.StringIO())
    assert fitted.n_iter_ < 50
    end = f"AutoencoderTransformer (joint), ended early after {fitted.n_iter_} of 50"
    assert text.splitlines()[-1].startswith(end)


def test_an_early_end_fills_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted, text = shown(ENDS_EARLY, monkeypatch, Terminal())
    last = text.rstrip("\n").split("\r")[-1]
    assert "ended early: 100%" in last
    assert f"{fitted.n_iter_}/{fitted.n_iter_}" in last


def test_a_callback_that_stops_is_an_early_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")
    estimator = AutoencoderTransformer(**QUICK).set_callbacks(Recorder((0, 0, 0)))
    _, text = shown(estimator, monkeypatch, io.StringIO())
    assert "ended early after 1 of 2 rounds" in text


def test_a_fit_with_nothing_to_learn_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for output in (io.StringIO(), Terminal()):
        fitted, text = shown(AutoencoderTransformer(None), monkeypatch, output)
        assert fitted.n_iter_ == 0
        assert text == "AutoencoderTransformer: nothing to learn, the start is kept\n"


def test_an_interrupted_fit_does_not_claim_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")

    class Interrupting(Recorder):
        def on_fit_task_end(self, *args, **told) -> bool:
            raise KeyboardInterrupt

    output = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        shown(
            AutoencoderTransformer(**QUICK).set_callbacks(Interrupting()),
            monkeypatch,
            output,
        )
    assert "ended early" not in output.getvalue()


@every_instance
def test_nothing_is_shown_by_default_and_the_fit_is_the_same(
    estimator: BaseEstimator,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture,
) -> None:
    X = table(estimator)
    silent = clone(estimator).fit(X)
    assert capfd.readouterr() == ("", "")
    fitted, _ = shown(estimator, monkeypatch, io.StringIO())
    assert_equal(results(fitted, X), results(silent, X))


def test_a_program_without_a_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    AutoencoderTransformer(**QUICK, verbose=1).fit(rows())
