"""Autoencoders that are scikit-learn estimators."""

from skae.estimators import AutoencoderTransformer, ReconstructionOutlierDetector

__all__ = ["AutoencoderTransformer", "ReconstructionOutlierDetector"]
