"""Noise specifications: what is hidden from the network during training."""

from skae.noise._gaussian import GaussianNoise

__all__ = ["GaussianNoise"]
