"""Cost of one optimizer step of AutoencoderTransformer, beside other training loops.

All train the same network on the same rows with mean squared error and Adam, and are
timed by the wall clock. The estimator is fitted as a user would fit it: with `cv=4`,
five networks (members) are trained together, with `cv=9` ten. The hand-written loop is
what one would write without the package: a module of linear layers, fused Adam and
batches gathered from memory, run once for each member. Its runs and the estimator's
take turns, and every number is a median over the repeats. Two threads need an idle
machine: next to other work they wait for each other, and even the ratios mean nothing.

    python benchmarks/engine_speed.py
    python benchmarks/engine_speed.py --output docs/measured
"""

from __future__ import annotations

import itertools
import math
import os
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from _report import command_line, publish, threads
from sklearn.neural_network import MLPRegressor
from skorch import NeuralNetRegressor
from torch import nn
from tqdm import tqdm

from skae import AutoencoderTransformer

MICROSECONDS = 1e6
N_ROWS = 12_800
HAND_WRITTEN = "hand-written loop"


@dataclass(frozen=True)
class Shape:
    """A symmetric autoencoder with one hidden layer on each side."""

    n_features: int
    n_hidden: int
    n_components: int
    batch_size: int

    @property
    def sizes(self) -> tuple[int, ...]:
        hidden = (self.n_hidden, self.n_components, self.n_hidden)
        return (self.n_features, *hidden, self.n_features)

    def __str__(self) -> str:
        return f"{'-'.join(map(str, self.sizes))}, batch {self.batch_size}"


SHAPES = (Shape(64, 64, 16, batch_size=128), Shape(784, 256, 32, batch_size=256))


class Network(nn.Sequential):
    """Linear layers with SiLU between them, none at the bottleneck and the output."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        inputs, hidden, bottleneck = sizes[:3]
        super().__init__(
            *(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, bottleneck)),
            *(nn.Linear(bottleneck, hidden), nn.SiLU(), nn.Linear(hidden, inputs)),
        )


def train_estimator(
    X: np.ndarray, shape: Shape, members: int
) -> tuple[float, float, int]:
    """Return seconds a step and member, in training and in all of `fit`, and steps."""
    rounds = 2
    estimator = AutoencoderTransformer(
        shape.n_components,
        hidden_layer_sizes=(shape.n_hidden,),
        start=None,
        noise=None,
        batch_size=shape.batch_size,
        cv=None if members == 1 else members - 1,  # one more is fitted on all rows
        max_iter=rounds,
        n_iter_no_change=rounds,
        tol=0,
        random_state=0,
    )
    began = time.perf_counter()
    estimator.fit(X)
    fit_seconds = time.perf_counter() - began
    training_seconds = sum(entry["duration"] for entry in estimator.history_)
    steps = sum(entry["steps"] for entry in estimator.history_)
    return training_seconds / steps / members, fit_seconds / steps / members, steps


def train_by_hand(X: np.ndarray, shape: Shape, steps: int) -> float:
    """Return the seconds a step of a loop without any package takes."""
    rows = torch.from_numpy(X)
    network = Network(shape.sizes)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    steps_per_pass = math.ceil(len(rows) / shape.batch_size)
    began = time.perf_counter()
    for step in range(steps):
        if step % steps_per_pass == 0:
            batches = torch.randperm(len(rows)).split(shape.batch_size)
        batch = rows[batches[step % steps_per_pass]]
        optimizer.zero_grad()
        nn.functional.mse_loss(network(batch), batch).backward()
        optimizer.step()
    return (time.perf_counter() - began) / steps


def train_with_skorch(X: np.ndarray, shape: Shape, passes: int) -> float:
    """Return the seconds a step of skorch's loop and default data loader takes."""
    net = NeuralNetRegressor(
        Network,
        module__sizes=shape.sizes,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        batch_size=shape.batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).initialize()
    began = time.perf_counter()
    net.partial_fit(X, X, epochs=passes)
    steps = passes * math.ceil(len(X) / shape.batch_size)
    return (time.perf_counter() - began) / steps


def train_with_mlp(X: np.ndarray, shape: Shape, passes: int) -> float:
    """Return the seconds a step of scikit-learn's perceptron takes (ReLU: no SiLU)."""
    model = MLPRegressor(
        hidden_layer_sizes=shape.sizes[1:-1],
        batch_size=shape.batch_size,
        random_state=0,
    )
    began = time.perf_counter()
    for _ in range(passes):
        model.partial_fit(X, X)
    steps = passes * math.ceil(len(X) / shape.batch_size)
    return (time.perf_counter() - began) / steps


def measure(shape: Shape, members: int, repeats: int) -> list[dict[str, object]]:
    """Return a row of the table for each loop, the hand-written one first."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_ROWS, shape.n_features), dtype=np.float32)
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeats + 1):
        training, fit, steps = train_estimator(X, shape, members)
        by_hand = [train_by_hand(X, shape, steps) for _ in range(members)]
        seconds[HAND_WRITTEN].append(float(np.mean(by_hand)))
        seconds["AutoencoderTransformer"].append(training)
        seconds["AutoencoderTransformer, all of fit"].append(fit)
        if members == 1:
            seconds["skorch"].append(train_with_skorch(X, shape, passes=2))
            seconds["MLPRegressor"].append(train_with_mlp(X, shape, passes=2))

    # The first repeat warms up: it pays for imports and allocations.
    by_loop = {loop: np.array(values[1:]) for loop, values in seconds.items()}
    return [
        {
            "network": str(shape),
            "members": members,
            "loop": loop,
            "microseconds": round(MICROSECONDS * np.median(values)),
            "/ hand-written": np.median(values / by_loop[HAND_WRITTEN]),
        }
        for loop, values in by_loop.items()
    ]


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    if os.getloadavg()[0] + options.threads > os.cpu_count() + 0.5:
        print("The machine is busy: wait, or measure with --threads 1.")

    rows: list[dict[str, object]] = []
    progress = tqdm(list(itertools.product(SHAPES, (1, 5, 10))))
    with threads(options.threads):
        for shape, members in progress:
            measured = measure(shape, members, options.repeats)
            rows += measured
            for row in measured:
                progress.write(
                    f"{shape}; {members} members; {row['loop']}: "
                    f"{row['microseconds']} us, x{row['/ hand-written']:.2f}"
                )
    text = (
        "Wall time of one optimizer step and member, the median of "
        f"{options.repeats} repeats, with {options.threads} threads; the ratio is the "
        "median over pairs of runs one after the other."
    )
    publish("engine_speed", [(text, pd.DataFrame(rows))], options.output)


if __name__ == "__main__":
    main()
