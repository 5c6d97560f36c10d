"""What a transformer starts from: PCA, random weights or another fit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Integral
from typing import ClassVar, Generic, Self, TypeVar

import numpy as np
import torch

from skae._starts import PrincipalComponents, linear_maps
from skae._tables import Coordinates
from skae._training import Folds, Gate, History, Problem, Verdict, held_out_error, weigh
from skae.estimators.transformer._module import GatedAutoencoder, fine_tuned, residual
from skae.estimators.transformer._prediction import Codec
from skae.estimators.transformer._score import HeldOutScore
from skae.losses import Loss
from skae.networks import Autoencoder, Network
from skae.networks._members import last_member
from skae.noise import Corruption

_FADE_ROWS = 20_000  # enough rows for a quantile of 99.9 %
# More than the 1.645 of the 5 % level: the rows that prove a gain have also chosen the
# best of many rounds, and the network that is kept saw other rows than those judged.
_STANDARD_ERRORS = 2.0


Trained = TypeVar("Trained", bound=Autoencoder)


class Start(ABC, Generic[Trained]):
    """What is trained at first, and in which coordinates and units.

    Attributes
    ----------
    compared : bool
        Whether the trained network is compared with the start.
    improvable : bool
        Whether there is anything that training could add.
    rate : float
        Learning rate by default, in units of that beside PCA.
    n_components : int
    mean : ndarray of shape (n_features,)
        Mean of the training rows.
    coordinates : Coordinates
        How the network sees a row.
    std : float
        Root of the mean variance of the features, in these coordinates.
    latent_scale : ndarray of shape (n_components,)
        Units of the components; the module's own codes are in units of one.
    pca : PrincipalComponents or None
        The components that are encoded.
    loss : Loss
    score : HeldOutScore or None
        Turns held-out errors into scores; None if no rows are held out.
    """

    compared: ClassVar[bool] = True
    improvable: bool = True
    rate: ClassVar[float] = 1.0
    pca: PrincipalComponents | None = None
    n_components: int
    mean: np.ndarray
    coordinates: Coordinates
    std: float = 1.0
    latent_scale: np.ndarray
    loss: Loss
    score: HeldOutScore | None = None

    @abstractmethod
    def fit(self, X: np.ndarray) -> Self:
        """Fit the start to rows."""

    @abstractmethod
    def compose(
        self,
        inputs: torch.Tensor,
        corruption: Corruption | None,
        folds: Folds,
        generator: torch.Generator,
    ) -> Trained:
        """Return the module to train, a member for the rows of each.

        Parameters
        ----------
        inputs : tensor of shape (n_samples, n_coordinates)
            The rows that the start was fitted to.
        corruption : callable or None
            What they go through in training.
        """

    @abstractmethod
    def judge(self, problem: Problem[Trained], history: History) -> Verdict:
        """Keep as much of a trained module as held-out rows prove to be of use."""

    @abstractmethod
    def kept(self, module: Trained) -> Autoencoder:
        """Return what predicts, without a part that is not of use."""

    def measure(self, X: np.ndarray, held_out: np.ndarray) -> None:
        """Prepare to turn the errors of held-out rows of X into scores."""
        if len(held_out) > 0:
            score = HeldOutScore(self.mean, self.coordinates, self.loss)
            self.score = score.fit(X, held_out)

    def codec(self, module: Trained) -> Codec:
        """Return what predicts with the kept part of a module."""
        kept = last_member(self.kept(module))
        return Codec(self.coordinates, self.latent_scale, self.loss, kept)


class _GatedStart(Start[GatedAutoencoder]):
    """A start beside which something is learned, and kept as far as it is of use."""

    def judge(self, problem: Problem[GatedAutoencoder], history: History) -> Verdict:
        module = problem.module
        if not problem.provable:
            module.weight = float(len(history) > 0)
            return Verdict(module.weight > 0)
        return weigh(problem, Gate(_STANDARD_ERRORS))

    def kept(self, module: GatedAutoencoder) -> Autoencoder:
        return module.kept()


class PCAStart(_GatedStart):
    """The network adds to PCA and begins at zero.

    Parameters
    ----------
    n_components : int, float or None
        Their number, or a share of the variance; None is as many as there are.
    network : Network
        What adds to PCA.
    loss : Loss
    rotated : bool
        Whether the network may see the rows in their principal components. Those that
        hardly count are then left out.
    """

    def __init__(
        self,
        n_components: int | float | None,
        network: Network,
        loss: Loss,
        *,
        rotated: bool,
    ) -> None:
        self.wanted = n_components
        self.network = network
        self.loss = loss
        self.rotated = rotated

    def fit(self, X: np.ndarray) -> Self:
        spectrum = PrincipalComponents().fit(X)
        k = _number_of_components(self.wanted, X.shape, spectrum)
        scale = np.sqrt(spectrum.explained_variance_.sum() / X.shape[1])
        kept = spectrum.components_[: spectrum.n_coordinates_for(k)]
        missed = spectrum.explained_variance_ratio_[k:].sum()
        self.n_components = k
        self.mean = spectrum.mean_
        self.coordinates = Coordinates(self.mean, scale, kept if self.rotated else None)
        self.latent_scale = spectrum.latent_scale(k)
        self.pca = spectrum.truncated(k)
        self.improvable = bool(missed > np.finfo(np.float64).eps ** 0.75)
        self._seen_components = spectrum.in_coordinates(
            self.coordinates.basis, self.coordinates.scale
        ).truncated(k)
        return self

    def compose(
        self,
        inputs: torch.Tensor,
        corruption: Corruption | None,
        folds: Folds,
        generator: torch.Generator,
    ) -> GatedAutoencoder:
        network = self.network.build_autoencoder(
            inputs.shape[1],
            self.n_components,
            members=folds.members,
            generator=generator,
        ).double()
        # Beside inputs that hardly vary, noise is large: what fades far from the rows
        # must know them as the training shows them, or it fades everywhere.
        seen = inputs[:: 1 + len(inputs) // _FADE_ROWS]
        if corruption is not None:
            seen = corruption(seen[None], generator)[0]
        return residual(self._of_members(inputs, folds), network, seen)

    def _of_members(self, inputs: torch.Tensor, folds: Folds) -> Autoencoder:
        """PCA of the rows of each member; of all rows for the last one, which is kept.

        A single split compares with the PCA of the whole table, which costs no second
        fit.
        """
        parts = (inputs.numpy()[rows] for rows in folds.training[:-1])
        members = [PrincipalComponents().fit(part) for part in parts]
        members.append(self._seen_components)
        return Autoencoder(*linear_maps(members, self.n_components))


class RandomStart(Start[Autoencoder]):
    """The textbook's autoencoder: random weights, compared with nothing.

    Parameters
    ----------
    n_components : int
    network : Network
    loss : Loss
        May forbid to centre and to scale.
    """

    compared = False
    # Far from any answer, a loss with a link can be steep.
    rate: ClassVar[float] = 1 / 2

    def __init__(self, n_components: int, network: Network, loss: Loss) -> None:
        self.n_components = n_components
        self.network = network
        self.loss = loss

    def fit(self, X: np.ndarray) -> Self:
        self.mean = X.mean(axis=0, dtype=np.float64)
        std = np.sqrt(X.var(axis=0, dtype=np.float64).mean())
        if self.loss.unit_interval or self.loss.linked:
            self.coordinates = Coordinates(np.zeros(X.shape[1]), 1.0)
            self.std = std
        else:
            self.coordinates = Coordinates(self.mean, std)
        self.latent_scale = np.ones(self.n_components)
        return self

    def compose(
        self,
        inputs: torch.Tensor,
        corruption: Corruption | None,
        folds: Folds,
        generator: torch.Generator,
    ) -> Autoencoder:
        return self.network.build_autoencoder(
            inputs.shape[1],
            self.n_components,
            members=folds.members,
            generator=generator,
        ).double()

    def judge(self, problem: Problem[Autoencoder], history: History) -> Verdict:
        if not problem.provable:
            return Verdict(True)
        return Verdict(True, kept_error=float(held_out_error(problem).mean()))

    def kept(self, module: Autoencoder) -> Autoencoder:
        return module


class FittedStart(_GatedStart):
    """Another fit, whose weights are trained on as far as that is of use.

    Its coordinates and units stay, and so do the codes of a row before the first step.
    What the coordinates leave out is expected at the mean of X.

    Parameters
    ----------
    codec : Codec
        What the other fit predicts with.
    loss : Loss
    """

    # Larger steps undo what was learned before the new rows can replace it.
    rate: ClassVar[float] = 1 / 3

    def __init__(self, codec: Codec, loss: Loss) -> None:
        self.n_components = len(codec.latent_scale)
        self.latent_scale = codec.latent_scale
        self.loss = loss
        self._codec = codec

    def fit(self, X: np.ndarray) -> Self:
        n_features = len(self._codec.coordinates.mean)
        if X.shape[1] != n_features:
            raise ValueError(
                f"start was fitted to {n_features} features, but X has {X.shape[1]}; "
                "pass a table with the same features."
            )
        self.mean = X.mean(axis=0, dtype=np.float64)
        self.coordinates = self._codec.coordinates.moved_to(self.mean)
        std = np.sqrt(X.var(axis=0, dtype=np.float64).mean())
        self.std = std / self.coordinates.scale
        return self

    def compose(
        self,
        inputs: torch.Tensor,
        corruption: Corruption | None,
        folds: Folds,
        generator: torch.Generator,
    ) -> GatedAutoencoder:
        return fine_tuned(self._codec.module, folds.members)


def _number_of_components(
    n_components: int | float | None,
    shape: tuple[int, int],
    spectrum: PrincipalComponents,
) -> int:
    if n_components is None:
        return min(shape)
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
