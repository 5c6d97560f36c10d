"""How well ReconstructionOutlierDetector ranks anomalies, beside other detectors.

At most 5,000 rows of each data set are drawn, anew for each seed, and judged in three
protocols. U: all rows are fitted and the same rows are scored. N: one half of the
normal rows is fitted, all other rows are scored. C: one half of the rows is fitted with
its anomalies, the other half is scored.

    python benchmarks/outlier_quality.py
    python benchmarks/outlier_quality.py --data FOLDER --output docs/measured
    python benchmarks/outlier_quality.py --data FOLDER --ablation

Peers get standardised columns, ReconstructionOutlierDetector gets them as they are.
The peers of PyOD take part where PyOD is installed.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from _data import Dataset, load_outliers
from _detectors import (
    FOREST,
    MAX_COVARIANCE_FEATURES,
    N_COVARIANCE_COMPONENTS,
    OURS,
    MakeDetectors,
    make_detectors,
    make_parts,
    scores_of_fitted_rows,
    warm_up,
)
from _report import command_line, publish, threads
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from tqdm import tqdm

MAX_ROWS = 5_000
PROTOCOLS = ["U", "N", "C"]


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
    n_seeds = len(frame) // n_cells
    return (
        f"Area under the ROC curve, the mean over {sets}, each drawn with "
        f"{n_seeds} random seed{'s' if n_seeds > 1 else ''}."
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
    publish("outlier_quality", list(report_peers(datasets, frame)), options.output)
    if options.output is not None:
        path = options.output / "outlier_quality.csv"
        average_seeds(frame).to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
