"""Noise specifications: what is hidden from the network during training."""

from skae.noise._gaussian import GaussianNoise
from skae.noise._noise import Corruption, Noise

__all__ = ["Corruption", "GaussianNoise", "Noise"]
