"""Time and memory of the estimators as rows grow.

The rows lie near a curved surface, in 20 columns or, for AutoencoderTransformer and PCA
beside it, in 50 of float32; DenoisingImputer gets them with 30 % of the values missing.
Everything runs on one thread and is timed in CPU seconds. Each number of rows and each
estimator has a process of its own: memory is what the peak adds to a process that
already holds the rows.

    python benchmarks/growth.py --max-rows 100000
    python benchmarks/growth.py --output docs/measured
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from _data import curved_rows, hide
from _measure import alone, cpu_seconds, peak_memory
from _report import command_line, publish, threads
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from tqdm import tqdm

from skae import (
    AutoencoderTransformer,
    DenoisingImputer,
    ReconstructionOutlierDetector,
)

ROWS = (3_000, 10_000, 100_000, 1_000_000)
PREDICTED_ROWS = (1, 100_000, 1_000_000)
FITTED_ROWS = 10_000  # by what predicts


def rows_with_gaps(n_rows: int) -> np.ndarray:
    return hide(curved_rows(n_rows, 20), share=0.3)


@dataclass(frozen=True)
class Subject:
    """An estimator, the rows it is for and the method that predicts."""

    make: Callable[[], BaseEstimator]
    rows: Callable[[int], np.ndarray]
    columns: str
    method: str = "transform"


wide_rows = partial(curved_rows, n_features=50, dtype=np.float32)
SUBJECTS = {
    "AutoencoderTransformer": Subject(
        partial(AutoencoderTransformer, 8, random_state=0),
        wide_rows,
        "50 float32 columns, to 8 components,",
    ),
    "PCA": Subject(partial(PCA, 8, random_state=0), wide_rows, "50 float32 columns"),
    "DenoisingImputer": Subject(
        partial(DenoisingImputer, random_state=0),
        rows_with_gaps,
        "20 columns, 30 % of the values missing,",
    ),
    "ReconstructionOutlierDetector": Subject(
        partial(ReconstructionOutlierDetector, random_state=0),
        partial(curved_rows, n_features=20),
        "20 columns",
        "score_samples",
    ),
}
#: The tables, and who is in each.
TABLES = {
    "growth_transformer": ("AutoencoderTransformer", "PCA"),
    "growth_imputer": ("DenoisingImputer",),
    "growth_detector": ("ReconstructionOutlierDetector",),
}


def measure_fit(name: str, n_rows: int) -> dict[str, float]:
    """Return the time of a fit, and its memory."""
    subject = SUBJECTS[name]
    with threads(1):
        subject.make().fit(subject.rows(100))  # imports are not measured
        X = subject.rows(n_rows)
        before = peak_memory()
        taken = cpu_seconds(partial(subject.make().fit, X))
    return {"seconds": taken, "memory": peak_memory() - before}


def measure_prediction(name: str, n_rows: int) -> dict[str, float]:
    """Return the time of a prediction and its memory, the output included."""
    subject = SUBJECTS[name]
    with threads(1):
        estimator = subject.make().fit(subject.rows(FITTED_ROWS))
        predict = getattr(estimator, subject.method)
        X = subject.rows(n_rows)
        before = peak_memory()
        repeats = max(1, min(1_000, 100_000 // n_rows))
        times = [cpu_seconds(partial(predict, X)) for _ in range(repeats)]
    return {"seconds": float(np.median(times)), "memory": peak_memory() - before}


def fit_table(names: tuple[str, ...], row_counts: list[int]) -> pd.DataFrame:
    rows = []
    for n_rows, name in tqdm(list(product(row_counts, names)), "fit"):
        measured = alone(measure_fit, name, n_rows)
        rows.append(
            {
                "estimator": name,
                "rows": n_rows,
                "fit, CPU s": measured["seconds"],
                "memory, MB": measured["memory"],
            }
        )
    return pd.DataFrame(rows)


def prediction_table(names: tuple[str, ...], row_counts: list[int]) -> pd.DataFrame:
    rows = []
    for n_rows, name in tqdm(list(product(row_counts, names)), "prediction"):
        measured = alone(measure_prediction, name, n_rows)
        rows.append(
            {
                "estimator": name,
                "rows": n_rows,
                f"{SUBJECTS[name].method}, CPU ms": 1e3 * measured["seconds"],
                "rows / s": round(n_rows / measured["seconds"]),
                "memory, MB": measured["memory"],
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--max-rows", type=int, default=max(ROWS), metavar="N")
    options = parser.parse_args()
    fitted = [n_rows for n_rows in ROWS if n_rows <= options.max_rows]
    if not fitted:
        parser.error(f"--max-rows must be at least {min(ROWS)}")
    predicted = [n_rows for n_rows in PREDICTED_ROWS if n_rows <= options.max_rows]

    for table, names in TABLES.items():
        sections = [
            (
                f"Fits of rows with {SUBJECTS[names[0]].columns} on one thread. Memory "
                "is what the peak adds to a process that holds the rows, to within "
                "some 5 MB.",
                fit_table(names, fitted),
            ),
            (
                f"New rows, after a fit of {FITTED_ROWS:,}. Memory includes the "
                "output.",
                prediction_table(names, predicted),
            ),
        ]
        publish(table, sections, options.output)


if __name__ == "__main__":
    main()
