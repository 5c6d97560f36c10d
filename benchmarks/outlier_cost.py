"""Time and memory of ReconstructionOutlierDetector, beside other detectors.

The rows are synthetic and everything runs on one thread. Times are CPU seconds.

    python benchmarks/outlier_cost.py --max-rows 100000
    python benchmarks/outlier_cost.py --output docs/measured
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from _detectors import OURS, PYOD_AUTOENCODER, make_detectors, warm_up
from _report import command_line, publish, threads
from growth import alone, peak_memory
from tqdm import tqdm

from skae import ReconstructionOutlierDetector

N_FEATURES, N_FACTORS = 20, 5
FITTED_ROWS, SCORED_ROWS, REPEATS = 5_000, 50_000, 3
GROWTH_ROWS = (10_000, 100_000, 1_000_000)


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


def measure_growth(method: str, n_rows: int) -> dict[str, float]:
    """Return the time of a method and what its peak adds to the rows, in megabytes."""
    with threads(1):
        detector = ReconstructionOutlierDetector(random_state=0)
        detector.fit(make_rows(FITTED_ROWS))
        X = make_rows(n_rows)
        before = peak_memory()
        seconds = cpu_seconds(partial(getattr(detector, method), X))
    return {"seconds": seconds, "memory": peak_memory() - before}


def growth_table(row_counts: list[int]) -> pd.DataFrame:
    rows = []
    for n_rows in tqdm(row_counts):
        fit = alone(measure_growth, "fit", n_rows)
        score = alone(measure_growth, "score_samples", n_rows)
        rows.append(
            {
                "rows": n_rows,
                "fit, CPU s": fit["seconds"],
                "memory of fit, MB": fit["memory"],
                "score, CPU s": score["seconds"],
                "rows scored / s": round(n_rows / score["seconds"]),
                "memory of score, MB": score["memory"],
            }
        )
    return pd.DataFrame(rows)


def detectors_table() -> pd.DataFrame:
    """Return the time of every detector, the median of runs in turns."""
    fitted, scored = make_rows(FITTED_ROWS), make_rows(SCORED_ROWS)
    rows: list[dict[str, object]] = []
    with threads(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warm_up(make_detectors)
        for _ in tqdm(range(REPEATS)):
            for name, detector in make_detectors(0, N_FEATURES).items():
                fit = cpu_seconds(partial(detector.fit, fitted))
                score = cpu_seconds(partial(detector.score_samples, scored))
                rows.append({"detector": name, "fit": fit, "score": score})
    median = pd.DataFrame(rows).groupby("detector", sort=False).median()
    columns = {"fit, CPU s": median["fit"]}
    if PYOD_AUTOENCODER in median.index:
        reference = median.loc[PYOD_AUTOENCODER, "fit"]
        columns[f"/ {PYOD_AUTOENCODER}"] = median["fit"] / reference
    columns["rows scored / s"] = (SCORED_ROWS / median["score"]).round().astype(int)
    return pd.DataFrame(columns).reset_index()


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--max-rows", type=int, default=max(GROWTH_ROWS), metavar="N")
    options = parser.parse_args()
    row_counts = [n_rows for n_rows in GROWTH_ROWS if n_rows <= options.max_rows]
    if not row_counts:
        parser.error(f"--max-rows must be at least {min(GROWTH_ROWS)}")

    # Memory first: on Linux a process inherits the peak of the one that starts it.
    growth = growth_table(row_counts)
    sections = [
        (
            f"Fit of {FITTED_ROWS:,} rows and scores of {SCORED_ROWS:,} new ones, on "
            f"one thread, the median of {REPEATS} runs. The rows have {N_FEATURES} "
            f"columns: {N_FACTORS} Gaussian factors with random weights, and noise.",
            detectors_table(),
        ),
        (
            f"{OURS} on more such rows, on one thread. Memory is what the peak adds to "
            f"a process that has fitted {FITTED_ROWS:,} rows and holds these, to "
            f"within some 5 MB. The detector that scores is fitted on {FITTED_ROWS:,}.",
            growth,
        ),
    ]
    publish("outlier_cost", sections, options.output)


if __name__ == "__main__":
    main()
