"""One thread: with more of them, the last bits of a result would be others.

On cores that other programs use as well, two threads also took 9 to 33 times as long as
one for the steps of a training, because they wait for each other at every operation.
Work is spread over cores by fitting several estimators at once.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import ThreadpoolController


@functools.cache
def _pools(user_api: str) -> ThreadpoolController:
    """Return the thread pools of a kind; to look for them takes milliseconds.

    No others, because a limit puts back what it has found in all that it knows.
    """
    return ThreadpoolController().select(user_api=user_api)


class _SharedLimit(AbstractContextManager[None]):
    """Limits BLAS to one thread as long as anybody asks for it.

    The limit is that of the whole process. If each of two threads set it and put back
    what it had found, the later one would put back the limit of the other for good.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self._limit = _pools("blas").limit(limits=1)
            self._users += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._limit.restore_original_limits()


_one_blas_thread = _SharedLimit()


@functools.cache
def _set_mkl_threads() -> Callable[[int], int]:
    """Return what limits the MKL that torch brings, and returns the limit before.

    The limit is that of the calling thread alone; zero is none. threadpoolctl does not
    see this library, and ``torch.set_num_threads`` would limit new threads for good.
    """
    libraries = (Path(torch.__file__).parent / "lib").glob("*torch_cpu.*")
    for library in libraries:
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
    """Compute on one thread: numpy, scipy, torch and scikit-learn.

    For OpenMP and MKL, which the last two use, the limit is that of the calling thread
    alone.
    """
    openmp = _pools("openmp").limit(limits=1)
    before = _set_mkl_threads()(1)
    try:
        with _one_blas_thread, openmp:
            yield
    finally:
        _set_mkl_threads()(before)
