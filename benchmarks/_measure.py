"""Clocks, memory and processes of their own, for the benchmarks."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Result = TypeVar("Result")
MEGABYTE = 1e6


def seconds(action: Callable[[], object]) -> float:
    """Return how long something takes, by the clock on the wall."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def cpu_seconds(action: Callable[[], object]) -> float:
    """Return what something costs this process, whatever else the machine does."""
    began = time.process_time()
    action()
    return time.process_time() - began


def peak_memory() -> float:
    """Return the most memory that this process has held so far, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / MEGABYTE


def alone(measurement: Callable[..., Result], *arguments: object) -> Result:
    """Run a measurement in a fresh process, which inherits no memory from this one."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measurement, *arguments).result()
