"""What a user has set for all of torch does not change a fit or a prediction.

A notebook sets another default device, serving code runs in inference mode, a training
loop around ours is under autocast. Each is undone while something is computed here, for
the calling thread alone where that is possible. The default dtype is that of the whole
process and stays: all tensors of the package are made with a dtype, and only modules of
users are called under float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

from skae._tables._precision import exact_float32
from skae._tables._threads import one_thread

_NOTHING: AbstractContextManager[Any] = nullcontext()


@contextmanager
def fitting() -> Iterator[None]:
    """Compute with gradients: what is learned is no tensor of an inference mode."""
    with one_thread(), exact_float32, _on_cpu(), full_precision("cpu"):
        with torch.inference_mode(False):
            yield


@contextmanager
def predicting() -> Iterator[None]:
    """Compute without gradients."""
    with one_thread(), exact_float32, _on_cpu(), full_precision("cpu"):
        with torch.inference_mode():
            yield


def full_precision(device: str) -> AbstractContextManager[Any]:
    """Compute in the precision of the tensors on a device of this type."""
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return _NOTHING


def _on_cpu() -> AbstractContextManager[Any]:
    """Make new tensors on the CPU."""
    # Three times as fast as to ask for the default device.
    if torch.empty(0).device.type == "cpu":
        return _NOTHING
    # A default device is a mode that torch calls for every function. Another one inside
    # of it, ``torch.device("cpu")``, is not the inner one in all versions of torch, and
    # would slow down every call once more.
    return torch._C.DisableTorchFunction()
