"""The coordinates in which a network sees a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from skae._blocks import row_blocks
from skae.losses import Loss
from skae.starts import LinearStart, PrincipalComponents


class Coordinates:
    """Centred, perhaps projected, and divided by one number for the whole table.

    One number, and not one a column: columns keep their weight in the error, as in PCA.

    Parameters
    ----------
    mean : ndarray of shape (n_features,)
    scale : float
    basis : ndarray of shape (n_coordinates, n_features) or None
        Orthonormal rows to project on; None leaves the features as they are.
    """

    def __init__(
        self, mean: np.ndarray, scale: float, basis: np.ndarray | None = None
    ) -> None:
        self.mean = mean
        self.scale = scale if scale > 0 else 1.0
        self.basis = basis

    @property
    def n_coordinates(self) -> int:
        return len(self.mean if self.basis is None else self.basis)

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the coordinates of rows of features."""
        centred = (X - self.mean) / self.scale
        return centred if self.basis is None else centred @ self.basis.T

    def inverse_transform(self, Y: np.ndarray) -> np.ndarray:
        """Return the features of rows of coordinates."""
        centred = Y if self.basis is None else Y @ self.basis
        return centred * self.scale + self.mean

    def training_tensor(self, X: np.ndarray) -> torch.Tensor:
        """Return the coordinates of all rows in float32, the precision of training."""
        inputs = np.empty((len(X), self.n_coordinates), dtype=np.float32)
        mean = self.mean.astype(X.dtype)
        scale = X.dtype.type(max(self.scale, np.finfo(X.dtype).tiny))
        f32 = np.float32
        basis = None if self.basis is None else self.basis.T.astype(f32)
        for rows in row_blocks(*X.shape):
            centred = X[rows] - mean
            centred /= scale
            if basis is None:
                inputs[rows] = centred
            else:
                np.matmul(centred.astype(f32, copy=False), basis, out=inputs[rows])
        return torch.from_numpy(inputs)


def choose_coordinates(
    X: np.ndarray, start: PrincipalComponents | None, n_components: int, loss: Loss
) -> Coordinates:
    """Coordinates that are cheap for a dense network and mean the same to the loss.

    A dense network and Gaussian noise do not mind a rotation. Where the loss does not
    either, the components that hardly count are left out.
    """
    if loss.unit_interval:
        return Coordinates(np.zeros(X.shape[1]), 1.0)
    if start is None:
        variance = X.var(axis=0, dtype=np.float64)
        return Coordinates(X.mean(axis=0, dtype=np.float64), np.sqrt(variance.mean()))
    scale = np.sqrt(start.explained_variance_.sum() / X.shape[1])
    if not loss.rotation_invariant:
        return Coordinates(start.mean_, scale)
    n_coordinates = start.n_coordinates_for(n_components)
    return Coordinates(start.mean_, scale, start.components_[:n_coordinates])


def member_starts(
    start: PrincipalComponents,
    n_components: int,
    coordinates: Coordinates,
    inputs: torch.Tensor,
    training: Sequence[np.ndarray],
) -> LinearStart:
    """PCA of the rows of each member; of all rows for the last one, which is kept.

    Of `training`, the rows of each member, only those of fold members are looked at: a
    single split compares with the PCA of the whole table, which costs no second fit.
    """
    whole = start.in_coordinates(coordinates.basis, coordinates.scale)
    parts = (inputs[torch.from_numpy(rows)] for rows in training[:-1])
    starts = [PrincipalComponents().fit(part.double().numpy()) for part in parts]
    return LinearStart([*starts, whole], n_components)
