"""The denoising autoencoder that restores rows and images."""

from skae.estimators.denoiser._denoiser import DenoisingTransformer

__all__ = ["DenoisingTransformer"]
