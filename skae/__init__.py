"""Autoencoders that are scikit-learn estimators."""

from skae.estimators import (
    AutoencoderTransformer,
    DenoisingImputer,
    DenoisingTransformer,
    ReconstructionOutlierDetector,
)

__version__ = "0.1.0"

__all__ = [
    "AutoencoderTransformer",
    "DenoisingImputer",
    "DenoisingTransformer",
    "ReconstructionOutlierDetector",
]
