"""Penalties: what training minimises besides the error."""

from skae.penalties._contraction import Contraction
from skae.penalties._penalty import Penalty
from skae.penalties._sparsity import KullbackLeiblerSparsity, L1Sparsity

__all__ = [
    "Contraction",
    "KullbackLeiblerSparsity",
    "L1Sparsity",
    "Penalty",
]
