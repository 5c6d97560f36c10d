"""The data of the benchmarks: scikit-learn's own, of a folder, or synthetic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

N_FACTORS = 6  # of the synthetic rows


@dataclass(frozen=True)
class Dataset:
    """Rows to compress or to complete, and their classes where there are any.

    The pixels of an image share one unit, from 0 to 1, and are only centred; the
    columns of a table have units of their own and are standardised.
    """

    name: str
    X: np.ndarray
    y: np.ndarray | None = None
    is_image: bool = False
    numbers: np.ndarray | None = None

    @property
    def target(self) -> np.ndarray | None:
        """What a model may predict from the rows: classes or numbers."""
        return self.numbers if self.y is None else self.y

    def split(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return training rows, held-out rows (30 %) and their classes."""
        labels = np.zeros(len(self.X)) if self.y is None else self.y
        train, test, train_labels, test_labels = train_test_split(
            self.X, labels, test_size=0.3, random_state=0
        )
        scaler = StandardScaler(with_std=not self.is_image).fit(train)
        return (
            scaler.transform(train),
            scaler.transform(test),
            train_labels,
            test_labels,
        )


def load(folder: Path | None = None) -> list[Dataset]:
    """Return scikit-learn's sets and, with a folder, those of the folder too.

    The folder holds ``imputation/*.npz``, tables whose last column is a target and
    no part of the rows, and ``images/*.npz``, pixels ``X`` from 0 to 255 and classes
    ``y``.
    """
    datasets = list(_from_sklearn())
    if folder is not None:
        datasets += _from_folder(folder)
        if not any(not d.name.startswith("sklearn/") for d in datasets):
            raise FileNotFoundError(
                f"No imputation/*.npz and no images/*.npz in {folder}."
            )
    return datasets


def _from_sklearn() -> Iterator[Dataset]:
    X, y = load_digits(return_X_y=True)
    yield Dataset("sklearn/digits", X / 16, y, is_image=True)
    for fetch in (load_breast_cancer, load_wine, load_iris):
        name = fetch.__name__.removeprefix("load_")
        yield Dataset(f"sklearn/{name}", *fetch(return_X_y=True))
    X, numbers = load_diabetes(return_X_y=True)
    yield Dataset("sklearn/diabetes", X, numbers=numbers)


def _from_folder(folder: Path) -> Iterator[Dataset]:
    for path in sorted(folder.glob("imputation/*.npz")):
        with np.load(path) as arrays:
            table = arrays["X"]
        yield Dataset(f"imputation/{path.stem}", table[:, :-1], numbers=table[:, -1])
    for path in sorted(folder.glob("images/*.npz")):
        with np.load(path) as arrays:
            X, y = arrays["X"] / 255, arrays["y"]
        yield Dataset(f"images/{path.stem}", X, y, is_image=True)


def load_outliers(folder: Path | None = None) -> list[Dataset]:
    """Return sets whose anomalies have class 1.

    They are read from ``outliers/*.npz`` of a folder, arrays ``X`` and ``y``; without a
    folder, they are classification sets of scikit-learn with one class made rare.
    """
    if folder is None:
        return list(_with_a_rare_class())
    datasets = []
    for path in sorted(folder.glob("outliers/*.npz")):
        with np.load(path) as arrays:
            datasets.append(Dataset(path.stem, arrays["X"].astype(float), arrays["y"]))
    if not datasets:
        raise FileNotFoundError(f"No outliers/*.npz in {folder}.")
    return datasets


def _with_a_rare_class() -> Iterator[Dataset]:
    """Yield sets in which one class, the anomalies, is one row in twenty."""
    rng = np.random.default_rng(0)
    for fetch in (load_breast_cancer, load_digits, load_wine):
        X, y = fetch(return_X_y=True)
        normal, rare = np.flatnonzero(y != 0), np.flatnonzero(y == 0)
        rare = rng.choice(rare, len(normal) // 19, replace=False)
        rows = np.concatenate([normal, rare])
        name = fetch.__name__.removeprefix("load_")
        yield Dataset(f"sklearn/{name}", X[rows], (y[rows] == 0).astype(int))


def curved_rows(n_rows: int, n_features: int, dtype: type = np.float64) -> np.ndarray:
    """Return rows near a curved surface, written in place: the peak is the rows."""
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((N_FACTORS, n_features), dtype=dtype)
    X = np.empty((n_rows, n_features), dtype=dtype)
    for block in np.array_split(X, max(1, n_rows // 10_000)):
        rng.standard_normal(out=block, dtype=dtype)
        block *= 0.3
        factors = rng.standard_normal((len(block), N_FACTORS), dtype=dtype)
        block += np.tanh(factors @ weights)
    return X


def hide(X: np.ndarray, share: float) -> np.ndarray:
    """Replace a share of the values by NaN, in place."""
    rng = np.random.default_rng(0)
    for block in np.array_split(X, max(1, len(X) // 10_000)):
        block[rng.random(block.shape) < share] = np.nan
    return X
