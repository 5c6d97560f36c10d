"""Where training runs."""

from __future__ import annotations

import torch


def available_device(device: str | torch.device) -> torch.device:
    """Return `device`, or say at once that this machine does not have it."""
    try:
        torch.empty(0, device=device).cpu()  # "meta" has no values to return
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device={device!r} is not available; set device='cpu'."
        ) from error
    return torch.device(device)
