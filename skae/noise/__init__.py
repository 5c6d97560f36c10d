"""Noise specifications: what is hidden from the network during training."""

from skae.noise._gaussian import GaussianNoise
from skae.noise._masking import MaskingNoise
from skae.noise._noise import Corruption, Noise, Units
from skae.noise._salt_and_pepper import SaltAndPepperNoise
from skae.noise._swap import SwapNoise

__all__ = [
    "Corruption",
    "GaussianNoise",
    "MaskingNoise",
    "Noise",
    "SaltAndPepperNoise",
    "SwapNoise",
    "Units",
]
