"""Training methods of autoencoders at equal CPU time.

Every method trains for the same number of seconds on one thread: a short trial tells
how many rounds those are. Nothing is held out, and no plateau ends the training. On
images, dense and convolutional networks are compared with PCA by the fraction of
variance unexplained (FVU) on held-out rows, and by a 5-nearest-neighbour classifier on
the components. On scikit-learn's digits, layer-wise pretraining is compared with joint
training. Last come the memory of convolutions beside the same network in a hand-written
loop, and the cost of a grid search in two processes.

    python benchmarks/training_methods.py
    python benchmarks/training_methods.py --data FOLDER --output docs/measured
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _data import Dataset, load
from _loops import ConvolutionalLayers, train_by_hand
from _measure import alone, cpu_seconds, peak_memory, seconds
from _report import command_line, publish, threads
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from tqdm import tqdm
from transform_quality import evaluate

from skae import AutoencoderTransformer
from skae.networks import ConvolutionalNetwork, DenseNetwork
from skae.noise import GaussianNoise

#: Numbers of components; two can be drawn.
CELLS = {
    "sklearn/digits": (2, 16),
    "images/mnist": (2, 16),
    "images/fashion_mnist": (16,),
}
Section = tuple[str, pd.DataFrame]
#: All rows train, through all rounds.
Autoencoder = partial(
    AutoencoderTransformer, cv=None, tol=0, n_iter_no_change=100_000, random_state=0
)


def layer_by_layer(widths: tuple[int, ...], n_components: int) -> Pipeline:
    """Return autoencoders of one layer each, every one on the codes of the last."""
    layer = partial(Autoencoder, start=None)
    hidden = DenseNetwork((), code_activation="silu")
    return make_pipeline(
        *(layer(width, network=hidden) for width in widths),
        layer(n_components, network=DenseNetwork(())),
    )


def methods(dataset: Dataset, k: int) -> dict[str, BaseEstimator]:
    """Return the methods for images, with networks that suit their size."""
    side = math.isqrt(dataset.X.shape[1])
    widths = (256, 64) if side > 8 else (64, 32)
    dense = DenseNetwork(widths)
    tied = DenseNetwork(widths, tied_weights=True)
    convolutional = ConvolutionalNetwork((side, side))
    textbook = partial(Autoencoder, k, start=None)
    return {
        "joint": textbook(network=dense),
        "joint + noise": textbook(network=dense, noise=GaussianNoise(0.5, unit="std")),
        "tied": textbook(network=tied),
        "layer-wise only": layer_by_layer(widths, k),
        "layer-wise + fine-tuning": textbook(network=dense, pretraining="layerwise"),
        "PCA start": Autoencoder(k, network=dense),
        "tied + PCA start": Autoencoder(k, network=tied),
        "convolutional": textbook(network=convolutional),
        "convolutional + PCA start": Autoencoder(k, network=convolutional),
    }


def with_rounds(estimator: BaseEstimator, rounds: int) -> BaseEstimator:
    names = [name for name in estimator.get_params() if name.endswith("max_iter")]
    return clone(estimator).set_params(**dict.fromkeys(names, rounds))


def fit_seconds(estimator: BaseEstimator, X: np.ndarray) -> float:
    return cpu_seconds(partial(estimator.fit, X))


def rounds_within(budget: float, estimator: BaseEstimator, X: np.ndarray) -> int:
    """Return how many rounds a fit can have in so many CPU seconds, from two trials."""
    one, three = (fit_seconds(with_rounds(estimator, n), X) for n in (1, 3))
    return max(1, round(1 + (budget - one) / max((three - one) / 2, 1e-3)))


def on_images(dataset: Dataset, budget: float) -> Iterator[dict[str, object]]:
    """Yield a row for each number of components and method, PCA first."""
    X = dataset.split()[0]
    ks = CELLS[dataset.name]
    trials = tqdm(methods(dataset, max(ks)).items(), f"{dataset.name}, trials")
    rounds = {name: rounds_within(budget, method, X) for name, method in trials}
    for k in ks:
        pca = evaluate(dataset, PCA(k, svd_solver="full"))
        measured = {"PCA": pca}
        for name, method in tqdm(methods(dataset, k).items(), f"{dataset.name}, {k}"):
            measured[name] = evaluate(dataset, with_rounds(method, rounds[name]))
        for name, values in measured.items():
            yield {
                "images": dataset.name.split("/")[-1],
                "k": k,
                "method": name,
                "FVU": values["fvu"],
                "FVU / PCA's": values["fvu"] / pca["fvu"],
                "5-NN accuracy": values["accuracy"],
                "CPU s": values["cpu_seconds"],
            }


def where_layerwise_pays(repeats: int) -> Iterator[dict[str, object]]:
    """Yield joint training and layer-wise pretraining of the same network on digits."""
    X = np.random.default_rng(0).permutation(load_digits().data / 16)
    test = X[1000:]
    deep = (64, 48, 32, 24, 16)
    networks = [
        DenseNetwork((64, 32)),
        *(DenseNetwork(deep, name) for name in ("silu", "tanh", "logistic")),
    ]
    for n_rows, network in tqdm(list(itertools.product((100, 1000), networks))):
        joint = Autoencoder(8, start=None, network=network, max_iter=40)
        layerwise = clone(joint).set_params(pretraining="layerwise")
        budget = fit_seconds(joint, X[:n_rows])
        layerwise = with_rounds(layerwise, rounds_within(budget, layerwise, X[:n_rows]))
        errors, times = [], []
        for seed in range(repeats):
            fits = [clone(e).set_params(random_state=seed) for e in (joint, layerwise)]
            times.append([fit_seconds(fit, X[:n_rows]) for fit in fits])
            errors.append([1 - fit.score(test) for fit in fits])
        (a, b), (a_seconds, b_seconds) = np.mean(errors, axis=0), np.mean(times, axis=0)
        pca = PCA(8).fit(X[:n_rows])
        residual = test - pca.inverse_transform(pca.transform(test))
        yield {
            "rows": n_rows,
            "hidden layers": "-".join(map(str, network.hidden_layer_sizes)),
            "activation": network.activation,
            "PCA": np.sum(residual**2) / np.sum((test - pca.mean_) ** 2),
            "joint": a,
            "layer-wise + fine-tuning": b,
            "ratio": b / a,
            "joint, CPU s": a_seconds,
            "layer-wise, CPU s": b_seconds,
        }


STEPS = 188


def images_of_noise() -> np.ndarray:
    """Return as many images as make a round of `STEPS` steps."""
    return np.random.default_rng(0).random((4_000, 784), dtype=np.float32)


def one_round_by_hand(X: np.ndarray) -> None:
    train_by_hand(ConvolutionalLayers(16), X, batch_size=64, n_steps=STEPS)


def one_round(X: np.ndarray) -> None:
    network = ConvolutionalNetwork((28, 28))
    Autoencoder(16, start=None, network=network, max_iter=1).fit(X)


LOOPS = {"hand-written loop": one_round_by_hand, "AutoencoderTransformer": one_round}


def measure_memory(loop: str) -> dict[str, float]:
    """Return the peak of memory, and what training adds to it, in megabytes."""
    X = images_of_noise()
    torch.optim.Adam([torch.zeros(1)])  # its imports are not measured
    with threads(1):
        before = peak_memory()
        LOOPS[loop](X)
    return {"peak": peak_memory(), "added": peak_memory() - before}


def memory_of_convolutions() -> Iterator[dict[str, object]]:
    memory = {loop: alone(measure_memory, loop) for loop in LOOPS}
    reference = next(iter(LOOPS))
    for loop in LOOPS:
        yield {
            "loop": loop,
            "peak memory, MB": memory[loop]["peak"],
            "of it training, MB": memory[loop]["added"],
            "peak / hand-written": memory[loop]["peak"] / memory[reference]["peak"],
        }


def grid_search(n_jobs: int) -> float:
    """Return the seconds of a search, the start of its processes included."""
    grid = {"hidden_layer_sizes": [(256,), (256, 64)], "batch_size": [32, 64]}
    X = images_of_noise()[:2_000]
    search = GridSearchCV(
        Autoencoder(16, max_iter=5), grid, cv=3, n_jobs=n_jobs, refit=False
    )
    return seconds(partial(search.fit, X))


def cost_of_searches(repeats: int) -> Iterator[dict[str, object]]:
    times = [[grid_search(n_jobs) for n_jobs in (1, 2)] for _ in range(repeats)]
    one, two = np.median(times, axis=0)
    yield {"n_jobs": 1, "s": one, "time / n_jobs=1": 1.0}
    yield {"n_jobs": 2, "s": two, "time / n_jobs=1": two / one}


def images_section(datasets: list[Dataset], budget: float) -> Section:
    with threads(1):
        rows = [row for dataset in datasets for row in on_images(dataset, budget)]
    return (
        "Images, one thread: fraction of variance unexplained (FVU) on held-out rows, "
        "accuracy of a 5-nearest-neighbour classifier on the components, and CPU "
        f"seconds of a fit whose number of rounds is set for {budget:g}.",
        pd.DataFrame(rows),
    )


def layerwise_section(repeats: int) -> Section:
    with threads(1):
        rows = list(where_layerwise_pays(repeats))
    return (
        "Rows of scikit-learn's digits with 8 components, one thread: FVU on held-out "
        "rows of PCA, after joint training of 40 rounds, and after layer-wise "
        "pretraining and fine-tuning in about the same CPU time, the means over "
        f"{repeats} initial weights.",
        pd.DataFrame(rows),
    )


def convolutions_section() -> Section:
    return (
        "Training of ConvolutionalNetwork((28, 28)) on 4,000 images, one thread, "
        "beside the same network in a hand-written loop: memory of a process with all "
        "imports.",
        pd.DataFrame(memory_of_convolutions()),
    )


def searches_section(repeats: int) -> Section:
    return (
        "Grid search of 12 fits to 2,000 rows of 784 columns: wall time, the start of "
        f"the processes included, the median of {repeats} searches.",
        pd.DataFrame(cost_of_searches(repeats)),
    )


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="use images/*.npz of FOLDER, instead of scikit-learn's digits",
    )
    parser.add_argument(
        "--seconds", type=float, default=15, help="CPU seconds of a fit on images"
    )
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    folder = "sklearn/" if options.data is None else "images/"
    datasets = [d for d in load(options.data) if d.name.startswith(folder)]
    torch.optim.Adam([torch.zeros(1)])  # imports torch's compiler, which takes a second
    # On Linux a process inherits the peak of memory of the one that it comes from, so
    # memory is measured while this one is small.
    convolutions = convolutions_section()
    sections = [
        images_section([d for d in datasets if d.name in CELLS], options.seconds),
        layerwise_section(options.repeats),
        convolutions,
        searches_section(options.repeats),
    ]
    publish("training_methods", sections, options.output)


if __name__ == "__main__":
    main()
