"""The training engine: the only floor that knows skorch."""

from skae.training._batches import Tensors
from skae.training._device import available_device
from skae.training._engine import (
    History,
    Problem,
    Watch,
    held_out_error,
    held_out_output,
    train,
    unwatched,
)
from skae.training._folds import Folds, choose_folds, choose_split
from skae.training._gate import Gate, weigh
from skae.training._layerwise import in_phase, layer_phases
from skae.training._trial import choose_start

__all__ = [
    "Folds",
    "Gate",
    "History",
    "Problem",
    "Tensors",
    "Watch",
    "available_device",
    "choose_folds",
    "choose_split",
    "choose_start",
    "held_out_error",
    "held_out_output",
    "in_phase",
    "layer_phases",
    "train",
    "unwatched",
    "weigh",
]
