"""A fit changes an estimator at its end, all at once, or not at all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from skae._base._sklearn import validated_fit
from skae._tables import fitting

Fit = TypeVar("Fit", bound=Callable[..., Any])


def transaction(fit: Fit) -> Fit:
    """Decorate ``fit`` of an estimator.

    Parameters are validated, and `fit` runs on a copy of the estimator without what an
    earlier fit has set. The estimator takes over what is set on the copy when `fit` has
    returned: until then, and for good if `fit` is interrupted or fails, it is what it
    was. All of it runs on one thread and apart from what the user has set for torch, so
    that the result depends on neither.
    """
    validated = validated_fit(prefer_skip_nested_validation=True)(fit)

    @functools.wraps(fit)
    def fit_at_once(estimator: Any, *args: Any, **kwargs: Any) -> Any:
        fresh = object.__new__(type(estimator))
        unfitted = _without_fit(estimator)
        fresh.__dict__.update(unfitted)
        with fitting():
            validated(fresh, *args, **kwargs)
        learned = {k: v for k, v in vars(fresh).items() if k not in unfitted}
        # One assignment: there is no moment between the old state and the new one.
        estimator.__dict__ = (
            _without_fit(estimator) | learned | {"_set_by_fit": set(learned)}
        )
        return estimator

    return fit_at_once  # type: ignore[return-value]


def _without_fit(estimator: Any) -> dict[str, Any]:
    """Attributes that no fit has set.

    Those of a subclass that extends ``fit`` are not ours to forget.
    """
    state = vars(estimator)
    ours = {"_set_by_fit", *state.get("_set_by_fit", ())}
    return {name: value for name, value in state.items() if name not in ours}
