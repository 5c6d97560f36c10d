"""Noise specifications: what is hidden from the network during training."""

from skae.noise._gaussian import GaussianNoise
from skae.noise._noise import Noise

__all__ = ["GaussianNoise", "Noise"]
