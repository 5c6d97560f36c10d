"""The training engine."""

from skae._training._batches import FEWEST_STEPS, MOST_STEPS, steps_of
from skae._training._device import available_device
from skae._training._engine import (
    Training,
    Watch,
    held_out_error,
    held_out_output,
    train,
    unwatched,
)
from skae._training._folds import (
    Folds,
    all_rows,
    choose_cross_validation,
    choose_folds,
    choose_split,
    row_keys,
)
from skae._training._gate import Gate, Verdict, weigh
from skae._training._gated import Gated
from skae._training._objective import Objective, Prepare, Tensors, Term, as_given
from skae._training._problem import History, Problem, Settings

__all__ = [
    "FEWEST_STEPS",
    "MOST_STEPS",
    "Folds",
    "Gate",
    "Gated",
    "History",
    "Objective",
    "Prepare",
    "Problem",
    "Settings",
    "Tensors",
    "Term",
    "Training",
    "Verdict",
    "Watch",
    "all_rows",
    "as_given",
    "available_device",
    "choose_cross_validation",
    "choose_folds",
    "choose_split",
    "held_out_error",
    "held_out_output",
    "row_keys",
    "steps_of",
    "train",
    "unwatched",
    "weigh",
]
