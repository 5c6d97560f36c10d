"""Who trains on which rows, and who is judged on which."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.utils import gen_batches

_FEWEST_ROWS = 20  # fewer distinct rows prove nothing, whatever is held out of them
_FEW_ROWS = 2_000  # below, every row is worth training on and being judged on
_FIFTHS, _ENOUGH_HELD_OUT = 3, 200  # fifths of few rows that are held out, or rows
_MOST_HELD_OUT = 5_000  # more would not sharpen a decision, only cost time
# Of rows that are held out and judged whole: images have many, and what they tell of
# each other would take longer in every round than its steps.
_MOST_VALUES = 2 * 10**5
_BLOCK = 2**16  # elements of X that are hashed at a time


@dataclass(frozen=True)
class Folds:
    """Row indices of every member. Members that nothing is held out from come last.

    Attributes
    ----------
    training : list of ndarray
        Rows that a member trains on.
    held_out : list of ndarray
        Rows that a member is judged on; empty for a member that trains on all rows.
    keys : ndarray of shape (n_samples,) or None
        A number for every row, the same one for copies of a row; None where every row
        counts for itself.
    """

    training: list[np.ndarray]
    held_out: list[np.ndarray]
    keys: np.ndarray | None = None

    @property
    def members(self) -> int:
        return len(self.training)

    @property
    def judged_members(self) -> int:
        """Number of members that rows are held out from."""
        return sum(len(rows) > 0 for rows in self.held_out)

    @property
    def longest(self) -> int:
        """Number of rows that the member with the most of them trains on."""
        return max(len(rows) for rows in self.training)

    @property
    def held_out_rows(self) -> np.ndarray:
        """All held-out rows, in the order of the members."""
        return np.concatenate(self.held_out)

    def with_all_rows(self) -> Folds:
        """Return the same with a further member, which trains on all rows."""
        every = all_rows(len(self.training[0]) + len(self.held_out[0]))
        return Folds(
            self.training + every.training, self.held_out + every.held_out, self.keys
        )

    def per_distinct_row(self, errors: np.ndarray) -> np.ndarray:
        """Average errors of the held-out rows over the copies of each row.

        Ten copies of a row prove no more than the row.
        """
        if self.keys is None:
            return errors
        _, copy_of, counts = np.unique(
            self.keys[self.held_out_rows], return_inverse=True, return_counts=True
        )
        if len(counts) == len(errors):
            return errors
        return np.bincount(copy_of, weights=errors) / counts


def choose_folds(
    X: np.ndarray,
    cv: Literal["auto"] | int | None,
    validation_fraction: float,
    random_state: np.random.RandomState,
) -> Folds:
    """Folds for a table of independent rows; copies of one row share a fold.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The table.
    cv : "auto", int or None
        Number of folds; ``"auto"`` holds out fifths of fewer than 2,000 rows, as many
        as hold 200 distinct rows but at most three, else makes a single split; None
        holds nothing out, nor is anything held out of a handful of rows.
    validation_fraction : float
        Share of the rows that a single split holds out.
    random_state : RandomState
        Source of the folds.
    """
    if cv is None:
        return all_rows(len(X))
    if cv == "auto" and len(X) >= _FEW_ROWS:
        keys = row_keys(X, random_state)
        if _are_few(keys):
            return all_rows(len(X))
        folds = single_split(keys, min(validation_fraction, _MOST_HELD_OUT / len(X)))
        # A handful of rows, each many times, may all fall on one side.
        one_sided = min(len(folds.training[0]), len(folds.held_out[0])) == 0
        return all_rows(len(X)) if one_sided else folds
    # A member costs a fit as much as the one that is kept: those of the last two folds
    # were measured to take one percent off the error, and more than 200 rows nothing.
    folds = (
        choose_cross_validation(X, 5, random_state, enough=_ENOUGH_HELD_OUT)
        if cv == "auto"
        else choose_cross_validation(X, cv, random_state)
    )
    return folds.with_all_rows() if folds.judged_members else folds


def choose_cross_validation(
    X: np.ndarray,
    n_folds: int,
    random_state: np.random.RandomState,
    *,
    enough: int | None = None,
) -> Folds:
    """Members that each hold out a fold; copies of a row share one.

    With `enough`, only the first folds get a member: as many as hold so many distinct
    rows, and three at most. Nothing is held out of a handful of rows, on all of which a
    single member trains.
    """
    ranks = _shuffled_ranks(row_keys(X, random_state), random_state)
    n_distinct = ranks.max() + 1
    if n_distinct < _FEWEST_ROWS:
        return all_rows(len(X))
    n_folds = min(n_folds, n_distinct)
    used = n_folds
    if enough is not None:
        used = min(math.ceil(enough * n_folds / n_distinct), _FIFTHS, n_folds)
    return cross_validation(ranks, n_folds, used=used)


def choose_split(
    X: np.ndarray, fraction: float, random_state: np.random.RandomState
) -> Folds:
    """One member and the rows that it is judged on; copies of a row stay together.

    At least five distinct rows are held out, and none of a handful; at most 5,000, or
    200,000 values.
    """
    ranks = _shuffled_ranks(row_keys(X, random_state), random_state)
    n_distinct = ranks.max() + 1
    if n_distinct < _FEWEST_ROWS:
        return all_rows(len(X))
    most = min(_MOST_HELD_OUT, _MOST_VALUES // X.shape[1])
    wanted = min(round(fraction * n_distinct), most, n_distinct - 5)
    held_out = ranks < max(wanted, 5)
    return Folds([np.flatnonzero(~held_out)], [np.flatnonzero(held_out)], ranks)


def _shuffled_ranks(
    keys: np.ndarray, random_state: np.random.RandomState
) -> np.ndarray:
    """Number the distinct rows at random, copies of a row alike.

    The numbers follow from the order of the rows and not from their bits, so that they
    stay the same in another unit of X.
    """
    _, first, copy_of = np.unique(keys, return_index=True, return_inverse=True)
    appearance = first.argsort().argsort()
    return random_state.permutation(len(first))[appearance[copy_of]]


def _are_few(keys: np.ndarray) -> bool:
    """Tell whether a handful of rows is all there is, each many times."""
    # As a rule a part of them shows that there are enough.
    if len(np.unique(keys[:_FEW_ROWS])) >= _FEWEST_ROWS:
        return False
    return len(np.unique(keys)) < _FEWEST_ROWS


def all_rows(n_samples: int) -> Folds:
    """One member that trains on everything and is judged on nothing."""
    return Folds([np.arange(n_samples)], [np.arange(0)])


def cross_validation(
    ranks: np.ndarray, n_folds: int, *, used: int | None = None
) -> Folds:
    """Members that each hold out a fold.

    Copies of a row have the same rank, and ranks are dealt to the folds in turn. Only
    the first `used` folds get a member.
    """
    fold, rows = ranks % n_folds, np.arange(len(ranks))
    held_out = [rows[fold == j] for j in range(used or n_folds)]
    training = [rows[fold != j] for j in range(used or n_folds)]
    return Folds(training, held_out, ranks)


def single_split(keys: np.ndarray, fraction: float) -> Folds:
    """One member that trains on all but about `fraction` of the rows."""
    held_out = keys < np.uint64(fraction * 2.0**64)
    return Folds([np.flatnonzero(~held_out)], [np.flatnonzero(held_out)], keys)


def row_keys(X: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
    """Return a random number for every row, the same one for copies of a row.

    A row that is held out proves nothing if its copy was trained on. The number is a
    64-bit hash of the row with random multipliers: it shuffles the rows and finds the
    copies in one pass, where sorting whole rows would take longer than PCA.
    """
    multipliers = np.bitwise_or(
        random_state.randint(0, 2**64 - 1, size=X.shape[1], dtype=np.uint64),
        np.uint64(1),
    )
    keys = np.empty(len(X), dtype=np.uint64)
    for rows in gen_batches(len(X), max(1, _BLOCK // X.shape[1])):
        # Adding zero makes one of the two zeros that floats have.
        bits = (X[rows] + X.dtype.type(0)).view(f"u{X.dtype.itemsize}")
        # Round numbers end in zero bits, which a product alone would pass on.
        mixed = bits ^ (bits >> bits.dtype.type(4 * X.dtype.itemsize))
        keys[rows] = mixed.astype(np.uint64, copy=False) @ multipliers
    return (keys ^ (keys >> np.uint64(32))) * multipliers[0]
