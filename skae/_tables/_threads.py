"""One thread: with more of them, the last bits of a result would be others.

On cores that other programs use as well, threads also wait for each other at every
operation, and are slower than one. Work is spread over cores by fitting several
estimators at once.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from threadpoolctl import ThreadpoolController

from skae._tables._shared import SharedChange


class _Pools(NamedTuple):
    """Libraries with threads of their own.

    Attributes
    ----------
    of_threads : list
        Those of which every thread has a limit of its own: OpenMP, and BLAS on top.
    of_process : list
        Those whose limit is that of the whole process.
    """

    of_threads: list[Any]
    of_process: list[Any]


@functools.cache
def _pools() -> _Pools:
    """Find the libraries of this process, which takes milliseconds."""
    pools = _Pools([], [])
    for library in ThreadpoolController().lib_controllers:
        layer = library.info().get("threading_layer")
        own = library.user_api == "openmp" or layer == "openmp"
        (pools.of_threads if own else pools.of_process).append(library)
    return pools


def _set(library: Any, number: int) -> None:
    """Limit a library, whoever has limited it before.

    From its version 3.8 on, threadpoolctl lets only that thread change a limit of the
    process that was the first to do so. Here it is the last one out that has to.
    """
    getattr(library, "_real_set_num_threads", library.set_num_threads)(number)


class _SharedLimit(SharedChange):
    """Limits libraries to one thread."""

    def change(self) -> None:
        self._before = [library.num_threads for library in _pools().of_process]
        for library in _pools().of_process:
            _set(library, 1)

    def put_back(self) -> None:
        for library, number in zip(_pools().of_process, self._before, strict=True):
            _set(library, number)


_shared_limit = _SharedLimit()


@functools.cache
def _set_mkl_threads() -> Callable[[int], int]:
    """Return what limits the MKL that torch brings, and returns the limit before.

    The limit is that of the calling thread alone; zero is none. threadpoolctl does not
    see this library, and ``torch.set_num_threads`` would limit new threads for good.
    """
    for library in (Path(torch.__file__).parent / "lib").glob("*torch_cpu.*"):
        try:
            set_threads: Callable[[int], int] = ctypes.CDLL(
                str(library)
            ).MKL_Set_Num_Threads_Local
        except (OSError, AttributeError):
            continue
        return set_threads
    return lambda limit: limit


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: numpy, scipy, torch and scikit-learn."""
    torch.get_num_threads()  # or torch would set the number of a new thread later
    own = _pools().of_threads
    before = [library.num_threads for library in own]
    mkl_before = _set_mkl_threads()(1)
    try:
        for library in own:
            library.set_num_threads(1)
        with _shared_limit:
            yield
    finally:
        for library, number in zip(own, before, strict=True):
            library.set_num_threads(number)
        _set_mkl_threads()(mkl_before)
