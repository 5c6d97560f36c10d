"""Losses: what counts as close."""

from skae.losses._loss import Loss
from skae.losses._named import LOSSES, resolve_loss, resolve_unlinked_loss

__all__ = ["LOSSES", "Loss", "resolve_loss", "resolve_unlinked_loss"]
