"""One thread: as long as somebody needs it, and then all are as they were."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from skae import AutoencoderTransformer
from skae._tables import one_thread
from skae.losses import LOSSES, Loss

LONG = 20  # seconds that nothing here takes


def blas_threads() -> set[int]:
    """Return the numbers of threads of all BLAS libraries of the process."""
    pools = threadpool_info()
    return {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}


def in_a_thread(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call in a thread that ends at once, which then holds no limit."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call, *args, **kwargs).result(LONG)


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """On a machine of one core, one thread as before would mean nothing."""
    if not blas_threads():
        pytest.skip("a BLAS whose threads cannot be limited")
    openmp = torch.get_num_threads()
    torch.set_num_threads(2)
    blas = in_a_thread(threadpool_limits, 2, user_api="blas")
    try:
        assert_two()
        yield
    finally:
        in_a_thread(blas.restore_original_limits)
        torch.set_num_threads(openmp)


def assert_one() -> None:
    assert torch.get_num_threads() == 1
    assert blas_threads() == {1}


def assert_two() -> None:
    assert torch.get_num_threads() == 2
    assert blas_threads() == {2}


class Visitor:
    """Computes on one thread, beside others, from one call to the next."""

    def __init__(self, openmp_threads: int = 2) -> None:
        self._openmp_threads = openmp_threads
        self._inside, self._leave = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._visit = self._pool.submit(self._stay)
        assert self._inside.wait(LONG)

    def leave(self) -> None:
        self._leave.set()
        self._visit.result(LONG)
        self._pool.shutdown()

    def _stay(self) -> None:
        torch.set_num_threads(self._openmp_threads)
        with one_thread():
            assert_one()
            self._inside.set()
            assert self._leave.wait(LONG)
            assert_one()
        # Those of OpenMP are each thread's own.
        assert torch.get_num_threads() == self._openmp_threads


def test_threads_are_as_before() -> None:
    """Also where one is inside another, and after an error."""
    with one_thread():
        assert_one()
        with pytest.raises(FloatingPointError), one_thread():
            raise FloatingPointError
        assert_one()
    assert_two()
    with one_thread():
        assert_one()
    assert_two()


@pytest.mark.parametrize("leaves_first", [0, 1])
def test_threads_that_overlap_share_the_limit(leaves_first: int) -> None:
    """It holds until the last of them has left, and leaves everything as it was."""
    visitors = [Visitor(3), Visitor(4)]
    assert blas_threads() == {1}
    assert torch.get_num_threads() == 2
    visitors[leaves_first].leave()
    assert blas_threads() == {1}
    visitors[1 - leaves_first].leave()
    assert_two()


@pytest.mark.parametrize("visitor_enters_first", [False, True])
@pytest.mark.parametrize("visitor_leaves_first", [False, True])
def test_this_thread_and_another_overlap(
    visitor_enters_first: bool, visitor_leaves_first: bool
) -> None:
    visitor = Visitor(3) if visitor_enters_first else None
    with one_thread():
        assert_one()
        visitor = visitor or Visitor(3)
        if visitor_leaves_first:
            visitor.leave()
            assert_one()
    assert torch.get_num_threads() == 2
    if not visitor_leaves_first:
        assert blas_threads() == {1}
        visitor.leave()
    assert_two()


def test_holds_within_limits_of_the_user() -> None:
    """Whichever thread has set them: bits must not depend on that."""
    with threadpool_limits(2, user_api="blas"):
        with one_thread():
            assert_one()
        assert_two()
        visitor = Visitor()
        assert blas_threads() == {1}
        visitor.leave()
        assert_two()


def test_others_are_free_to_set_limits_afterwards() -> None:
    with one_thread():
        assert_one()

    def limited() -> set[int]:
        with threadpool_limits(1, user_api="blas"):
            return blas_threads()

    assert in_a_thread(limited) == {1}
    assert_two()


class TestFits:
    """A fit computes on one thread whatever else goes on."""

    @staticmethod
    def fit(loss: Loss | str = "squared_error") -> AutoencoderTransformer:
        X = np.random.RandomState(0).normal(size=(60, 4))
        return AutoencoderTransformer(loss=loss, max_iter=1, random_state=0).fit(X)

    def test_every_step_is_on_one_thread(self) -> None:
        steps = []

        def watched(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            assert_one()
            steps.append(len(output))
            return LOSSES["squared_error"].pointwise(output, target)

        reducer = self.fit(Loss(watched))
        assert len(steps) > 20
        assert_two()
        reducer.transform(np.zeros((1, 4)))
        assert_two()

    def test_in_another_thread_have_the_same_bits(self) -> None:
        """That thread has never computed, and another one has."""
        X = np.random.RandomState(0).normal(size=(600, 200))

        def codes() -> np.ndarray:
            reducer = AutoencoderTransformer(5, max_iter=1, cv=None, random_state=0)
            return reducer.fit_transform(X)

        assert np.array_equal(codes(), in_a_thread(codes))

    def test_that_overlap_leave_all_as_it_was(self) -> None:
        """The second begins during the first and ends after it."""
        first_inside, second_inside, first_done = (threading.Event() for _ in range(3))

        def loss_that(begins: threading.Event, waits_for: threading.Event) -> Loss:
            def pointwise(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
                begins.set()
                assert waits_for.wait(LONG)
                assert_one()
                return LOSSES["squared_error"].pointwise(output, target)

            return Loss(pointwise)

        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(self.fit, loss_that(first_inside, second_inside))
            assert first_inside.wait(LONG)
            second = pool.submit(self.fit, loss_that(second_inside, first_done))
            first.result(LONG)
            first_done.set()
            second.result(LONG)
            assert_two()
        assert_two()
