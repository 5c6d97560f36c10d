"""Displays, in scikit-learn's style; they need matplotlib."""

from skae.plotting._explanation import ExplanationDisplay

__all__ = ["ExplanationDisplay"]
