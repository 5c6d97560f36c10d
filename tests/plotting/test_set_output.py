"""Displays draw the same where estimators return data frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import sklearn

from skae import AutoencoderTransformer, ReconstructionOutlierDetector
from skae.plotting import ExplanationDisplay, ReconstructionDisplay

X = pd.DataFrame(np.random.RandomState(0).normal(size=(60, 4))).add_prefix("feature ")
QUICK = {"max_iter": 1, "random_state": 0}


def test_explanation() -> None:
    detector = ReconstructionOutlierDetector(**QUICK).fit(X)
    plain = ExplanationDisplay.from_estimator(detector, X.iloc[:1])
    with sklearn.config_context(transform_output="pandas"):
        named = ExplanationDisplay.from_estimator(detector, X.iloc[:1])
    for attribute in ("value", "expected", "contribution"):
        assert np.array_equal(getattr(named, attribute), getattr(plain, attribute))


def test_reconstruction() -> None:
    reducer = AutoencoderTransformer(**QUICK).fit(X)
    plain = ReconstructionDisplay.from_estimator(reducer, X.iloc[:3])
    with sklearn.config_context(transform_output="pandas"):
        named = ReconstructionDisplay.from_estimator(reducer, X.iloc[:3])
    assert np.array_equal(named.reconstruction, plain.reconstruction)
