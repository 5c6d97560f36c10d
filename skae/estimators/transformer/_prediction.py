"""From features to components and back: what a fitted autoencoder predicts with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from skae._tables import Coordinates
from skae.losses import Loss
from skae.networks import Autoencoder


@dataclass(frozen=True)
class Codec:
    """A trained module between the coordinates of a table and public components.

    Attributes
    ----------
    coordinates : Coordinates
    latent_scale : ndarray of shape (n_components,)
        Unit of each component; the module's own codes are in units of one.
    loss : Loss
    module : Autoencoder
        Of one member.
    """

    coordinates: Coordinates
    latent_scale: np.ndarray
    loss: Loss
    module: Autoencoder

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """Return the components of rows of features."""
        x = torch.from_numpy(self.coordinates.transform(rows))
        return self.module.encode(x[None])[0].numpy() * self.latent_scale

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the features of rows of components."""
        z = torch.from_numpy(codes / self.latent_scale)
        output = self.loss.link(self.module.decode(z[None])[0])
        return self.coordinates.inverse_transform(output.numpy())

    def reconstruct(self, rows: np.ndarray) -> np.ndarray:
        """Return what the components keep of rows of features."""
        return self.decode(self.encode(rows))

    def residuals(self, rows: np.ndarray) -> np.ndarray:
        """Return what the components do not keep of rows of features."""
        return rows - self.reconstruct(rows)
