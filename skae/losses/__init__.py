"""Losses: what counts as close."""

from skae.losses._loss import LOSSES, Loss

__all__ = ["LOSSES", "Loss"]
