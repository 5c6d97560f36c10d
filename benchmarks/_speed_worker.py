"""What `speed.py` measures, in a process that imports one tree's package.

It is a program of its own: it reads a line of JSON, the name of a measurement and its
arguments, writes a line with what was measured, and waits for the next.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from _data import Dataset, curved_rows, hide, load, load_outliers
from _detectors import PYOD_AUTOENCODER, make_detectors
from _loops import ConvolutionalLayers, DenseLayers, MatrixProducts, train_by_hand
from _measure import cpu_seconds, seconds
from _report import threads
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from torch import nn

import skae
from skae.networks import ConvolutionalNetwork
from skae.noise import GaussianNoise

Fit = Callable[[], object]
STEPS = 150  # of a loop by hand


@dataclass(frozen=True)
class Case:
    """A fit of an estimator, and one of what it takes the place of, to the same rows.

    Where the peer is not installed, there is none.
    """

    estimator: str
    rows: str
    X: np.ndarray
    fit: Fit
    peer: str
    fit_peer: Fit | None

    @property
    def label(self) -> str:
        return f"{self.estimator} {self.rows}"


def transformer_case(rows: str, X: np.ndarray) -> Case:
    k = min(8, X.shape[1] // 2)
    ours = skae.AutoencoderTransformer(k, random_state=0)
    peer = PCA(k, random_state=0)
    return Case(
        "AutoencoderTransformer", rows, X, partial(ours.fit, X), "PCA",
        partial(peer.fit, X),
    )  # fmt: skip


def imputer_case(rows: str, X: np.ndarray) -> Case:
    X = hide(X.copy(), share=0.3)
    ours = skae.DenoisingImputer(random_state=0)
    trees = ExtraTreesRegressor(20, random_state=0)
    peer = IterativeImputer(trees, max_iter=4, random_state=0)
    return Case(
        "DenoisingImputer", rows, X, partial(ours.fit, X),
        "IterativeImputer with trees", partial(peer.fit, X),
    )  # fmt: skip


def detector_case(rows: str, X: np.ndarray) -> Case:
    ours = skae.ReconstructionOutlierDetector(random_state=0)
    peer = make_detectors(0, X.shape[1]).get(PYOD_AUTOENCODER)
    return Case(
        "ReconstructionOutlierDetector", rows, X, partial(ours.fit, X),
        PYOD_AUTOENCODER, None if peer is None else partial(peer.fit, X),
    )  # fmt: skip


def denoiser_case(dataset: Dataset) -> Case:
    X = dataset.X[:5_000].astype(np.float32)
    side = round(X.shape[1] ** 0.5)
    noise = 0.1 * np.random.default_rng(0).standard_normal(X.shape, dtype=np.float32)
    network = ConvolutionalNetwork((side, side))
    ours = skae.DenoisingTransformer(
        noise=GaussianNoise(0.1), network=network, random_state=0
    )
    return Case(
        "DenoisingTransformer", dataset.name, X, partial(ours.fit, X),
        "Ridge", partial(Ridge(10).fit, X + noise, X),
    )  # fmt: skip


def small_and_middle(datasets: list[Dataset]) -> list[Dataset]:
    """Return the smallest set and the one in the middle, by the number of values."""
    by_size = sorted(datasets, key=lambda dataset: dataset.X.size)
    return [by_size[0], by_size[len(by_size) // 2]]


def make_cases(folder: Path | None) -> Iterator[Case]:
    """Yield the cases, those of each estimator with the smallest first.

    The sets are those of a folder or scikit-learn's; synthetic tables are in any case.
    """
    of_sklearn = folder is None
    datasets = [
        dataset
        for dataset in load(folder)
        if dataset.name.startswith("sklearn/") == of_sklearn
    ]
    tables = small_and_middle([d for d in datasets if not d.is_image])
    images = [dataset for dataset in datasets if dataset.is_image][-1:]
    outliers = small_and_middle(load_outliers(folder))

    for dataset in tables:
        yield transformer_case(dataset.name, dataset.split()[0])
    yield transformer_case("5,000 x 20", curved_rows(5_000, 20))
    for dataset in images:
        yield transformer_case(dataset.name, dataset.split()[0])
    for dataset in tables:
        yield imputer_case(dataset.name, dataset.split()[0])
    yield imputer_case("3,000 x 20", curved_rows(3_000, 20))
    for dataset in outliers:
        yield detector_case(dataset.name, dataset.X)
    yield detector_case("5,000 x 20", curved_rows(5_000, 20))
    for dataset in images:
        yield denoiser_case(dataset)


def warm_up() -> None:
    """Let this process import and compile what is needed at first.

    The first optimizer of torch alone imports a compiler, which takes a second.
    """
    X = curved_rows(50, 16)
    train_by_hand(DenseLayers((16, 8, 2, 8, 16)), X.astype(np.float32), 10, n_steps=5)
    cases = [transformer_case("", X), imputer_case("", X), detector_case("", X)]
    for case in [*cases, denoiser_case(Dataset("", X))]:
        case.fit()
        if case.fit_peer is not None:
            case.fit_peer()


@dataclass(frozen=True)
class Network:
    """A network that the package and others train, with mean squared error and Adam.

    Attributes
    ----------
    n_rows, n_features : int
    batch_size : int
    make : callable
        Makes the modules of the network.
    parameters : dict
        What an AutoencoderTransformer is given to have it.
    sizes : tuple of int
        Widths of its dense layers; none of convolutions.
    """

    n_rows: int
    n_features: int
    batch_size: int
    make: Callable[[], nn.Module]
    parameters: dict[str, object]
    sizes: tuple[int, ...] = field(default=())

    def rows(self) -> np.ndarray:
        rng = np.random.default_rng(0)
        return rng.standard_normal((self.n_rows, self.n_features), dtype=np.float32)


def dense(n_features: int, n_hidden: int, code: int, batch_size: int) -> Network:
    sizes = (n_features, n_hidden, code, n_hidden, n_features)
    return Network(
        12_800, n_features, batch_size, partial(DenseLayers, sizes),
        {"n_components": code, "hidden_layer_sizes": (n_hidden,)}, sizes,
    )  # fmt: skip


NETWORKS = {
    "64-64-16-64-64, batch 128": dense(64, 64, 16, batch_size=128),
    "784-256-32-256-784, batch 256": dense(784, 256, 32, batch_size=256),
    "convolutions of 28 x 28, batch 64": Network(
        1_280, 784, 64, partial(ConvolutionalLayers, 16),
        {"n_components": 16, "network": ConvolutionalNetwork((28, 28))},
    ),
}  # fmt: skip


class Measurements:
    """Everything that can be asked for."""

    def __init__(self, folder: Path | None) -> None:
        self._cases = {case.label: case for case in make_cases(folder)}

    def package(self) -> str:
        """Return which package this process has imported."""
        return skae.__file__

    def cases(self) -> list[dict[str, object]]:
        return [
            {
                "label": case.label,
                "estimator": case.estimator,
                "rows": case.rows,
                "shape": case.X.shape,
                "peer": case.peer if case.fit_peer else None,
            }
            for case in self._cases.values()
        ]

    def table(self, label: str) -> list[list[float]]:
        return self._cases[label].X.tolist()

    def networks(self) -> list[str]:
        return list(NETWORKS)

    def fit(self, label: str) -> float:
        with threads(1):
            return cpu_seconds(self._cases[label].fit)

    def fit_peer(self, label: str) -> float:
        with threads(1):
            return cpu_seconds(self._cases[label].fit_peer)

    def step(self, name: str, members: int, n_threads: int) -> float:
        """Return what a step of AutoencoderTransformer takes each member.

        It is fitted as a user would fit it: with ``cv=3``, four networks (members) are
        trained together. Their steps have a share of the time of the whole fit.
        """
        network = NETWORKS[name]
        X = network.rows()
        estimator = skae.AutoencoderTransformer(
            **network.parameters,
            start=None,
            noise=None,
            batch_size=network.batch_size,
            cv=None if members == 1 else members - 1,  # one more is fitted on all rows
            max_iter=1,
            random_state=0,
        )
        began = time.perf_counter()
        taken = _timed(partial(estimator.fit, X), n_threads)
        elapsed = time.perf_counter() - began
        training = sum(entry["duration"] for entry in estimator.history_)
        steps = sum(entry["steps"] for entry in estimator.history_)
        return taken * training / elapsed / steps / members

    def step_by_hand(self, name: str, n_threads: int) -> float:
        network = NETWORKS[name]
        loop = partial(
            train_by_hand, network.make(), network.rows(), network.batch_size, STEPS
        )
        return _timed(loop, n_threads) / STEPS

    def step_of_products(self, name: str, members: int, n_threads: int) -> float | None:
        """Return what the matrix products of a step take each member."""
        network = NETWORKS[name]
        if not network.sizes:
            return None
        products = MatrixProducts(network.sizes, members, network.batch_size)
        products.run(n_steps=10)
        return _timed(partial(products.run, STEPS), n_threads) / STEPS / members

    def step_of_perceptron(self, name: str, n_threads: int) -> float | None:
        """Return what a step of scikit-learn's perceptron takes (ReLU: no SiLU)."""
        network = NETWORKS[name]
        if not network.sizes:
            return None
        X = network.rows()
        model = MLPRegressor(
            hidden_layer_sizes=network.sizes[1:-1],
            batch_size=network.batch_size,
            random_state=0,
        )
        taken = _timed(partial(model.partial_fit, X, X), n_threads)
        return taken / -(-len(X) // network.batch_size)


def _timed(action: Callable[[], object], n_threads: int) -> float:
    """Return CPU seconds on one thread; threads share a step, so else wall time."""
    with threads(n_threads):
        return cpu_seconds(action) if n_threads == 1 else seconds(action)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    warnings.simplefilter("ignore")
    measurements = Measurements(folder)
    warm_up()
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        with redirect_stdout(sys.stderr):
            answer = getattr(measurements, name)(*arguments)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
