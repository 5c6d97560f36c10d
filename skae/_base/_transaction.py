"""A fit changes an estimator at its end, all at once, or not at all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from skae._base._sklearn import validated_fit
from skae._tables import one_thread

Fit = TypeVar("Fit", bound=Callable[..., Any])


def transaction(fit: Fit) -> Fit:
    """Decorate ``fit`` of an estimator.

    Parameters are validated, and `fit` runs on a copy of the estimator without fitted
    state. The estimator takes over what the copy has learned when `fit` has returned:
    until then, and for good if `fit` is interrupted or fails, it is what it was. All of
    it runs on one thread, so that the result does not depend on how many there are.
    """
    validated = validated_fit(prefer_skip_nested_validation=True)(fit)

    @functools.wraps(fit)
    def fit_at_once(estimator: Any, *args: Any, **kwargs: Any) -> Any:
        fresh = object.__new__(type(estimator))
        vars(fresh).update(_state(estimator, fitted=False))
        with one_thread():
            validated(fresh, *args, **kwargs)
        # One assignment: there is no moment between the old state and the new one.
        estimator.__dict__ = _state(estimator, fitted=False) | _state(
            fresh, fitted=True
        )
        return estimator

    return fit_at_once  # type: ignore[return-value]


def _state(estimator: Any, *, fitted: bool) -> dict[str, Any]:
    """Attributes of an estimator that are, or are not, what a fit has left."""
    return {
        name: value
        for name, value in vars(estimator).items()
        if fitted == (name == "_fitted" or _ends_in_underscore(name))
    }


def _ends_in_underscore(name: str) -> bool:
    return name.endswith("_") and not name.startswith("_")
