"""The device of the training."""

from __future__ import annotations

import torch


def check_device(device: str | torch.device) -> torch.device:
    """Return the device; a ValueError says that it is not available."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device={device!r} is not available; set device='cpu'."
        ) from error
    return torch.device(device)
