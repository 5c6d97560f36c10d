"""Tables: in blocks of rows, in coordinates, and computed alike wherever it is."""

from skae._tables._ambient import fitting, full_precision, predicting
from skae._tables._blocks import (
    BLOCK,
    has_gaps,
    magnitude,
    map_blocks,
    row_blocks,
    spread,
)
from skae._tables._coordinates import Coordinates
from skae._tables._threads import one_thread

__all__ = [
    "BLOCK",
    "Coordinates",
    "fitting",
    "full_precision",
    "has_gaps",
    "magnitude",
    "map_blocks",
    "one_thread",
    "predicting",
    "row_blocks",
    "spread",
]
