"""Who trains on which rows, and who is judged on which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.utils import gen_batches

_HASH_BLOCK = 2**16  # elements of X that are hashed at a time
_FEWEST_ROWS = 20  # fewer distinct rows prove nothing, whatever is held out of them
_FEW_ROWS = 2_000  # below, every row is worth training on and being judged on


@dataclass(frozen=True)
class Folds:
    """Row indices of every member; the last member is the one that is kept.

    Attributes
    ----------
    training : list of ndarray
        Rows that a member trains on.
    held_out : list of ndarray
        Rows that a member is judged on; empty for a member that trains on all rows.
    """

    training: list[np.ndarray]
    held_out: list[np.ndarray]

    @property
    def members(self) -> int:
        return len(self.training)

    @property
    def held_out_rows(self) -> np.ndarray:
        """All held-out rows, in the order of the members."""
        return np.concatenate(self.held_out)


def choose_folds(
    X: np.ndarray,
    cv: str | int | None,
    validation_fraction: float,
    random_state: np.random.RandomState,
) -> Folds:
    """Folds for a table of independent rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Copies of one row are kept in one fold.
    cv : "auto", int or None
        Number of folds; ``"auto"`` is 5 below 2,000 rows, else a single split; None
        holds nothing out, nor is anything held out of a handful of rows.
    validation_fraction : float
        Share of the rows that a single split holds out.
    random_state : RandomState
    """
    if cv is None:
        return all_rows(len(X))
    groups = identical_rows(X)
    n_groups = groups.max() + 1
    if n_groups < _FEWEST_ROWS:
        return all_rows(len(X))
    if cv != "auto":
        return cross_validation(groups, min(cv, n_groups), random_state)
    if len(X) < _FEW_ROWS:
        return cross_validation(groups, 5, random_state)
    return single_split(groups, validation_fraction, random_state)


def all_rows(n_samples: int) -> Folds:
    """One member that trains on everything and is judged on nothing."""
    return Folds([np.arange(n_samples)], [np.arange(0)])


def cross_validation(
    groups: np.ndarray, n_folds: int, random_state: np.random.RandomState
) -> Folds:
    """Members that each hold out a fold, and one that trains on all rows."""
    fold = _shuffled(groups, random_state)[groups] % n_folds
    rows = np.arange(len(groups))
    return Folds(
        [rows[fold != j] for j in range(n_folds)] + [rows],
        [rows[fold == j] for j in range(n_folds)] + [rows[:0]],
    )


def single_split(
    groups: np.ndarray,
    fraction: float,
    random_state: np.random.RandomState,
    *,
    most: int = 10_000,
) -> Folds:
    """One member that trains on all but `fraction` of the rows, `most` at the most.

    More held-out rows would not sharpen a decision, but every evaluation would grow
    with the table.
    """
    n_groups = groups.max() + 1
    share = min(fraction, most / len(groups))
    n_held_out = min(max(1, round(share * n_groups)), n_groups - 1)
    held_out = _shuffled(groups, random_state)[groups] < n_held_out
    return Folds([np.flatnonzero(~held_out)], [np.flatnonzero(held_out)])


def _shuffled(groups: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
    return random_state.permutation(groups.max() + 1)


def identical_rows(X: np.ndarray) -> np.ndarray:
    """Number rows such that copies of one row, and only they, share a number.

    A row that is held out proves nothing if its copy was trained on. Rows are compared
    by a 64-bit hash of their bytes: sorting whole rows takes longer than PCA.
    """
    multipliers = np.random.RandomState(0).randint(
        1, 2**63 - 1, size=X.shape[1], dtype=np.uint64
    ) | np.uint64(1)
    hashes = np.empty(len(X), dtype=np.uint64)
    for rows in gen_batches(len(X), max(1, _HASH_BLOCK // X.shape[1])):
        # Adding zero makes one of the two zeros that floats have.
        bits = (X[rows] + X.dtype.type(0)).view(f"u{X.dtype.itemsize}")
        # Round numbers end in zero bits, which a product alone would pass on.
        mixed = bits ^ (bits >> bits.dtype.type(4 * X.dtype.itemsize))
        hashes[rows] = mixed.astype(np.uint64, copy=False) @ multipliers
    return np.unique(hashes, return_inverse=True)[1]
