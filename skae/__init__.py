"""Autoencoders that are scikit-learn estimators."""

from skae.estimators import AutoencoderTransformer, DenoisingImputer

__all__ = ["AutoencoderTransformer", "DenoisingImputer"]
