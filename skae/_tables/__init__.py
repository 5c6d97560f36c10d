"""Tables: in blocks of rows, in coordinates, and on one thread where bits count."""

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
    "has_gaps",
    "magnitude",
    "map_blocks",
    "one_thread",
    "row_blocks",
    "spread",
]
