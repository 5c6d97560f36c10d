"""Autoencoders that are scikit-learn estimators."""

from skae.estimators import (
    AutoencoderTransformer,
    DenoisingImputer,
    DenoisingTransformer,
    ReconstructionOutlierDetector,
)

__all__ = [
    "AutoencoderTransformer",
    "DenoisingImputer",
    "DenoisingTransformer",
    "ReconstructionOutlierDetector",
]
