"""One thread for what must not depend on how many there are."""

from __future__ import annotations

import functools
import threading
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from threadpoolctl import ThreadpoolController


@functools.cache
def _controller() -> ThreadpoolController:
    """Return the thread pools of the process; to look for them takes milliseconds."""
    return ThreadpoolController()


def one_openmp_thread() -> AbstractContextManager[Any]:
    """Limit OpenMP, which torch and scikit-learn use, for the calling thread only."""
    limit: AbstractContextManager[Any] = _controller().limit(
        limits=1, user_api="openmp"
    )
    return limit


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
                self._limit = _controller().limit(limits=1, user_api="blas")
            self._users += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._limit.restore_original_limits()


#: Products and decompositions differ in the last bits between numbers of threads.
one_blas_thread = _SharedLimit()
