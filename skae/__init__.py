"""Autoencoders that are scikit-learn estimators."""

from skae.estimators import (
    AutoencoderTransformer,
    DenoisingImputer,
    ReconstructionOutlierDetector,
)

__all__ = [
    "AutoencoderTransformer",
    "DenoisingImputer",
    "ReconstructionOutlierDetector",
]
