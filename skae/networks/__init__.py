"""Network specifications: the shape of what is trained."""

from skae.networks._dense import DenseNetwork

__all__ = ["DenseNetwork"]
