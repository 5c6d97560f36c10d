"""The training engine: the only floor that knows skorch."""

from skae.training._device import available_device
from skae.training._engine import held_out_error, held_out_output, train
from skae.training._folds import Folds, choose_folds
from skae.training._gate import Gate, weigh
from skae.training._layerwise import in_phase, train_layerwise

__all__ = [
    "Folds",
    "Gate",
    "available_device",
    "choose_folds",
    "held_out_error",
    "held_out_output",
    "in_phase",
    "train",
    "train_layerwise",
    "weigh",
]
