"""The estimators."""

from skae.estimators._transformer import AutoencoderTransformer

__all__ = ["AutoencoderTransformer"]
