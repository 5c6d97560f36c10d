"""Quality of AutoencoderTransformer against the CPU seconds of a fit.

Every setting is fitted to the same cells with more and more rounds. A point of its
curve is the geometric mean, over the cells, of the fraction of variance unexplained on
held-out rows divided by PCA's, beside that of the CPU seconds of one thread.

    python benchmarks/transformer_curve.py
    python benchmarks/transformer_curve.py --data FOLDER --output docs/measured
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from _data import Dataset, load
from _report import command_line, publish, threads
from sklearn.decomposition import PCA
from tqdm import tqdm
from transform_quality import NEGLIGIBLE_FVU, evaluate

from skae import AutoencoderTransformer

N_COMPONENTS = (2, 8)
MAX_ITER = (5, 10, 20, 30, 40, 80)
#: Beside the default, what it once was: wider, deeper, and trained at a lower rate.
SETTINGS: dict[str, dict[str, object]] = {
    "default": {},
    "three layers of 96, rate 0.007, batches of 64": {
        "hidden_layer_sizes": (96, 96, 96),
        "learning_rate_init": 0.007,
        "batch_size": 64,
    },
}


def run(datasets: list[Dataset], seeds: int) -> Iterator[dict[str, object]]:
    """Yield a row for every setting, number of rounds, cell and seed."""
    AutoencoderTransformer(max_iter=2).fit(
        np.random.RandomState(0).normal(size=(99, 5))
    )
    cells = [(d, k) for d in datasets for k in N_COMPONENTS if k < d.X.shape[1]]
    for dataset, k in tqdm(cells):
        pca = evaluate(dataset, PCA(k, svd_solver="full"))["fvu"]
        if pca < NEGLIGIBLE_FVU:
            continue
        # The settings take turns, so that a busy machine is no matter of one of them.
        for max_iter in MAX_ITER:
            for name, params in SETTINGS.items():
                for seed in range(seeds):
                    fitted = AutoencoderTransformer(
                        k, max_iter=max_iter, random_state=seed, **params
                    )
                    measured = evaluate(dataset, fitted)
                    yield {
                        "setting": name,
                        "max_iter": max_iter,
                        "set": dataset.name,
                        "k": k,
                        "seed": seed,
                        "rounds": fitted.n_iter_,
                        "cpu_seconds": measured["cpu_seconds"],
                        "ratio": measured["fvu"] / pca,
                    }


def curves(frame: pd.DataFrame) -> pd.DataFrame:
    """Geometric means of every setting at every number of rounds."""
    points = frame.groupby(["setting", "max_iter"], sort=False)
    return points.agg(
        **{
            "CPU s": ("cpu_seconds", _geometric_mean),
            "FVU / PCA's": ("ratio", _geometric_mean),
            "worst": ("ratio", "max"),
        }
    ).reset_index()


def _geometric_mean(values: pd.Series) -> float:
    return float(np.exp(np.log(values).mean()))


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="use imputation/*.npz of FOLDER too"
    )
    parser.add_argument("--seeds", type=int, default=1, help="fits of every cell")
    options = parser.parse_args()

    datasets = [d for d in load(options.data) if not d.name.startswith("images/")]
    with threads(1):
        frame = pd.DataFrame(run(datasets, options.seeds))
    n_cells = len(frame.groupby(["set", "k"]))
    text = (
        "Geometric means over "
        f"{n_cells} cells (sets at {' and '.join(map(str, N_COMPONENTS))} components), "
        "by the largest number of rounds; a fit whose validation error stops falling "
        "ends earlier."
    )
    table = curves(frame).sort_values(["setting", "max_iter"], kind="stable")
    publish("transformer_curve", [(text, table)], options.output)
    if options.output is not None:
        path = options.output / "transformer_curve.csv"
        frame.to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
