"""What ``verbose`` shows of a training: a bar on a screen, lines in a log file."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm.asyncio import tqdm as terminal_bar
from tqdm.auto import tqdm

#: Turns errors of held-out rows, each a mean over its features, into a score.
ScoreOfErrors = Callable[[np.ndarray], float]


class Progress:
    """Shows the rounds of a training; this one shows nothing.

    It is told of every round, and as a context of the end of the training.
    """

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        pass

    def __call__(self, entry: dict[str, Any], errors: np.ndarray | None) -> None:
        """Show a round.

        Parameters
        ----------
        entry : dict
            Of the history.
        errors : ndarray or None
            Of the held-out rows.
        """


class _Shown(Progress, ABC):
    """Shows numbers with their names.

    Parameters
    ----------
    title : str
        What is trained.
    max_iter : int
        Largest number of rounds.
    score : callable or None
        None where errors have no score, and are shown as they are.
    """

    def __init__(self, title: str, max_iter: int, score: ScoreOfErrors | None) -> None:
        self.title = title
        self.max_iter = max_iter
        self._score = score
        self._n_rounds = 0

    def __call__(self, entry: dict[str, Any], errors: np.ndarray | None) -> None:
        self._n_rounds += 1
        numbers = {"training loss": f"{entry['loss']:.4g}"}
        if errors is not None and self._score is not None:
            numbers["validation score"] = f"{self._score(errors):.4f}"
        elif errors is not None:
            numbers["validation loss"] = f"{entry['validation_loss']:.4g}"
        self.show(self._n_rounds, numbers)

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self.end(self._n_rounds, early=kind is None and self._n_rounds < self.max_iter)

    @abstractmethod
    def show(self, n_rounds: int, numbers: dict[str, str]) -> None:
        """Show a round."""

    @abstractmethod
    def end(self, n_rounds: int, early: bool) -> None:
        """End what is shown; early if there could have been more rounds."""


class _Bar(_Shown):
    """A bar that grows, on a screen or in a notebook."""

    def __init__(self, title: str, max_iter: int, score: ScoreOfErrors | None) -> None:
        super().__init__(title, max_iter, score)
        self._bar = tqdm(total=max_iter, desc=title, unit="round")

    def show(self, n_rounds: int, numbers: dict[str, str]) -> None:
        self._bar.set_postfix(numbers, refresh=False)
        self._bar.update()

    def end(self, n_rounds: int, early: bool) -> None:
        if early:
            self._bar.total = n_rounds
            self._bar.set_description(f"{self.title}, ended early")
        self._bar.close()


class _Lines(_Shown):
    """A line for every round, where the beginning of a line cannot be gone back to."""

    def show(self, n_rounds: int, numbers: dict[str, str]) -> None:
        told = ", ".join(f"{name} {number}" for name, number in numbers.items())
        self._print(f"round {n_rounds} of {self.max_iter}: {told}")

    def end(self, n_rounds: int, early: bool) -> None:
        if early:
            self._print(f"ended early after {n_rounds} of {self.max_iter} rounds")

    def _print(self, text: str) -> None:
        say(f"{self.title}, {text}")


def say(text: str) -> None:
    """Print a line where bars are drawn."""
    print(text, file=sys.stderr, flush=True)


def progress_of(
    title: str, max_iter: int, score: ScoreOfErrors | None, *, verbose: int
) -> Progress:
    """Return what shows the rounds of a training in the way that fits the output."""
    if not verbose or sys.stderr is None:  # as in a program without a console
        return Progress()
    in_notebook = tqdm is not terminal_bar
    shown = _Bar if in_notebook or sys.stderr.isatty() else _Lines
    return shown(title, max_iter, score)
