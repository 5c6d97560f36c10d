"""The global expert: networks predict features of a row from its other features."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from skae._tables import map_blocks, row_blocks
from skae._training import (
    Folds,
    HiddenFeaturesObjective,
    History,
    Watch,
    train,
    unwatched,
)
from skae.estimators.detector._expert import Expert
from skae.estimators.detector._robust_scaling import deviation, spread_or
from skae.estimators.detector._surprise import Surprise
from skae.losses import LOSSES
from skae.networks import Network
from skae.noise import Noise, without_gaps

_BLOCKS = 4
_LEAST_VARIANCE = 1e-4  # of a feature that is predicted exactly; standardised: 1


class MaskedAutoencoder(nn.Module):
    """A network that sees the visible features of a row, and which ones these are.

    For judging a row, the features are dealt into blocks, anew for each member; a block
    is predicted from those before it and the first from nothing. So a row is judged on
    every feature once, given some, many or none of the others, which adds up to its
    joint plausibility. A bottleneck is not needed: what is hidden cannot be copied.
    """

    def __init__(
        self,
        network: nn.Module,
        n_features: int,
        members: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.network = network
        network.zero_output_()
        n_blocks = min(_BLOCKS, n_features)
        # float32 whatever torch's default is.
        draws = torch.empty(members, n_features, dtype=torch.float32)
        orders = draws.uniform_(generator=generator).argsort(dim=1)
        blocks = orders * n_blocks // n_features
        hidden = torch.stack([blocks == block for block in range(n_blocks)])
        visible = torch.stack([blocks < block for block in range(n_blocks)])
        self.register_buffer("hidden", hidden[:, :, None].double())
        self.register_buffer("visible", visible[:, :, None].double())

    def forward(
        self, batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
    ) -> dict[str, torch.Tensor]:
        x, visible = batch["input"], batch["visible"]
        seen = x * visible
        seen = torch.cat([seen, visible.expand_as(seen)], dim=-1)
        return self.network({"input": seen}, generator)

    def expect(self, x: torch.Tensor) -> torch.Tensor:
        """Return every feature as it is predicted from the blocks before its own."""
        nothing = torch.zeros_like(self.visible[0])
        output = self({"input": nothing, "visible": nothing})["output"]
        expected = (self.hidden[0] * output).repeat(1, x.shape[-2], 1)
        for visible, hidden in zip(self.visible[1:], self.hidden[1:], strict=True):
            output = self({"input": x, "visible": visible})["output"]
            expected.addcmul_(hidden, output)
        return expected


class MaskedNetwork(Expert):
    """Surprise at each feature given others, under an ensemble of masked networks.

    The error is the mean over the ensemble of ``log(1 + r**2 / v)``, where ``r`` is the
    residual of a feature and ``v`` its mean square on the core. Up to a constant that
    is minus the log-likelihood of a heavy-tailed residual, so that one feature that is
    far off does not silence all others.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training rows.
    core : ndarray of int
        Rows that the networks train on.
    reference : ndarray of int
        Rows that errors are compared with.
    spread : ndarray of shape (n_features,)
        Stands in for the standard deviation of a column that is constant in the core.
    max_samples : float
        Share of the core that each network trains on.
    watch : callable
        Runs every round of the training, as in :func:`skae.training.train`, and can ask
        for this expert as if the training ended there.
    **settings
        Of :func:`skae.training.train`.

    Attributes
    ----------
    module : MaskedAutoencoder
    history : list of dict
    """

    def __init__(
        self,
        X: np.ndarray,
        core: np.ndarray,
        reference: np.ndarray,
        spread: np.ndarray,
        *,
        network: Network,
        n_estimators: int,
        max_samples: float,
        noise: Noise | None,
        generator: torch.Generator,
        watch: Watch = unwatched,
        **settings: Any,
    ) -> None:
        n_features = X.shape[1]
        self.mean, self.scale = _standardisation(X, core, spread)
        stack = network.build(
            (2 * n_features,),
            (n_features,),
            members=n_estimators,
            generator=generator,
        )
        self.module = MaskedAutoencoder(stack, n_features, n_estimators, generator)
        inputs = self._training_tensor(X, core)
        corruption = None
        if noise is not None:
            corruption = without_gaps(noise).corruption(
                inputs, self._inputs(np.zeros(n_features))[0]
            )

        def watch_expert(run: Callable[[], None], so_far: Callable[[], History]) -> Any:
            def expert() -> MaskedNetwork:
                history = so_far()
                return copy.deepcopy(self)._conclude(X, core, reference, history)

            return watch(run, expert)

        history = train(
            self.module,
            HiddenFeaturesObjective(LOSSES["squared_error"], corruption),
            {"input": inputs, "target": inputs},
            _subsamples(len(core), n_estimators, max_samples, generator),
            generator=generator,
            watch=watch_expert,
            **settings,
        )
        self._conclude(X, core, reference, history)

    def _conclude(
        self, X: np.ndarray, core: np.ndarray, reference: np.ndarray, history: History
    ) -> MaskedNetwork:
        """Measure the errors of the networks, which are trained no further."""
        self.history = history
        self.module.eval().requires_grad_(False)
        self.variance = self._variance(X, np.intersect1d(core, reference))
        errors = map_blocks(self.errors, X[reference], X.shape[1], dtype=np.float64)
        self.surprise = Surprise(errors.sum(axis=1))
        return self

    def errors(self, X: np.ndarray) -> np.ndarray:
        squared = self._residual(X).square()
        return squared.div_(self.variance).log1p_().mean(dim=0).numpy()

    def reconstruct(self, X: np.ndarray) -> np.ndarray:
        """Return what the networks expect on average, in the units of X."""
        expected = self.module.expect(self._inputs(X)).mean(dim=0).numpy()
        return expected * self.scale + self.mean

    def _residual(self, X: np.ndarray) -> torch.Tensor:
        x = self._inputs(X)
        return self.module.expect(x) - x

    def _inputs(self, X: np.ndarray) -> torch.Tensor:
        return torch.from_numpy((X - self.mean) / self.scale)[None]

    def _training_tensor(self, X: np.ndarray, core: np.ndarray) -> torch.Tensor:
        inputs = np.empty((len(core), X.shape[1]), dtype=np.float32)
        for rows in row_blocks(*inputs.shape):
            inputs[rows] = (X[core[rows]] - self.mean) / self.scale
        return torch.from_numpy(inputs)

    def _variance(self, X: np.ndarray, rows: np.ndarray) -> torch.Tensor:
        """Mean squared residual of every member and feature."""
        total = sum(
            self._residual(X[rows[block]]).square().sum(dim=1, keepdim=True)
            for block in row_blocks(len(rows), X.shape[1])
        )
        return total / len(rows) + _LEAST_VARIANCE


def _standardisation(
    X: np.ndarray, core: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    columns = [column[core].astype(np.float64) for column in X.T]
    # Of equal values, the mean may be another by rounding.
    mean = np.array([np.clip(c.mean(), c.min(), c.max()) for c in columns])
    sd = np.array([deviation(column) for column in columns])
    return mean, spread_or(sd, spread)


def _subsamples(
    n_rows: int, members: int, share: float, generator: torch.Generator
) -> Folds:
    """Rows of each member, drawn without replacement; none are held out."""
    n_drawn = max(round(share * n_rows), 1)
    drawn = [
        torch.randperm(n_rows, generator=generator)[:n_drawn].numpy()
        for _ in range(members)
    ]
    return Folds(drawn, [drawn[0][:0]] * members)
