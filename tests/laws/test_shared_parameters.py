"""The same thing has the same name, the same type and the same words everywhere."""

from __future__ import annotations

import inspect
import re

import pytest
from numpydoc.docscrape import ClassDoc
from sklearn.utils._testing import assert_docstring_consistency

import skae
from tests.laws._estimators import ESTIMATORS

#: Parameters that mean the same in every estimator that has them, word for word.
SAME_WORDS = ["tol", "device", "verbose"]
#: Those whose default, or what stands for "auto", is the estimator's own.
OWN_DEFAULTS = {
    "activation": "Activation function of the hidden layers.*",
    "batch_size": 'Rows in a step; ``"auto"`` takes .*',
    "learning_rate_init": 'Learning rate of Adam before it decays; ``"auto"`` takes .*',
    "max_iter": "Largest number of rounds. A round .*",
    "n_iter_no_change": "Rounds without progress after which .*",
    "random_state": "Determines .* Pass an int for the same result in every call.",
}


def having(parameter: str) -> list[type]:
    return [e for e in ESTIMATORS if parameter in inspect.signature(e).parameters]


@pytest.mark.parametrize("parameter", SAME_WORDS)
def test_same_words(parameter: str) -> None:
    assert len(having(parameter)) == len(ESTIMATORS)
    assert_docstring_consistency(having(parameter), include_params=[parameter])


@pytest.mark.parametrize("parameter", OWN_DEFAULTS)
def test_same_meaning(parameter: str) -> None:
    assert len(having(parameter)) == len(ESTIMATORS)
    for estimator in having(parameter):
        documented = {p.name: p for p in ClassDoc(estimator)["Parameters"]}
        words = " ".join(documented[parameter].desc)
        assert re.fullmatch(OWN_DEFAULTS[parameter], words), words


def test_same_defaults() -> None:
    """But where the documentation of a parameter gives the reason."""
    defaults = {
        name: {inspect.signature(e).parameters[name].default for e in having(name)}
        for name in (
            "batch_size",
            "learning_rate_init",
            "tol",
            "cv",
            "device",
            "validation_fraction",
            "random_state",
            "verbose",
            "network",
            "activation",
            "loss",
        )
    }
    assert all(len(values) == 1 for values in defaults.values()), defaults


def test_every_public_name_is_documented() -> None:
    assert all(inspect.getdoc(getattr(skae, name)) for name in skae.__all__)
