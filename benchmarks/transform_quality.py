"""Held-out reconstruction of AutoencoderTransformer, beside PCA and two peers.

Every cell is a data set at one number of components. 70 % of its rows are fitted; on
the others, the fraction of variance unexplained (FVU: squared residuals over squared
deviations from the training mean) is divided by that of an exact PCA. Where rows have
classes, a 5-nearest-neighbour classifier is fitted and scored on the components; with
two components, scikit-learn's trustworthiness tells how many neighbours are true ones.

    python benchmarks/transform_quality.py
    python benchmarks/transform_quality.py --data FOLDER --jobs 2 --output docs/measured

A notebook that tries a variant needs only this::

    from _data import load
    from transform_quality import evaluate

    evaluate(load()[0], AutoencoderTransformer(8, noise=None, random_state=0))
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _data import Dataset, load
from _report import command_line, publish, threads
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPRegressor
from torch import nn
from tqdm import tqdm

from skae import AutoencoderTransformer

N_COMPONENTS = (2, 4, 8, 16, 32)
#: PCA leaves next to nothing: the ratio would compare rounding errors.
NEGLIGIBLE_FVU = 1e-6
OURS = "AutoencoderTransformer"


class TutorialAutoencoder(BaseEstimator):
    """The autoencoder of a first tutorial: ReLU layers, Adam, 50 passes, no more."""

    def __init__(self, n_components: int) -> None:
        self.n_components = n_components

    def fit(self, X: np.ndarray, y: None = None) -> TutorialAutoencoder:
        torch.manual_seed(0)
        n_features = X.shape[1]
        self.network_ = nn.Sequential(
            *(nn.Linear(n_features, 128), nn.ReLU()),
            *(nn.Linear(128, 64), nn.ReLU()),
            nn.Linear(64, self.n_components),
            *(nn.Linear(self.n_components, 64), nn.ReLU()),
            *(nn.Linear(64, 128), nn.ReLU()),
            nn.Linear(128, n_features),
        )
        rows = torch.from_numpy(X.astype(np.float32))
        batches = torch.utils.data.DataLoader(rows, batch_size=128, shuffle=True)
        optimizer = torch.optim.Adam(self.network_.parameters(), lr=1e-3)
        most_steps = 10_000
        for _ in range(min(50, most_steps // len(batches))):
            for batch in batches:
                optimizer.zero_grad()
                nn.functional.mse_loss(self.network_(batch), batch).backward()
                optimizer.step()
        return self

    @torch.no_grad()
    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.network_(torch.from_numpy(X.astype(np.float32))).numpy()


def evaluate(dataset: Dataset, estimator: BaseEstimator) -> dict[str, float]:
    """Fit on the training rows of `dataset`, measure on its held-out rows.

    `estimator` is a transformer with an inverse or a regressor of the rows on
    themselves.
    """
    train, test, train_labels, test_labels = dataset.split()
    is_transformer = hasattr(estimator, "inverse_transform")

    began = time.process_time()
    with warnings.catch_warnings():
        if isinstance(estimator, MLPRegressor):
            warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(train, None if is_transformer else train)
    measured = {
        "cpu_seconds": time.process_time() - began,
        "accuracy": np.nan,
        "trustworthiness": np.nan,
    }

    if is_transformer:
        latent = estimator.transform(test)
        reconstruction = estimator.inverse_transform(latent)
        if dataset.y is not None:
            neighbors = KNeighborsClassifier(5)
            neighbors.fit(estimator.transform(train), train_labels)
            measured["accuracy"] = neighbors.score(latent, test_labels)
        if latent.shape[1] == 2:
            measured["trustworthiness"] = trustworthiness(test[:1000], latent[:1000])
    else:
        reconstruction = estimator.predict(test)
    row_errors = np.sum((test - reconstruction) ** 2, axis=1)
    measured["fvu"] = row_errors.sum() / np.sum((test - train.mean(axis=0)) ** 2)
    measured["largest_row"] = row_errors.max() / row_errors.sum()
    return measured


def run_cell(dataset: Dataset, k: int, peers: bool) -> list[dict[str, object]]:
    """Evaluate every method on one data set with `k` components, PCA first."""
    methods = {
        "PCA": PCA(k, svd_solver="full"),
        OURS: AutoencoderTransformer(k, random_state=0),
    }
    if peers:
        methods["tutorial autoencoder"] = TutorialAutoencoder(k)
        methods["MLPRegressor"] = MLPRegressor(
            hidden_layer_sizes=(64, k, 64), random_state=0
        )

    # The first optimizer of a process imports torch's compiler, which takes a second.
    torch.optim.Adam([torch.zeros(1)])
    rows: list[dict[str, object]] = []
    with threads(1):
        for method, estimator in methods.items():
            measured = evaluate(dataset, estimator)
            rows.append({"set": dataset.name, "k": k, "method": method, **measured})
            if rows[0]["fvu"] < NEGLIGIBLE_FVU:
                break
    return rows


def run(datasets: list[Dataset], jobs: int, peers: bool) -> pd.DataFrame:
    """Evaluate every cell, the largest sets first, and return a row for each method."""
    cells = [
        (dataset, k, peers)
        for dataset in sorted(datasets, key=lambda dataset: -dataset.X.size)
        for k in N_COMPONENTS
        if k < min(int(0.7 * len(dataset.X)), dataset.X.shape[1])
    ]
    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered")
    rows: list[dict[str, object]] = []
    progress = tqdm(
        parallel(delayed(run_cell)(*cell) for cell in cells), total=len(cells)
    )
    for cell_rows in progress:
        rows += cell_rows
        progress.write(_describe(cell_rows))
    frame = pd.DataFrame(rows)
    pca = frame[frame["method"] == "PCA"].set_index(["set", "k"])["fvu"]
    frame["pca_fvu"] = pca.loc[list(zip(frame["set"], frame["k"], strict=True))].array
    frame["ratio"] = frame["fvu"] / frame["pca_fvu"]
    return frame.sort_values(["set", "k"], kind="stable")


def _describe(rows: list[dict[str, object]]) -> str:
    pca, *others = rows
    parts = [f"PCA FVU {pca['fvu']:.4f}"]
    parts += [
        f"{row['method']} x{row['fvu'] / pca['fvu']:.3f} in {row['cpu_seconds']:.2f} s"
        for row in others
    ]
    return f"{pca['set']:<24} k={pca['k']:<3} " + "; ".join(parts)


def report(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables, each with the text to be printed above it."""
    text = (
        "Fraction of variance unexplained on held-out rows, divided by PCA's, by "
        "number of components. Empty: the set has too few columns."
    )
    negligible = frame["pca_fvu"] < NEGLIGIBLE_FVU
    if negligible.any():
        cells = frame.loc[negligible, ["set", "k"]].itertuples(index=False)
        names = ", ".join(f"{name} at {k}" for name, k in cells)
        text += f" Left out, because PCA leaves nothing: {names}."
    frame = frame[~negligible]
    of_one_row = frame[(frame["method"] == "PCA") & (frame["largest_row"] > 0.9)]
    if len(of_one_row):
        text += (
            " A single held-out row makes up more than 90 % of PCA's residual, and so "
            f"decides the ratio, in {', '.join(of_one_row['set'].unique())}."
        )
    ours = frame[frame["method"] == OURS]
    yield text, _by_components(ours, "ratio")

    labelled = frame[frame["accuracy"].notna()]
    if len(labelled):
        yield (
            "Accuracy of a 5-nearest-neighbour classifier on the components, held-out "
            "rows.",
            _by_components(labelled, "accuracy", index=["set", "method"]),
        )
    worst = ours.loc[ours["ratio"].idxmax()]
    yield (
        f"All {len(ours)} cells. The worst of {OURS} is {worst['set']} with "
        f"{worst['k']} components. CPU seconds are those of one thread.",
        pd.DataFrame(
            _summary(method, frame[frame["method"] == method])
            for method in frame["method"].unique()
        ),
    )


def _by_components(
    frame: pd.DataFrame, column: str, index: list[str] | str = "set"
) -> pd.DataFrame:
    return frame.pivot(index=index, columns="k", values=column).reset_index()


def _summary(method: str, rows: pd.DataFrame) -> dict[str, object]:
    ratio = rows["ratio"]
    return {
        "method": method,
        "FVU / PCA's, geometric mean": np.exp(np.log(ratio).mean()),
        "worst": ratio.max(),
        "cells <= 0.9": f"{(ratio <= 0.9).mean():.0%}",
        "cells > 1.001": int((ratio > 1.001).sum()),
        "median fit, CPU s": rows["cpu_seconds"].median(),
        "5-NN accuracy": rows["accuracy"].mean(),
        "trustworthiness": rows["trustworthiness"].mean(),
    }


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="use imputation/*.npz and images/*.npz of FOLDER too",
    )
    parser.add_argument(
        "--sets", metavar="A,B", help="only sets whose name has one of these parts"
    )
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time")
    parser.add_argument(
        "--no-peers", action="store_true", help="only PCA and AutoencoderTransformer"
    )
    options = parser.parse_args()

    datasets = load(options.data)
    if options.sets:
        parts = options.sets.split(",")
        datasets = [d for d in datasets if any(part in d.name for part in parts)]
        if not datasets:
            parser.error(f"no set has one of {parts} in its name")
    frame = run(datasets, options.jobs, peers=not options.no_peers)
    publish("transform_quality", list(report(frame)), options.output)
    if options.output is not None:
        path = options.output / "transform_quality.csv"
        frame.to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
