"""Modules that depend on what is global in torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from skae._tables._shared import SharedChange

_LOCK = threading.RLock()


class _Float32ByDefault(SharedChange):
    """Makes new tensors float32, as a user's modules expect."""

    def change(self) -> None:
        self._before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float32)

    def put_back(self) -> None:
        torch.set_default_dtype(self._before)


#: Whatever a user's module makes inside of this is float32. The default is that of the
#: whole process, so nothing else of the package changes it.
float32_by_default = _Float32ByDefault()


@contextmanager
def global_draws_from(
    generator: torch.Generator, device: torch.device | None = None
) -> Iterator[None]:
    """Let torch's global random numbers follow from a generator; then put them back.

    New tensors are of float32, or others would be drawn. The numbers are those of the
    whole process, so that one thread waits for the other.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    gpus = [] if device is None or device.type != "cuda" else [device]
    with _LOCK, torch.random.fork_rng(devices=gpus), float32_by_default:
        torch.default_generator.manual_seed(seed)
        for gpu in gpus:
            with torch.cuda.device(gpu):
                torch.cuda.manual_seed(seed)
        yield
