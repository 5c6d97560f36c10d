"""How well ReconstructionOutlierDetector ranks anomalies, beside other detectors.

At most 5,000 rows of each data set are drawn, anew for each seed, and judged in three
protocols. U: all rows are fitted and the same rows are scored. N: one half of the
normal rows is fitted, all other rows are scored. C: one half of the rows is fitted with
its anomalies, the other half is scored. Then time and memory are measured.

    python benchmarks/outlier_quality.py
    python benchmarks/outlier_quality.py --data FOLDER --output docs/measured
    python benchmarks/outlier_quality.py --data FOLDER --ablation

Peers get standardised columns, ReconstructionOutlierDetector gets them as they are.
The peers of PyOD take part where PyOD is installed.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from _data import Dataset, load_outliers
from _detectors import (
    FOREST,
    MAX_COVARIANCE_FEATURES,
    N_COVARIANCE_COMPONENTS,
    OURS,
    PYOD_AUTOENCODER,
    Detectors,
    make_detectors,
    make_parts,
    scores_of_fitted_rows,
)
from _report import command_line, publish, threads
from growth import alone, peak_memory
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from skae import ReconstructionOutlierDetector

MAX_ROWS = 5_000
PROTOCOLS = ["U", "N", "C"]

#: Of the synthetic rows on which cost is measured.
N_FEATURES, N_FACTORS = 20, 5
FITTED_ROWS, SCORED_ROWS, REPEATS = 5_000, 50_000, 3
GROWTH_ROWS = (10_000, 100_000, 1_000_000)

MakeDetectors = Callable[[int, int], Detectors]


@dataclass(frozen=True)
class Split:
    """Rows to fit and rows to score: the same array where they are the same rows."""

    protocol: str
    fitted: np.ndarray
    scored: np.ndarray
    is_anomaly: np.ndarray


def split(X: np.ndarray, is_anomaly: np.ndarray, seed: int) -> Iterator[Split]:
    """Yield the three protocols; halves have the same share of anomalies."""
    draw = partial(train_test_split, random_state=seed)
    if len(X) > MAX_ROWS:
        X, _, is_anomaly, _ = draw(
            X, is_anomaly, train_size=MAX_ROWS, stratify=is_anomaly
        )
    yield Split("U", X, X, is_anomaly)

    fitted, others = draw(np.flatnonzero(~is_anomaly), test_size=0.5)
    scored = np.concatenate([others, np.flatnonzero(is_anomaly)])
    yield Split("N", X[fitted], X[scored], is_anomaly[scored])

    fitted, scored = draw(np.arange(len(X)), test_size=0.5, stratify=is_anomaly)
    yield Split("C", X[fitted], X[scored], is_anomaly[scored])


def evaluate(detector: BaseEstimator, split: Split) -> dict[str, object]:
    began = time.process_time()
    detector.fit(split.fitted)
    seconds = time.process_time() - began
    if split.scored is split.fitted:
        scores = scores_of_fitted_rows(detector, split.fitted)
    else:
        scores = detector.score_samples(split.scored)
    return {
        "auroc": roc_auc_score(split.is_anomaly, -scores),
        "average_precision": average_precision_score(split.is_anomaly, -scores),
        "fit_seconds": seconds,
        "failed": False,
    }


def evaluate_peer(detector: BaseEstimator, split: Split) -> dict[str, object]:
    """Evaluate; a peer that raises an error gets what guessing reaches."""
    try:
        return evaluate(detector, split)
    except Exception:
        return {
            "auroc": 0.5,
            "average_precision": split.is_anomaly.mean(),
            "fit_seconds": np.nan,
            "failed": True,
        }


def run_set(
    dataset: Dataset, make: MakeDetectors, n_seeds: int
) -> list[dict[str, object]]:
    """Evaluate every detector on one data set."""
    n_features = dataset.X.shape[1]
    rows: list[dict[str, object]] = []
    with threads(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warm_up(make)
        for seed in range(n_seeds):
            for part in split(dataset.X, dataset.y == 1, seed):
                for name, detector in make(seed, n_features).items():
                    is_peer = isinstance(detector, Pipeline)
                    measure = evaluate_peer if is_peer else evaluate
                    cell = {
                        "set": dataset.name,
                        "protocol": part.protocol,
                        "detector": name,
                    }
                    rows.append({**cell, **measure(detector, part)})
    return rows


@cache
def warm_up(make: MakeDetectors) -> None:
    """Let this process import and compile what detectors need when they first run."""
    X = make_rows(100)
    for detector in make(0, N_FEATURES).values():
        detector.fit(X).score_samples(X)


def run(
    datasets: list[Dataset], make: MakeDetectors, n_seeds: int, jobs: int
) -> pd.DataFrame:
    """Evaluate every detector on every set, the largest sets first."""
    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered")
    progress = tqdm(
        parallel(
            delayed(run_set)(dataset, make, n_seeds)
            for dataset in sorted(datasets, key=lambda dataset: -dataset.X.size)
        ),
        total=len(datasets),
    )
    rows: list[dict[str, object]] = []
    for set_rows in progress:
        rows += set_rows
        auroc = pd.DataFrame(set_rows).groupby("detector", sort=False)["auroc"].mean()
        best = auroc.iloc[1:].idxmax()
        progress.write(
            f"{set_rows[0]['set']:<24} {auroc.index[0]} {auroc.iloc[0]:.3f}; "
            f"best other: {best} {auroc[best]:.3f}"
        )
    return pd.DataFrame(rows)


def average_seeds(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each set, protocol and detector, with its rank by AUROC."""
    cell = ["set", "protocol", "detector"]
    cells = frame.drop(columns="failed").groupby(cell, sort=False).mean().reset_index()
    ranks = cells.groupby(["set", "protocol"])["auroc"].rank(ascending=False)
    return cells.assign(rank=ranks).sort_values(["set", "protocol"], kind="stable")


def by_protocol(cells: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the mean over sets in each protocol, and the mean over protocols."""
    table = cells.pivot_table(column, "detector", "protocol", sort=False)[PROTOCOLS]
    return table.assign(mean=table.mean(axis=1)).rename_axis(columns=None)


def report_parts(
    datasets: list[Dataset], frame: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield what each part of the detector is worth."""
    cells = average_seeds(frame)
    yield _auroc_text(datasets, frame), by_protocol(cells, "auroc").reset_index()
    precision = by_protocol(cells, "average_precision")
    yield "Average precision, likewise.", precision.reset_index()


def report_peers(
    datasets: list[Dataset], frame: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables of quality, each with the text to be printed above it."""
    cells = average_seeds(frame)
    auroc = by_protocol(cells, "auroc").sort_values("mean", ascending=False)
    precision = by_protocol(cells, "average_precision").loc[auroc.index]
    rank = by_protocol(cells, "rank").loc[auroc.index]
    rank["fit, CPU s"] = cells.groupby("detector")["fit_seconds"].mean()

    yield (
        f"{_auroc_text(datasets, frame)} {_failures(frame)}{_reduced(datasets)}",
        auroc.reset_index(),
    )
    yield "Average precision, likewise.", precision.reset_index()
    yield (
        f"Rank by area under the ROC curve among {len(auroc)} detectors, the mean over "
        "sets; CPU seconds of a fit, the mean over sets and protocols.",
        rank.reset_index(),
    )
    peers = auroc.drop(index=OURS)
    yield (
        "Area under the ROC curve beside the best peer of each column.",
        pd.DataFrame(
            {
                "protocol": auroc.columns,
                OURS: auroc.loc[OURS].array,
                "best peer": peers.idxmax().array,
                "its AUROC": peers.max().array,
                "difference": (auroc.loc[OURS] - peers.max()).array,
            }
        ),
    )
    yield _set_by_set(datasets, cells)


def _auroc_text(datasets: list[Dataset], frame: pd.DataFrame) -> str:
    sets = f"{len(datasets)} sets"
    if datasets[0].name.startswith("sklearn/"):
        sets += " of scikit-learn in which one class was made rare"
    n_cells = len(datasets) * len(PROTOCOLS) * frame["detector"].nunique()
    return (
        f"Area under the ROC curve, the mean over {sets}, each drawn with "
        f"{len(frame) // n_cells} random seeds."
    )


def _failures(frame: pd.DataFrame) -> str:
    failed = frame[frame["failed"]]
    if failed.empty:
        return "No detector failed."
    counts = [
        f"{detector} {len(rows)} ({', '.join(rows['set'].unique())})"
        for detector, rows in failed.groupby("detector")
    ]
    n_fits = len(frame) // frame["detector"].nunique()
    return f"Fits that failed of {n_fits}, counted as 0.5: {'; '.join(counts)}."


def _reduced(datasets: list[Dataset]) -> str:
    names = [d.name for d in datasets if d.X.shape[1] > MAX_COVARIANCE_FEATURES]
    if not names:
        return ""
    return (
        f" EllipticEnvelope gets the {N_COVARIANCE_COMPONENTS} leading principal "
        f"components of {', '.join(names)}, on whose many columns it does not end."
    )


def _set_by_set(
    datasets: list[Dataset], cells: pd.DataFrame
) -> tuple[str, pd.DataFrame]:
    auroc = cells.pivot_table("auroc", "set", "detector")
    ours, forest, peers = auroc[OURS], auroc[FOREST], auroc.drop(columns=OURS)
    table = pd.DataFrame(
        {
            "rows": {dataset.name: len(dataset.X) for dataset in datasets},
            "columns": {dataset.name: dataset.X.shape[1] for dataset in datasets},
            "anomalies": {
                dataset.name: f"{dataset.y.mean():.1%}" for dataset in datasets
            },
            OURS: ours,
            FOREST: forest,
            "best peer": peers.idxmax(axis=1),
            "its AUROC": peers.max(axis=1),
        }
    )
    text = (
        "Area under the ROC curve set by set, the mean over protocols and seeds. "
        f"{OURS} is better than {FOREST} in {(ours > forest).sum()} of {len(auroc)} "
        f"sets, and better than every peer in {(ours > peers.max(axis=1)).sum()}."
    )
    return text, table.rename_axis("set").reset_index()


def make_rows(n_rows: int) -> np.ndarray:
    """Return correlated Gaussian rows, written in place: the peak is the rows."""
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((N_FACTORS, N_FEATURES))
    X = np.empty((n_rows, N_FEATURES))
    for block in np.array_split(X, max(1, n_rows // 10_000)):
        rng.standard_normal(out=block)
        block += rng.standard_normal((len(block), N_FACTORS)) @ weights
    return X


def cpu_seconds(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


def cost_table() -> pd.DataFrame:
    """Return the time of every detector, taken in turns."""
    fitted, scored = make_rows(FITTED_ROWS), make_rows(SCORED_ROWS)
    rows: list[dict[str, object]] = []
    with threads(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warm_up(make_detectors)
        for _ in tqdm(range(REPEATS)):
            for name, detector in make_detectors(0, N_FEATURES).items():
                fit = cpu_seconds(partial(detector.fit, fitted))
                score = cpu_seconds(partial(detector.score_samples, scored))
                rows.append({"detector": name, "fit, CPU s": fit, "score": score})
    table = pd.DataFrame(rows).groupby("detector", sort=False).median()
    fit = table["fit, CPU s"]
    if PYOD_AUTOENCODER in table.index:
        table[f"/ {PYOD_AUTOENCODER}"] = fit / fit[PYOD_AUTOENCODER]
    table["rows scored / s"] = (SCORED_ROWS / table.pop("score")).round().astype(int)
    return table.reset_index()


def measure_growth(method: str, n_rows: int) -> dict[str, float]:
    """Return the time of a method and what its peak adds to the rows, in megabytes."""
    with threads(1):
        detector = ReconstructionOutlierDetector(random_state=0)
        detector.fit(make_rows(FITTED_ROWS))
        X = make_rows(n_rows)
        before = peak_memory()
        seconds = cpu_seconds(partial(getattr(detector, method), X))
    return {"seconds": seconds, "memory": peak_memory() - before}


def growth_table() -> pd.DataFrame:
    rows = []
    for n_rows in tqdm(GROWTH_ROWS):
        fit = alone(measure_growth, "fit", n_rows)
        score = alone(measure_growth, "score_samples", n_rows)
        rows.append(
            {
                "rows": n_rows,
                "fit, CPU s": fit["seconds"],
                "memory of fit, MB": fit["memory"],
                "score, CPU s": score["seconds"],
                "memory of score, MB": score["memory"],
            }
        )
    return pd.DataFrame(rows)


def report_cost() -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables of time and memory."""
    yield (
        f"Fit of {FITTED_ROWS:,} rows and scores of {SCORED_ROWS:,} new ones, on one "
        f"thread, the median of {REPEATS} runs. The rows have {N_FEATURES} columns of "
        f"Gaussian noise and {N_FACTORS} Gaussian factors with random weights.",
        cost_table(),
    )
    yield (
        f"{OURS} on more such rows, on one thread; what scores is fitted on "
        f"{FITTED_ROWS:,}. Memory is what the peak adds to a process that has fitted "
        f"{FITTED_ROWS:,} rows and holds these, to within some 5 MB.",
        growth_table(),
    )


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="use outliers/*.npz of FOLDER in the place of scikit-learn's sets",
    )
    parser.add_argument("--seeds", type=int, default=3, help="draws of each set")
    parser.add_argument("--jobs", type=int, default=1, help="sets at a time")
    parser.add_argument(
        "--ablation", action="store_true", help="compare parts of the detector instead"
    )
    options = parser.parse_args()

    datasets = load_outliers(options.data)
    if options.ablation:
        frame = run(datasets, make_parts, options.seeds, options.jobs)
        publish("outlier_parts", list(report_parts(datasets, frame)), options.output)
        return
    frame = run(datasets, make_detectors, options.seeds, options.jobs)
    sections = [*report_peers(datasets, frame), *report_cost()]
    publish("outlier_quality", sections, options.output)
    if options.output is not None:
        path = options.output / "outlier_quality.csv"
        average_seeds(frame).to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
