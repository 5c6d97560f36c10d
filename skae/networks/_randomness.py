"""Modules that depend on what is global in torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_LOCK = threading.RLock()


@contextmanager
def global_draws_from(
    generator: torch.Generator, device: torch.device | None = None
) -> Iterator[None]:
    """Let torch's global random numbers follow from a generator; then put them back.

    New tensors are of float32, or others would be drawn. Both are those of the whole
    process, so that one thread waits for the other.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    gpus = [] if device is None or device.type != "cuda" else [device]
    dtype = torch.get_default_dtype()
    with _LOCK, torch.random.fork_rng(devices=gpus):
        torch.default_generator.manual_seed(seed)
        for gpu in gpus:
            with torch.cuda.device(gpu):
                torch.cuda.manual_seed(seed)
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
