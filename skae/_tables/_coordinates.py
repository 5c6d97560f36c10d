"""The coordinates in which a network sees a table."""

from __future__ import annotations

import numpy as np
import torch

from skae._tables._blocks import row_blocks


class Coordinates:
    """Centred, perhaps projected, and divided by one number for the whole table.

    One number, and not one a column: columns keep their weight in the error, as in PCA.

    Parameters
    ----------
    mean : ndarray of shape (n_features,) or (1,)
        One number for all features is allowed without a basis.
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

    def moved_to(self, mean: np.ndarray) -> Coordinates:
        """Return the same coordinates, with all that they leave out at another mean."""
        if self.basis is None:
            return self
        left_out = mean - self.inverse_transform(self.transform(mean))
        return Coordinates(self.mean + left_out, self.scale, self.basis)

    def training_tensor(self, X: np.ndarray) -> torch.Tensor:
        """Return the coordinates of all rows in float32, the precision of training."""
        n_coordinates = X.shape[1] if self.basis is None else len(self.basis)
        inputs = np.empty((len(X), n_coordinates), dtype=np.float32)
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
