"""Penalties: what training minimises besides the error."""

from skae.penalties._penalty import Encode, Penalty

__all__ = ["Encode", "Penalty"]
