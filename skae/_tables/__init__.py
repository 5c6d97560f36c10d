"""Tables: worked on in blocks of rows, and seen by a network in coordinates."""

from skae._tables._blocks import (
    BLOCK,
    has_gaps,
    map_blocks,
    row_blocks,
    spread,
)
from skae._tables._coordinates import Coordinates

__all__ = ["BLOCK", "Coordinates", "has_gaps", "map_blocks", "row_blocks", "spread"]
