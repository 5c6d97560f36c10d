"""Quality of AutoencoderTransformer against the CPU seconds of a fit.

Every setting is fitted to the same cells with more and more rounds. A point of its
curve is the geometric mean, over the cells, of the fraction of variance unexplained on
held-out rows divided by PCA's, beside that of the CPU seconds of one thread. With
``--output`` the curves are drawn as well.

    python benchmarks/transformer_curve.py
    python benchmarks/transformer_curve.py --data FOLDER --output docs/measured
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from _data import Dataset, load
from _report import command_line, publish, threads
from sklearn.decomposition import PCA
from tqdm import tqdm
from transform_quality import NEGLIGIBLE_FVU, evaluate

from skae import AutoencoderTransformer

N_COMPONENTS = (2, 8)
MAX_ITER = (5, 10, 20, 40, 80)
#: Beside the default, what it once was, which is wider, deeper, and trained at a lower
#: rate, and others that were candidates for it.
SETTINGS: dict[str, dict[str, object]] = {
    "default": {},
    "96-96-96, rate 0.007, batch 64": {
        "hidden_layer_sizes": (96, 96, 96),
        "learning_rate_init": 0.007,
        "batch_size": 64,
    },
    "64-64, rate 0.028, batch 128": {
        "hidden_layer_sizes": (64, 64),
        "learning_rate_init": 0.028,
        "batch_size": 128,
    },
    "48-48, rate 0.028, batch 128": {
        "hidden_layer_sizes": (48, 48),
        "learning_rate_init": 0.028,
        "batch_size": 128,
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


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw the curve of every setting, a point for each number of rounds."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for setting, points in table.groupby("setting", sort=False):
        axes.plot("CPU s", "FVU / PCA's", "o-", data=points, label=setting)
    axes.set_xscale("log")
    axes.set_xlabel("CPU seconds of a fit, geometric mean")
    axes.set_ylabel("unexplained variance / PCA's")
    axes.legend()
    figure.savefig(path, dpi=120)


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
    table = curves(frame)
    table = pd.concat([table[table["setting"] == setting] for setting in SETTINGS])
    publish("transformer_curve", [(text, table)], options.output)
    if options.output is not None:
        path = options.output / "transformer_curve.csv"
        frame.to_csv(path, index=False, float_format="%.6g")
        draw(table, options.output / "transformer_curve.png")


if __name__ == "__main__":
    main()
