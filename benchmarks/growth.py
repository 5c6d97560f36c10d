"""Time and memory of AutoencoderTransformer as rows grow, beside PCA.

The rows have 50 float32 columns and 8 components are kept; everything runs on one
thread and is timed by the wall clock. Each number of rows and each method has a process
of its own: memory is what the peak adds to a process that already holds the rows.

    python benchmarks/growth.py --max-rows 100000
    python benchmarks/growth.py --output docs/measured
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pandas as pd
from _report import command_line, publish, threads
from sklearn.decomposition import PCA
from tqdm import tqdm

from skae import AutoencoderTransformer

ROWS = (2_000, 10_000, 50_000, 250_000, 1_000_000)
TRANSFORM_ROWS = (100_000, 1_000_000)
N_FEATURES = 50
N_COMPONENTS = 8
REPEATS = 3
METHODS = ("PCA", "AutoencoderTransformer")
MEGABYTE = 1e6


def make_rows(n_rows: int) -> np.ndarray:
    """Return rows near a curved surface, written in place: the peak is the rows."""
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((N_COMPONENTS, N_FEATURES), dtype=np.float32)
    X = np.empty((n_rows, N_FEATURES), dtype=np.float32)
    for block in np.array_split(X, max(1, n_rows // 10_000)):
        rng.standard_normal(out=block, dtype=np.float32)
        block *= 0.1
        factors = rng.standard_normal((len(block), N_COMPONENTS), dtype=np.float32)
        block += np.tanh(factors @ weights)
    return X


def make_estimator(method: str) -> PCA | AutoencoderTransformer:
    if method == "PCA":
        return PCA(N_COMPONENTS, random_state=0)
    return AutoencoderTransformer(N_COMPONENTS, random_state=0)


def peak_memory() -> float:
    """Return the most memory that this process has held so far, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / MEGABYTE


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def measure_fit(method: str, n_rows: int) -> dict[str, float]:
    """Return the time of a fit, how much of it is training, and its memory."""
    fits, trainings = [], []
    with threads(1):
        make_estimator(method).fit(make_rows(500))  # imports are not measured
        X = make_rows(n_rows)
        before = peak_memory()
        for _ in range(REPEATS):
            estimator = make_estimator(method)
            fits.append(seconds(partial(estimator.fit, X)))
            history = getattr(estimator, "history_", [])
            trainings.append(sum(entry["duration"] for entry in history))
    return {
        "fit": float(np.median(fits)),
        "training": float(np.median(trainings)),
        "rest": float(np.median(np.subtract(fits, trainings))),
        "memory": peak_memory() - before,
    }


def measure_transform(method: str, n_rows: int) -> dict[str, float]:
    """Return the time of `transform` and its memory, the output included."""
    with threads(1):
        estimator = make_estimator(method).fit(make_rows(10_000))
        X = make_rows(n_rows)
        before = peak_memory()
        times = [seconds(partial(estimator.transform, X)) for _ in range(REPEATS)]
    return {"seconds": float(np.median(times)), "memory": peak_memory() - before}


def measure_one_row() -> dict[str, float]:
    """Return the seconds that `transform` of one row takes each method, in turns."""
    X = make_rows(10_000)
    times: dict[str, list[float]] = {method: [] for method in METHODS}
    with threads(1):
        estimators = {method: make_estimator(method).fit(X) for method in METHODS}
        for row in np.array_split(X[:1000], 1000):
            for method, estimator in estimators.items():
                times[method].append(seconds(partial(estimator.transform, row)))
    return {method: float(np.median(values)) for method, values in times.items()}


def alone(measurement: Callable[..., dict], *arguments: object) -> dict[str, float]:
    """Run a measurement in a fresh process, which inherits no memory from this one."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measurement, *arguments).result()


def fit_table(row_counts: list[int]) -> pd.DataFrame:
    rows = []
    progress = tqdm(row_counts)
    for n_rows in progress:
        pca, ours = (alone(measure_fit, method, n_rows) for method in METHODS)
        progress.write(f"fit of {n_rows:,} rows: {ours['fit']:.2f} s")
        rows.append(
            {
                "rows": n_rows,
                "fit, s": ours["fit"],
                "of it training, s": ours["training"],
                "the rest, s": ours["rest"],
                "PCA's fit, s": pca["fit"],
                "rest / PCA's fit": ours["rest"] / pca["fit"],
                "memory, MB": ours["memory"],
                "PCA's memory, MB": pca["memory"],
            }
        )
    return pd.DataFrame(rows)


def transform_table(row_counts: list[int]) -> pd.DataFrame:
    one_row = alone(measure_one_row)
    pca, ours = (one_row[method] for method in METHODS)
    rows = [
        {"rows": 1, "ms": 1e3 * ours, "PCA's ms": 1e3 * pca, "ms / PCA's": ours / pca}
    ]
    progress = tqdm(row_counts)
    for n_rows in progress:
        pca, ours = (alone(measure_transform, method, n_rows) for method in METHODS)
        progress.write(f"transform of {n_rows:,} rows: {ours['seconds']:.2f} s")
        rows.append(
            {
                "rows": n_rows,
                "ms": 1e3 * ours["seconds"],
                "PCA's ms": 1e3 * pca["seconds"],
                "ms / PCA's": ours["seconds"] / pca["seconds"],
                "rows / s": round(n_rows / ours["seconds"]),
                "memory, MB": ours["memory"],
                "PCA's memory, MB": pca["memory"],
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--max-rows", type=int, default=max(ROWS), metavar="N")
    options = parser.parse_args()
    row_counts = [n_rows for n_rows in ROWS if n_rows <= options.max_rows]
    if not row_counts:
        parser.error(f"--max-rows must be at least {min(ROWS)}")

    sections = [
        (
            f"Fit of rows with {N_FEATURES} float32 columns on one thread, "
            f"{N_COMPONENTS} components, the median of {REPEATS} fits. Memory is what "
            "the peak adds to a process that holds the rows, to within some 5 MB.",
            fit_table(row_counts),
        ),
        (
            "Transform of such rows, on one thread. Memory includes the output.",
            transform_table(
                [n_rows for n_rows in TRANSFORM_ROWS if n_rows <= options.max_rows]
            ),
        ),
    ]
    publish("growth", sections, options.output)


if __name__ == "__main__":
    main()
