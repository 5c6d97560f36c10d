"""The training engine: the only floor that knows skorch."""

from skae._training._batches import Tensors
from skae._training._device import available_device
from skae._training._engine import (
    History,
    Problem,
    Watch,
    held_out_error,
    held_out_output,
    train,
    unwatched,
)
from skae._training._folds import Folds, choose_folds, choose_split
from skae._training._gate import Gate, weigh
from skae._training._objective import (
    HiddenFeaturesObjective,
    Objective,
    RestorationObjective,
)

__all__ = [
    "Folds",
    "Gate",
    "HiddenFeaturesObjective",
    "History",
    "Objective",
    "Problem",
    "RestorationObjective",
    "Tensors",
    "Watch",
    "available_device",
    "choose_folds",
    "choose_split",
    "held_out_error",
    "held_out_output",
    "train",
    "unwatched",
    "weigh",
]
