"""Warnings that point to the code of the user."""

from __future__ import annotations

import sys
import warnings

_ON_THE_WAY = ("skae", "sklearn", "joblib", "contextlib", "functools")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn from the line that called this package, past scikit-learn's wrappers."""
    frame, stacklevel = sys._getframe(1), 2
    while frame.f_back is not None and _package(frame.f_globals) in _ON_THE_WAY:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)


def _package(namespace: dict[str, object]) -> str:
    return str(namespace.get("__name__", "")).partition(".")[0]
