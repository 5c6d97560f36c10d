"""The columns of a table with gaps, standardised by what is observed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

_MOST_ROWS = 100_000  # to train on: what more of them teach a network is little
_MOST_CELLS = 2_000_000  # of these rows
_FEWEST_ROWS = 1_000  # of them, however many columns they have
_ROWS_FOR_A_COLUMN = 2  # below, most of what is correlated is so by chance
_FAR = 30.0  # spreads from the centre; of real tables, next to no value is farther
_END = 0.03  # share of a column, at either end, that may be mistakes
_FEW = 5  # values, or so many if they are more


@dataclass(frozen=True)
class Columns:
    """Location, scale and range of the columns that have an observed value.

    A value that is far from the centre of its column may be a mistake. It is treated
    as a missing one, so that it neither is learned nor fills a gap. Counting it as the
    bound that it exceeds was rejected: a row of closely related columns does not hold
    one of them at its bound either, and fills of such columns became twice as wrong.

    Attributes
    ----------
    n_features : int
        Number of columns of the table.
    known : ndarray of int
        Columns with an observed value; what follows is of these.
    bounds : ndarray of shape (2, n_known)
        Least and largest value that is trusted.
    mean, scale : ndarray of shape (n_known,)
        Mean and standard deviation of the trusted values; the scale of a constant
        column is one.
    range : ndarray of shape (2, n_known)
        Least and largest trusted value of the table.
    limits : ndarray of shape (2, n_known)
        Least and largest value to fill with.
    """

    n_features: int
    known: np.ndarray
    bounds: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    range: np.ndarray
    limits: np.ndarray

    @classmethod
    def of(cls, table: np.ndarray, missing: np.ndarray, limits: np.ndarray) -> Columns:
        """Measure the columns of a table; limits are of shape (2, n_features)."""
        known = np.flatnonzero(~missing.all(axis=0))
        # In a wide table the first case of something rare is all that there is to
        # learn from, and its influence is shrunken like all others.
        few = 0 if is_wide(len(table), len(known)) else _FEW - 1
        rounding = float(np.finfo(table.dtype).eps)
        # One column at a time, of which a copy is small beside the table.
        measured = [
            _measure(table[~missing[:, j], j].astype(np.float64), few, rounding)
            for j in known
        ]
        low, high, mean, scale, least, largest = np.array(measured).T
        return cls(
            table.shape[1],
            known,
            np.stack([low, high]),
            mean,
            scale,
            np.stack([least, largest]),
            limits[:, known],
        )

    def statistics(self, otherwise: float) -> np.ndarray:
        """Means of all columns of the table; a number for those that hold nothing."""
        statistics = np.full(self.n_features, otherwise)
        statistics[self.known] = self.mean
        return statistics

    def trusted(self, X: np.ndarray, observed: np.ndarray) -> np.ndarray:
        """Tell which of the observed values of the known columns can be trusted."""
        low, high = self.bounds
        return observed & (low <= X) & (X <= high)

    def standardise(self, X: np.ndarray, trusted: np.ndarray) -> torch.Tensor:
        """Return standardised rows of the known columns with zeros in their gaps."""
        rows = np.where(trusted, X, self.mean)
        rows -= self.mean
        rows /= self.scale
        return torch.from_numpy(rows)

    def clip(self, rows: torch.Tensor) -> torch.Tensor:
        """Return standardised rows within the observed range."""
        low, high = torch.from_numpy((self.range - self.mean) / self.scale)
        return rows.clamp(low, high)

    def restore(self, rows: torch.Tensor) -> np.ndarray:
        """Return standardised rows in the units of X, within range and limits."""
        # Once more, because the way there and back ends in rounding.
        restored = (rows.numpy() * self.scale + self.mean).clip(*self.range)
        return restored.clip(*self.limits)


def is_wide(n_samples: int, n_features: int) -> bool:
    """Whether there are too few rows to tell chance from structure.

    A network was of no use in any of eighteen fits to such tables, nor were
    correlations that are not shrunken.
    """
    return n_samples < _ROWS_FOR_A_COLUMN * n_features


def _measure(x: np.ndarray, few: int, rounding: float) -> tuple[float, ...]:
    """Bounds, mean, scale and range of the values of a column."""
    centre = np.median(x)
    spread = _spread(x, centre, min(few, 1 + len(x) // 100))
    low, high = centre - _FAR * spread, centre + _FAR * spread
    x = x[(low <= x) & (x <= high)]
    least, largest = x.min(), x.max()
    # In units of the spread, because the squares of tiny numbers would be zero.
    units = (x - centre) / (spread or 1.0)
    mean, scale = centre + units.mean() * spread, units.std() * spread
    if least == largest or scale <= rounding * max(abs(least), abs(largest)):
        scale = 1.0
    return low, high, mean, scale, least, largest


def _spread(x: np.ndarray, centre: float, few: int) -> float:
    """How far values usually are from the centre, whatever the ends of a column are.

    It is the largest of three numbers. The interquartile range is narrow where tails
    are long, and zero where one value is frequent; what is not at the ends knows
    better. Where all of that is one value, as in a column of zeros and rare counts, the
    others tell how far they usually are. But if they are no more than a few, no other
    row proves what is learned from them, and the spread is zero.
    """
    x = np.sort(x)
    quarter = len(x) // 4
    end = min(max(_FEW, int(_END * len(x))), quarter)
    distance = np.abs(x - centre)
    middle = distance[end : len(x) - end]
    unit = middle.max() or 1.0
    others = distance[distance > 0]
    return max(
        0.7413 * (x[-1 - quarter] - x[quarter]),
        unit * np.sqrt(np.square(middle / unit).mean()),
        np.median(others) if len(others) > few else 0.0,
    )


def _sample(
    n_samples: int, n_features: int, random: np.random.RandomState
) -> slice | np.ndarray:
    """All rows of a table or, if they are many, some of them at random."""
    most = max(min(_MOST_ROWS, _MOST_CELLS // n_features), _FEWEST_ROWS)
    if n_samples <= most:
        return slice(None)
    return np.sort(random.permutation(n_samples)[:most])


@dataclass(frozen=True)
class GapTable:
    """The known columns of a training table, and as many of its rows as are needed.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_known)
        As they are, with anything in the gaps.
    columns : Columns
        Measured on all rows.
    rows, observed : tensor of shape (n_samples, n_known)
        Standardised, and where there are no gaps: values that are not trusted are some.
    """

    X: np.ndarray
    columns: Columns
    rows: torch.Tensor
    observed: torch.Tensor

    @classmethod
    def of(
        cls,
        table: np.ndarray,
        missing: np.ndarray,
        limits: np.ndarray,
        random: np.random.RandomState,
    ) -> GapTable:
        """Standardise a table; limits are of shape (2, n_features)."""
        columns = Columns.of(table, missing, limits)
        known = columns.known
        sample = _sample(len(table), len(known), random)
        X = np.ascontiguousarray(table[sample][:, known])
        trusted = columns.trusted(X, ~missing[sample][:, known])
        rows = columns.standardise(X, trusted)
        return cls(X, columns, rows, torch.from_numpy(trusted))

    @property
    def is_wide(self) -> bool:
        return is_wide(*self.X.shape)
