"""The autoencoder that stands where PCA stands."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import nn

from skae._base import NetworkEstimator, map_blocks
from skae._coordinates import Coordinates
from skae._objective import Objective
from skae._residual import DistanceFade, Residual
from skae._validation import Interval, StrOptions, validated_fit
from skae.losses import LOSSES, Loss
from skae.networks import DenseNetwork
from skae.networks._layers import ACTIVATIONS
from skae.networks._network import Network
from skae.noise import GaussianNoise
from skae.noise._noise import Noise
from skae.starts import LinearStart, PrincipalComponents
from skae.training._engine import Training, train
from skae.training._folds import Folds, choose_folds
from skae.training._gate import Gate


class AutoencoderTransformer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, NetworkEstimator
):
    """DOC"""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
        ],
        "network": [StrOptions({"dense"}), Network],
        "hidden_layer_sizes": [StrOptions({"auto"}), "array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "start": [StrOptions({"pca"}), None],
        "noise": [StrOptions({"auto"}), Noise, None],
        "loss": [StrOptions(set(LOSSES))],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, 1, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "cv": [StrOptions({"auto"}), Interval(Integral, 2, None, closed="left"), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components: int | float = 2,
        *,
        network: Literal["dense"] | Network = "dense",
        hidden_layer_sizes: Literal["auto"] | Sequence[int] = "auto",
        activation: str = "silu",
        start: Literal["pca"] | None = "pca",
        noise: Literal["auto"] | Noise | None = "auto",
        loss: str = "squared_error",
        batch_size: int = 128,
        learning_rate_init: Literal["auto"] | float = "auto",
        max_iter: int = 20,
        tol: float = 1e-3,
        n_iter_no_change: int = 3,
        cv: Literal["auto"] | int | None = "auto",
        validation_fraction: float = 0.1,
        device: str | torch.device = "cpu",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.network = network
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.start = start
        self.noise = noise
        self.loss = loss
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.cv = cv
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @validated_fit(prefer_skip_nested_validation=True)
    def fit(self, X, y=None) -> AutoencoderTransformer:
        """Learn to encode and decode the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored, present for the convention.

        Returns
        -------
        self : AutoencoderTransformer
            Fitted estimator.

        Raises
        ------
        ValueError
            If X holds NaN or infinite values, if `n_components` is more than the PCA
            start has, or if two parameters contradict each other.

        Warns
        -----
        ConvergenceWarning
            If training diverges; the best weights before it are kept.
        """
        self._forget()
        X = self._check_X(X, reset=True)
        loss, spec, device = self._check_loss(X), self._check_network(), self.device
        random_state = check_random_state(self.random_state)
        generator = torch.Generator().manual_seed(random_state.randint(2**31 - 1))
        folds = choose_folds(X, self.cv, self.validation_fraction, random_state)

        start = PrincipalComponents().fit(X) if self.start == "pca" else None
        n_components = self._resolve_n_components(start)
        coordinates = self._choose_coordinates(X, start, n_components, loss)
        inputs = coordinates.training_tensor(X)
        module = spec.build(
            inputs.shape[1:],
            inputs.shape[1:],
            n_components,
            members=folds.members,
            generator=generator,
        )
        if start is not None:
            components = _stack_starts(start, n_components, coordinates, inputs, folds)
            module = Residual.near(components, module, inputs)
        training = train(
            module,
            Objective(loss, self._choose_noise(coordinates)),
            {"input": inputs, "target": inputs},
            folds,
            generator=generator,
            batch_size=self.batch_size,
            learning_rate=self._choose_learning_rate(coordinates),
            max_iter=self.max_iter,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
            device=device,
            verbose=self.verbose,
        )
        self.uses_network_ = True
        self._coordinates = coordinates
        self._link = loss.link
        self._latent_scale = np.ones(n_components)
        self.module_ = training.module
        if start is not None:
            self._latent_scale = start.latent_scale(n_components)
            if training.start_error is not None:
                w = Gate().fit(training.held_out_error, training.start_error).weight_
                if not w:
                    self.module_ = last(components); self.uses_network_ = False
        self.training_ = training
        self.n_components_ = n_components
        self.mean_ = coordinates.mean
        self.history_ = training.history
        return self

    def _check_loss(self, X):
        return LOSSES[self.loss]

    def _check_network(self):
        if self.network == "dense":
            return DenseNetwork(self.hidden_layer_sizes, self.activation)
        return self.network

    def _resolve_n_components(self, start):
        return self.n_components

    def _choose_coordinates(self, X, start, n_components, loss):
        if start is None:
            mean = X.mean(axis=0, dtype=np.float64)
            return Coordinates(mean, np.sqrt(((X-mean)**2).mean()) or 1.0)
        v = start.explained_variance_
        R = v[n_components:].sum()
        tail = v[::-1].cumsum()[::-1]
        r = max(n_components, int((tail > 0.01 * R).sum()))
        r = min(r, len(v))
        return Coordinates(start.mean_, np.sqrt(v.sum() / self.n_features_in_) or 1.0, start.components_[:r])

    def _choose_noise(self, coordinates):
        if isinstance(self.noise, str):
            return GaussianNoise(0.1) if coordinates.n_coordinates >= 20 and self.start else None
        return self.noise

    def _choose_learning_rate(self, coordinates):
        if self.learning_rate_init == "auto":
            return 5e-3 if coordinates.n_coordinates <= 32 else 3e-3
        return self.learning_rate_init

    def transform(self, X):
        check_is_fitted(self)
        X = self._check_X(X)
        return map_blocks(self._encode, X, self.n_components_)

    def _encode(self, X):
        x = torch.from_numpy(self._coordinates.transform(X))[None]
        return self.module_.encode(x)[0].numpy() * self._latent_scale

    def _decode(self, Z):
        z = torch.from_numpy(Z / self._latent_scale)[None]
        return self._coordinates.inverse_transform(self.module_.decode(z)[0].numpy())

    def inverse_transform(self, X):
        check_is_fitted(self)
        X = check_array(X, dtype=[np.float64, np.float32])
        return map_blocks(self._decode, X, self.n_features_in_)

    def reconstruct(self, X):
        check_is_fitted(self)
        X = self._check_X(X)
        return map_blocks(lambda rows: self._decode(self._encode(rows)), X, self.n_features_in_)

    @property
    def _n_features_out(self):
        return self.n_components_


def _stack_starts(start, k, coordinates, inputs, folds):
    means, comps, scales = [], [], []
    basis, s = coordinates.basis, coordinates.scale
    for rows in folds.training:
        if len(rows) == len(inputs) or folds.members == 1:
            means.append(np.zeros(inputs.shape[1]))
            comps.append(start.components_[:k] @ basis.T)
            scales.append(start.latent_scale(k) / s)
        else:
            f = PrincipalComponents().fit(inputs[torch.from_numpy(rows)].double().numpy())
            c = np.zeros((k, inputs.shape[1]))
            c[: len(f.components_)] = f.components_[:k]
            means.append(f.mean_); comps.append(c); scales.append(f.latent_scale(k))
    return LinearStart(np.stack(means), np.stack(comps), np.stack(scales))

def last(start):
    import copy
    start = copy.deepcopy(start)
    for n, b in start.named_buffers():
        b.data = b.data[-1:].clone().double()
    return start
