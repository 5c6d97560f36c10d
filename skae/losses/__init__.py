"""Losses: what counts as close."""

from skae.losses._loss import Loss
from skae.losses._named import LOSSES

__all__ = ["LOSSES", "Loss"]
