"""What a transformer starts from: PCA, random weights or another fit."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np
import torch

from skae._starts import PrincipalComponents, linear_maps
from skae._tables import Coordinates
from skae.estimators.transformer._module import FineTuned, Residual
from skae.estimators.transformer._prediction import Codec
from skae.losses import Loss
from skae.networks import Autoencoder, Network
from skae.noise import Corruption, Noise

_FADE_ROWS = 20_000  # enough rows for a quantile of 99.9 %


class FromPCA:
    """The network adds to PCA, begins at zero and is kept as far as it is of use.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training rows.
    n_components : int or float
        Their number, or a share of the variance.
    network : Network
        What adds to PCA.
    rotated : bool
        Whether the network may see the rows in their principal components. Those that
        hardly count are then left out.

    Attributes
    ----------
    compared : bool
        Whether there is something to compare the trained network with.
    improvable : bool
        Whether there is anything that training could add.
    n_components : int
    mean : ndarray of shape (n_features,)
        Mean of the training rows.
    coordinates : Coordinates
        How the network sees a row.
    latent_scale : ndarray of shape (n_components,)
        Units of the components; the module's own codes are in units of one.
    pca : PrincipalComponents
        The components that are encoded.
    """

    compared = True

    def __init__(
        self,
        X: np.ndarray,
        n_components: int | float,
        network: Network,
        *,
        rotated: bool,
    ) -> None:
        spectrum = PrincipalComponents().fit(X)
        k = _number_of_components(n_components, X.shape, spectrum)
        scale = np.sqrt(spectrum.explained_variance_.sum() / X.shape[1])
        kept = spectrum.components_[: spectrum.n_coordinates_for(k)]
        missed = spectrum.explained_variance_ratio_[k:].sum()
        self._spectrum = spectrum
        self._network = network
        self.n_components = k
        self.mean = spectrum.mean_
        self.coordinates = Coordinates(self.mean, scale, kept if rotated else None)
        self.latent_scale = spectrum.latent_scale(k)
        self.pca = spectrum.truncated(k)
        self.improvable = bool(missed > np.finfo(np.float64).eps ** 0.75)

    def compose(
        self,
        inputs: torch.Tensor,
        corruption: Corruption | None,
        training: Sequence[np.ndarray],
        generator: torch.Generator,
    ) -> Residual:
        """Return the module to train, a member for the rows of each in `training`."""
        network = _build(
            self._network, inputs, self.n_components, len(training), generator
        )
        # Beside inputs that hardly vary, noise is large: what fades far from the rows
        # must know them as the training shows them, or it fades everywhere.
        seen = inputs[:: 1 + len(inputs) // _FADE_ROWS]
        if corruption is not None:
            seen = corruption(seen[None], generator)[0]
        return Residual(self._start(inputs, training), network, seen)

    def kept(self, module: Residual, weight: float) -> Autoencoder:
        """Return what predicts, which is PCA itself where the network has no weight."""
        return module if weight > 0 else module.start

    def _start(
        self, inputs: torch.Tensor, training: Sequence[np.ndarray]
    ) -> Autoencoder:
        """PCA of the rows of each member; of all rows for the last one, which is kept.

        A single split compares with the PCA of the whole table, which costs no second
        fit.
        """
        coordinates = self.coordinates
        whole = self._spectrum.in_coordinates(coordinates.basis, coordinates.scale)
        parts = (inputs[torch.from_numpy(rows)] for rows in training[:-1])
        members = [PrincipalComponents().fit(part.double().numpy()) for part in parts]
        return Autoencoder(*linear_maps([*members, whole], self.n_components))


class FromScratch:
    """The textbook's autoencoder: random weights, compared with nothing.

    Parameters and attributes are those of :class:`FromPCA`; `loss` may forbid to centre
    and to scale.
    """

    compared = False
    improvable = True
    pca = None

    def __init__(
        self, X: np.ndarray, n_components: int | float, network: Network, loss: Loss
    ) -> None:
        if not isinstance(n_components, Integral):
            raise ValueError(
                f"n_components={n_components} is a share of the variance that PCA "
                "explains, which start=None does not know; pass an integer."
            )
        self._network = network
        self.n_components = int(n_components)
        self.mean = X.mean(axis=0, dtype=np.float64)
        if loss.unit_interval:
            self.coordinates = Coordinates(np.zeros(X.shape[1]), 1.0)
        else:
            scale = np.sqrt(X.var(axis=0, dtype=np.float64).mean())
            self.coordinates = Coordinates(self.mean, scale)
        self.latent_scale = np.ones(self.n_components)

    def compose(
        self,
        inputs: torch.Tensor,
        corruption: Corruption | None,
        training: Sequence[np.ndarray],
        generator: torch.Generator,
    ) -> Autoencoder:
        """Return the module to train, a member for the rows of each in `training`."""
        return _build(
            self._network, inputs, self.n_components, len(training), generator
        )

    def kept(self, module: Autoencoder, weight: float) -> Autoencoder:
        """Return what predicts: all of it."""
        return module


class FromFitted:
    """Another fit, whose weights are trained on as far as that is of use.

    Its coordinates and units stay, and so do the codes of a row before the first step.
    What the coordinates leave out is expected at the mean of X. Parameters and
    attributes are those of :class:`FromPCA`; `codec` is what the other fit predicts
    with, and `noise` None where none of single features was asked for.
    """

    compared = True
    improvable = True
    pca = None

    def __init__(
        self,
        X: np.ndarray,
        n_components: int | float,
        codec: Codec,
        loss: Loss,
        noise: Noise | None,
    ) -> None:
        self._module = codec.module
        self.n_components = len(codec.latent_scale)
        self.latent_scale = codec.latent_scale
        n_features = len(codec.coordinates.mean)
        if X.shape[1] != n_features:
            raise ValueError(
                f"start was fitted to {n_features} features, but X has {X.shape[1]}; "
                "pass a table with the same features."
            )
        if n_components != self.n_components:
            raise ValueError(
                f"n_components={n_components} contradicts start, which has "
                f"{self.n_components}; set n_components={self.n_components}."
            )
        if loss.unit_interval != codec.loss.unit_interval:
            raise ValueError(
                "loss='log_loss' and the other losses cannot follow each other; set "
                "the loss that start was fitted with."
            )
        parts = [loss, *([] if noise is None else [noise])]
        rotated = codec.coordinates.basis is not None
        if rotated and not all(part.rotation_invariant for part in parts):
            raise ValueError(
                "loss and noise must not look at single features, because start sees X "
                "in its principal components; fit start with the same loss and noise."
            )
        self.mean = X.mean(axis=0, dtype=np.float64)
        self.coordinates = codec.coordinates.moved_to(self.mean)

    def compose(
        self,
        inputs: torch.Tensor,
        corruption: Corruption | None,
        training: Sequence[np.ndarray],
        generator: torch.Generator,
    ) -> FineTuned:
        """Return the module to train, a member for the rows of each in `training`."""
        return FineTuned(self._module, len(training))

    def kept(self, module: FineTuned, weight: float) -> Autoencoder:
        """Return what predicts, without a part that has no weight."""
        return {0.0: module.start, 1.0: module.tuned}.get(weight, module)


Origin = FromPCA | FromScratch | FromFitted


def _build(
    network: Network,
    inputs: torch.Tensor,
    n_components: int,
    members: int,
    generator: torch.Generator,
) -> Autoencoder:
    shape = tuple(inputs.shape[1:])
    return network.build(
        shape, shape, n_components, members=members, generator=generator
    )


def _number_of_components(
    n_components: int | float, shape: tuple[int, int], spectrum: PrincipalComponents
) -> int:
    if not isinstance(n_components, Integral):
        return spectrum.n_components_for(n_components)
    if n_components > min(shape):
        n_samples, n_features = shape
        raise ValueError(
            f"n_components={n_components} must be between 1 and "
            f"min(n_samples={n_samples}, n_features={n_features})={min(shape)} "
            "with start='pca'."
        )
    return int(n_components)
