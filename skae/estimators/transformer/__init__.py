"""The autoencoder that stands where PCA stands."""

from skae.estimators.transformer._transformer import AutoencoderTransformer

__all__ = ["AutoencoderTransformer"]
