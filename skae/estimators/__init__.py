"""The estimators."""

from skae.estimators._denoiser import DenoisingTransformer
from skae.estimators._imputer import DenoisingImputer
from skae.estimators._outlier import ReconstructionOutlierDetector
from skae.estimators._transformer import AutoencoderTransformer

__all__ = [
    "AutoencoderTransformer",
    "DenoisingImputer",
    "DenoisingTransformer",
    "ReconstructionOutlierDetector",
]
