"""Errors of DenoisingImputer in the gaps of real tables, beside other imputers.

Values of complete tables are hidden: at random (MCAR, 10, 30 or 50 %), depending on
other columns (MAR, 30 %) or on the value itself (MNAR, 30 %). Imputers are fitted to
70 % of at most 1,500 rows and fill the others; both have gaps. Errors are those of the
hidden values, in standard deviations of the complete training columns. A support vector
machine is then fitted to the filled training rows and scored on the other filled rows.

    python benchmarks/imputation_quality.py
    python benchmarks/imputation_quality.py --data FOLDER --output docs/measured
"""

from __future__ import annotations

import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _data import Dataset, load
from _report import command_line, publish, threads
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.svm import SVC, SVR
from tqdm import tqdm

from skae import DenoisingImputer

PATTERNS = {
    "MCAR 10 %": 0.1,
    "MCAR 30 %": 0.3,
    "MCAR 50 %": 0.5,
    "MAR 30 %": 0.3,
    "MNAR 30 %": 0.3,
}
MOST_ROWS = 1_500
N_DRAWS = 1_000  # fewer make intervals between their quantiles narrow
SCORE = "the score is the accuracy or R2 of a support vector machine on the filled rows"
OURS = "DenoisingImputer"
MEDIAN = "DenoisingImputer, absolute error"
TREES = "IterativeImputer, extra trees"
LINEAR = "IterativeImputer"
METHODS: dict[str, BaseEstimator] = {
    "SimpleImputer": SimpleImputer(),
    "SimpleImputer, median": SimpleImputer(strategy="median"),
    "KNNImputer": KNNImputer(),
    LINEAR: IterativeImputer(random_state=0),
    TREES: IterativeImputer(
        ExtraTreesRegressor(20, random_state=0), max_iter=4, random_state=0
    ),
    OURS: DenoisingImputer(random_state=0),
    MEDIAN: DenoisingImputer(loss="absolute_error", random_state=0),
}


@dataclass(frozen=True)
class Cell:
    """A table with gaps: complete rows, the same with gaps, and their targets."""

    train: np.ndarray
    test: np.ndarray
    train_gaps: np.ndarray
    test_gaps: np.ndarray
    train_y: np.ndarray | None
    test_y: np.ndarray | None


def make_cell(dataset: Dataset, pattern: str) -> Cell:
    """Hide values of a data set; the same ones in every run."""
    rows = np.random.default_rng(0).permutation(len(dataset.X))[:MOST_ROWS]
    subset = Dataset(
        dataset.name, dataset.X[rows], dataset.target[rows], dataset.is_image
    )
    train, test, train_y, test_y = subset.split()
    unit = np.sqrt(train.var(axis=0).mean())  # of pixels; one for other columns
    rng = np.random.default_rng(zlib.crc32(f"{dataset.name} {pattern}".encode()))
    X = np.concatenate([train, test]) / unit
    with_gaps = np.where(hide(X, pattern, rng), np.nan, X)
    n_train = len(train)
    return Cell(
        X[:n_train], X[n_train:], with_gaps[:n_train], with_gaps[n_train:],
        train_y, test_y,
    )  # fmt: skip


def hide(X: np.ndarray, pattern: str, rng: np.random.Generator) -> np.ndarray:
    """Return which values are hidden.

    Where hiding depends on something, the log odds rise by one for each standard
    deviation of it: of a random combination of other columns, which have no gaps
    themselves (MAR), or of the value itself, upwards or downwards (MNAR).
    """
    n_samples, n_features = X.shape
    share = PATTERNS[pattern]
    hidden = np.zeros(X.shape, dtype=bool)
    if pattern.startswith("MCAR"):
        return rng.random(X.shape) < share
    if pattern.startswith("MAR"):
        order = rng.permutation(n_features)
        n_seen = max(1, round(0.3 * n_features))
        seen, columns = order[:n_seen], order[n_seen:]
        causes = X[:, seen] @ rng.normal(size=(n_seen, len(columns)))
    else:
        columns = np.arange(n_features)
        causes = X * rng.choice([-1, 1], size=n_features)
    causes = causes / np.maximum(causes.std(axis=0), 1e-12)
    for cause, column in zip(causes.T, columns, strict=True):
        odds = brentq(lambda b, a=cause: expit(a + b).mean() - share, -50, 50)
        hidden[:, column] = rng.random(n_samples) < expit(cause + odds)
    return hidden


def evaluate(cell: Cell, estimator: BaseEstimator) -> dict[str, float]:
    """Fit to the training rows of a cell, measure on the others."""
    imputer = clone(estimator).set_params(keep_empty_features=True)
    gaps = np.isnan(cell.test_gaps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        began = time.process_time()
        imputer.fit(cell.train_gaps)
        fitted = time.process_time()
        filled = imputer.transform(cell.test_gaps)
        done = time.process_time()
    error = (filled - cell.test)[gaps]
    classes = cell.train_y.dtype.kind == "i"
    model = SVC() if classes else SVR()
    unit = 1.0 if classes else cell.train_y.std()
    model.fit(imputer.transform(cell.train_gaps), cell.train_y / unit)
    return {
        "rmse": np.sqrt(np.mean(error**2)),
        "mae": np.mean(np.abs(error)),
        "score": model.score(filled, cell.test_y / unit),
        "fit": fitted - began,
        "transform": done - fitted,
        "coverage": coverage(cell, imputer) if estimator is METHODS[OURS] else np.nan,
    }


def coverage(cell: Cell, imputer: DenoisingImputer) -> float:
    """Share of the hidden values between the 5 % and 95 % quantiles of the draws."""
    gaps = np.isnan(cell.test_gaps)
    draws = imputer.sample(cell.test_gaps, N_DRAWS, random_state=0)[:, gaps]
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    truth = cell.test[gaps]
    return np.mean((low <= truth) & (truth <= high))


def run(datasets: list[Dataset], methods: dict[str, BaseEstimator]) -> pd.DataFrame:
    """Evaluate every cell, the smallest sets first, a row for each method."""
    cells = [
        (dataset, pattern)
        for dataset in sorted(datasets, key=lambda dataset: dataset.X.size)
        for pattern in PATTERNS
    ]
    rows = []
    progress = tqdm(cells)
    for dataset, pattern in progress:
        cell = make_cell(dataset, pattern)
        for method, estimator in methods.items():
            measured = evaluate(cell, estimator)
            rows.append(
                {"set": dataset.name, "pattern": pattern, "method": method, **measured}
            )
        errors = (f"{row['method']} {row['rmse']:.3f}" for row in rows[-len(methods) :])
        progress.write(f"{dataset.name} {pattern}: {', '.join(errors)}")
    return pd.DataFrame(rows)


def report(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables, each with the text to be printed above it."""
    sets = frame["set"].nunique()
    rmse = frame.pivot(index=["set", "pattern"], columns="method", values="rmse")
    yield (
        f"Root mean square error in the gaps of {sets} tables: geometric means.",
        _by_pattern(rmse, geometric_mean),
    )
    ranks = rmse.drop(columns=MEDIAN, errors="ignore").rank(axis=1)
    yield (
        f"Mean rank of that error among {ranks.shape[1]} methods.",
        _by_pattern(ranks, np.mean),
    )
    mae = frame.pivot(index=["set", "pattern"], columns="method", values="mae")
    yield (
        "Mean absolute error in the gaps: geometric means.",
        _by_pattern(mae, geometric_mean),
    )
    yield (
        f"{OURS} by table, over the patterns: its error divided by those of other "
        f"methods, the mean absolute error of the one for absolute errors divided by "
        f"that of {TREES}, and the score of the support vector machine.",
        _by_set(frame, rmse, mae),
    )
    ours = frame[frame["method"] == OURS]
    covered = ours.groupby("pattern", sort=False)["coverage"].mean()
    yield (
        "Share of the hidden values within the 90 % intervals of the draws.",
        pd.DataFrame([covered]),
    )
    yield (
        f"All {len(rmse)} cells; {SCORE}. Seconds are those of one thread.",
        pd.DataFrame(
            _summary(method, frame[frame["method"] == method], rmse)
            for method in frame["method"].unique()
        ),
    )


def geometric_mean(values: pd.Series) -> float:
    return float(np.exp(np.log(values).mean()))


def _by_pattern(wide: pd.DataFrame, mean: Callable[[pd.Series], float]) -> pd.DataFrame:
    by_method = {
        method: {
            pattern: mean(values.xs(pattern, level="pattern")) for pattern in PATTERNS
        }
        | {"all": mean(values)}
        for method, values in wide[[m for m in METHODS if m in wide]].items()
    }
    return pd.DataFrame(by_method).T.reset_index(names="method")


def _by_set(frame: pd.DataFrame, rmse: pd.DataFrame, mae: pd.DataFrame) -> pd.DataFrame:
    score = frame.pivot(index=["set", "pattern"], columns="method", values="score")
    ratios = {
        "RMSE / trees'": rmse[OURS] / rmse[TREES],
        "/ linear": rmse[OURS] / rmse[LINEAR],
        "/ mean's": rmse[OURS] / rmse["SimpleImputer"],
        "MAE / trees'": mae[MEDIAN] / mae[TREES],
    }
    table = {
        name: ratio.groupby("set").apply(geometric_mean)
        for name, ratio in ratios.items()
    }
    scores = {"score": score[OURS], "trees' score": score[TREES]}
    table |= {name: values.groupby("set").mean() for name, values in scores.items()}
    return pd.DataFrame(table).reset_index()


def _summary(method: str, rows: pd.DataFrame, rmse: pd.DataFrame) -> dict[str, object]:
    return {
        "method": method,
        "RMSE / trees'": geometric_mean(rmse[method] / rmse[TREES]),
        "/ linear": geometric_mean(rmse[method] / rmse[LINEAR]),
        "worst / mean's": (rmse[method] / rmse["SimpleImputer"]).max(),
        "score": rows["score"].mean(),
        "median fit, CPU s": rows["fit"].median(),
        "median transform, CPU s": rows["transform"].median(),
    }


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="use imputation/*.npz of FOLDER too"
    )
    parser.add_argument(
        "--sets", metavar="A,B", help="only sets whose name has one of these parts"
    )
    options = parser.parse_args()
    datasets = [d for d in load(options.data) if not d.name.startswith("images/")]
    if options.sets:
        parts = options.sets.split(",")
        datasets = [d for d in datasets if any(part in d.name for part in parts)]
        if not datasets:
            parser.error(f"no set has one of {parts} in its name")
    torch.optim.Adam([torch.zeros(1)])  # the first one imports torch's compiler
    with threads(1):
        frame = run(datasets, METHODS)
    publish("imputation_quality", list(report(frame)), options.output)
    if options.output is not None:
        path = options.output / "imputation_quality.csv"
        frame.to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
