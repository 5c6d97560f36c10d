"""Autoencoders that are scikit-learn estimators."""

from skae.estimators import AutoencoderTransformer

__all__ = ["AutoencoderTransformer"]
