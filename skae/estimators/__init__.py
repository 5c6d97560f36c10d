"""The public estimators, a package for each."""

from skae.estimators.denoiser import DenoisingTransformer
from skae.estimators.detector import ReconstructionOutlierDetector
from skae.estimators.imputer import DenoisingImputer
from skae.estimators.transformer import AutoencoderTransformer

__all__ = [
    "AutoencoderTransformer",
    "DenoisingImputer",
    "DenoisingTransformer",
    "ReconstructionOutlierDetector",
]
