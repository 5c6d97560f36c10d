"""Displays, in scikit-learn's style; they need matplotlib."""

from skae.plotting._explanation import ExplanationDisplay
from skae.plotting._filters import FilterDisplay
from skae.plotting._latent_space import LatentSpaceDisplay
from skae.plotting._reconstruction import ReconstructionDisplay
from skae.plotting._training_curve import TrainingCurveDisplay

__all__ = [
    "ExplanationDisplay",
    "FilterDisplay",
    "LatentSpaceDisplay",
    "ReconstructionDisplay",
    "TrainingCurveDisplay",
]
