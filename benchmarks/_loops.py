"""Training without the package, and the least that any training has to compute."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import nn


class DenseLayers(nn.Sequential):
    """Linear layers with SiLU between them, none at the code and at the output."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        inputs, hidden, code = sizes[:3]
        super().__init__(
            *(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, code)),
            *(nn.Linear(code, hidden), nn.SiLU(), nn.Linear(hidden, inputs)),
        )


class ConvolutionalLayers(nn.Sequential):
    """The layers of ``ConvolutionalNetwork((28, 28))``, for rows of pixels."""

    def __init__(self, code: int) -> None:
        super().__init__(
            *(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 8, 4, 2, 1), nn.SiLU()),
            *(nn.Conv2d(8, 16, 4, 2, 1), nn.SiLU()),
            *(nn.Flatten(), nn.Linear(784, 128), nn.SiLU(), nn.Linear(128, code)),
            *(nn.Linear(code, 128), nn.SiLU(), nn.Linear(128, 784), nn.SiLU()),
            *(nn.Unflatten(1, (16, 7, 7)), nn.ConvTranspose2d(16, 8, 4, 2, 1)),
            *(nn.SiLU(), nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Flatten()),
        )


def train_by_hand(
    network: nn.Module, X: np.ndarray, batch_size: int, n_steps: int
) -> None:
    """Train as one would without the package: batches gathered from memory."""
    rows = torch.from_numpy(X)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    batches: list[torch.Tensor] = []
    for _ in range(n_steps):
        if not batches:
            batches = list(torch.randperm(len(rows)).split(batch_size))
        batch = rows[batches.pop()]
        optimizer.zero_grad()
        nn.functional.mse_loss(network(batch), batch).backward()
        optimizer.step()


class MatrixProducts:
    """The matrix products of a step of dense layers, and nothing else.

    They are the outputs of every layer, the gradients of its weights and, but for the
    first layer, those of its inputs.
    """

    def __init__(self, sizes: tuple[int, ...], members: int, batch_size: int) -> None:
        self._products = []
        for layer, (n_inputs, n_outputs) in enumerate(pairwise(sizes)):
            inputs = torch.rand(members, batch_size, n_inputs)
            weights = torch.rand(members, n_inputs, n_outputs)
            outputs = torch.empty(members, batch_size, n_outputs)
            self._products += [
                (inputs, weights, outputs),
                (inputs.mT, outputs, torch.empty_like(weights)),
            ]
            if layer > 0:
                self._products.append((outputs, weights.mT, torch.empty_like(inputs)))

    def run(self, n_steps: int) -> None:
        for _ in range(n_steps):
            for left, right, product in self._products:
                torch.bmm(left, right, out=product)
