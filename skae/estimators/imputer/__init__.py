"""The denoising autoencoder that stands where imputers stand."""

from skae.estimators.imputer._imputer import DenoisingImputer

__all__ = ["DenoisingImputer"]
