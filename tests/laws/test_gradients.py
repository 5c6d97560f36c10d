"""What an estimator trains with finds the gradient that autograd would find."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.utils import get_tags

from skae._training import Objective, Tensors, _engine
from skae._training._gradient import GradientByRules, gradient_of
from tests.laws._estimators import EVERY_INSTANCE, each, rows
from tests.training._gradients import assert_same_gradients


class Watched:
    """Compares both ways on the first batches of each training."""

    def __init__(self) -> None:
        self.compared = 0

    def gradient_of(self, module, objective: Objective, flat, generator):
        gradient = gradient_of(module, objective, flat, generator)
        if not isinstance(gradient, GradientByRules):
            return gradient

        def compared(batch: Tensors) -> torch.Tensor:
            assert_same_gradients(module, objective, batch)
            self.compared += 1
            return gradient(batch)

        return compared


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    watched = Watched()
    monkeypatch.setattr(_engine, "gradient_of", watched.gradient_of)
    return watched


@each(EVERY_INSTANCE)
def test_by_rules_as_by_autograd(estimator: BaseEstimator, watched: Watched) -> None:
    X = rows()
    if get_tags(estimator).input_tags.allow_nan:
        X = X[:, :12]  # of wide tables with gaps no network is trained
        X[::3, ::4] = np.nan
    clone(estimator).set_params(max_iter=1).fit(X)
    # Modules and losses of users have no rules, nor has what is added to a loss.
    own = "TorchNetwork" in str(estimator) or "penalty" in str(estimator)
    assert own or watched.compared > 0
