"""The autoencoder that stands where PCA stands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from numbers import Integral
from typing import ClassVar, Literal

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skae._base import (
    CV,
    NETWORK,
    VALIDATION_FRACTION,
    Constraints,
    Draws,
    Interval,
    NetworkEstimator,
    NoisyInput,
    Phases,
    RealNotInt,
    StrOptions,
    check_feature_names_in,
    check_flat,
    check_numbers,
    corruption_of,
    in_container,
    loss_constraint,
    transaction,
    without_gaps,
)
from skae._tables import magnitude, map_blocks
from skae._training import History, Objective, Problem, as_given, choose_folds
from skae.estimators.transformer._checks import (
    check_fitted_start,
    check_loss,
    check_parameters,
    check_pretraining,
)
from skae.estimators.transformer._filters import filters_of
from skae.estimators.transformer._layerwise import layer_phases
from skae.estimators.transformer._prediction import Codec
from skae.estimators.transformer._score import sums_of_squares
from skae.estimators.transformer._start import FittedStart, PCAStart, RandomStart, Start
from skae.losses import Loss
from skae.losses._named import resolve_loss
from skae.networks import Autoencoder, Network
from skae.networks._resolve import resolve_network
from skae.noise import Corruption, GaussianNoise, Noise, Units
from skae.penalties import Penalty


class AutoencoderTransformer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, NetworkEstimator
):
    """Nonlinear dimensionality reduction that starts at PCA and is gated against it.

    The encoder is PCA plus a neural network that begins at zero, and so is the decoder.
    Training lets the network learn what PCA misses; rows that were held out from the
    training decide how much of the network is kept, and it is dropped where its gain is
    not significant. Rows far from all training rows get PCA. So
    the reconstruction is PCA's at worst, and the components keep PCA's units, order
    and signs. Like PCA, it centres the columns and does not scale them.

    With ``start=None`` it is the textbook's autoencoder, and other parameters make it
    a tied, convolutional, denoising, sparse, contractive or layer by layer pretrained
    one. They can be combined.

    Parameters
    ----------
    n_components : int, float or None, default=2
        Number of components. With the PCA start, a float in (0, 1) takes as many as PCA
        needs to explain more than that share of the variance, and an integer may not
        exceed ``min(n_samples, n_features)``; with ``start=None`` an integer may
        (overcomplete). With another fit as the start, the number that it has. None
        takes all that the start has: ``min(n_samples, n_features)`` of PCA, which
        miss nothing that a network could learn.
    network : "dense" or Network, default="dense"
        The network: ``"dense"`` or a specification, such as
        :class:`~skae.networks.DenseNetwork`,
        :class:`~skae.networks.ConvolutionalNetwork` or, for modules of your own,
        :class:`~skae.networks.TorchNetwork`.
    hidden_layer_sizes : "auto", int or array-like of int, default="auto"
        Widths of the encoder's hidden layers, or of a single one, mirrored in the
        decoder; shorthand for
        ``network=DenseNetwork(hidden_layer_sizes)``. ``"auto"`` is two layers of 80
        to 128 units.
    activation : {"identity", "logistic", "tanh", "relu", "elu", "selu", "gelu", \
            "silu"}, default="silu"
        Activation function of the hidden layers; shorthand, as `hidden_layer_sizes`.
    start : {"pca"}, FrozenEstimator or None, default="pca"
        What the network adds to. None trains the textbook autoencoder, which begins at
        random weights and is not compared with anything.
        ``FrozenEstimator(fitted)``, with another fitted transformer, trains a copy of
        its weights on X, in its network, coordinates and units; held-out rows decide
        how far to go from the old weights to the new. `fitted` itself never changes.
    pretraining : {"layerwise"} or None, default=None
        ``"layerwise"`` first trains every layer alone, from the outermost to the code,
        to encode and decode the codes of the layer below it [3]_, then all layers
        together. Each of these phases has up to `max_iter` rounds. The first layer has
        the noise; those above see codes without noise, because a strength is in units
        of the features. The penalty is on the code, and so for the last phase alone.
        Needs ``start=None``.
    noise : "auto", Noise or None, default="auto"
        Noise on the inputs during training, such as :class:`~skae.noise.GaussianNoise`
        or :class:`~skae.noise.MaskingNoise`. ``"auto"`` is
        ``GaussianNoise(0.1, unit="std")`` if there is a start and the network has 20
        inputs or more, else none.
    penalty : Penalty or None, default=None
        What training minimises besides the loss, such as
        :class:`~skae.penalties.L1Sparsity` or :class:`~skae.penalties.Contraction`.
        Held-out rows are judged by the loss alone.
    loss : {"squared_error", "absolute_error", "log_loss"} or Loss, \
            default="squared_error"
        What training minimises. ``"log_loss"`` is for X in [0, 1], which it neither
        centres nor scales, and cannot start at PCA; the reconstruction then stays
        between 0 and 1.
    batch_size : "auto" or int, default="auto"
        Rows in a step; ``"auto"`` takes a sixth of the training rows, but at least 32
        and at most 128.
    learning_rate_init : "auto" or float, default="auto"
        Learning rate of Adam before it decays; ``"auto"`` takes 0.02 for a network of
        at most 32 inputs, else 0.009; half of it from random weights, and a third where
        another fit is the start.
    max_iter : int, default=60
        Largest number of rounds. A round is two passes over the training rows, but at
        least 12 and at most 300 steps. Using all rounds is normal and warns nothing.
    tol : float, default=1e-3
        Relative decrease of the held-out loss that counts as progress; of the training
        loss where nothing is held out.
    n_iter_no_change : int, default=4
        Rounds without progress after which the learning rate decays to zero; the decay
        takes 30 % of the rounds run so far and ends the training. One more than in the
        other estimators, because the rounds are shorter.
    cv : "auto", int or None, default="auto"
        How rows are held out. An integer is the number of folds; one network for each
        fold and one for all rows are trained together, and the last is kept. ``"auto"``
        holds out up to three folds of a fifth of the rows each below 2,000 rows, fewer
        if 200 rows are held out by then, and else makes a single split. None holds
        nothing out and keeps the network unconditionally. Fewer than 20 distinct rows
        are never split, and a start is kept as it is.
    validation_fraction : float, default=0.1
        Share of the rows that the single split holds out, though no more than about
        5,000 rows.
    device : str or torch.device, default="cpu"
        Where the network is trained. It predicts on the CPU.
    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the folds, the order of the rows and the noise.
        Pass an int for the same result in every call.
    verbose : int, default=0
        Whether to show the training loss of each round and, where rows are held out,
        the validation score: in a progress bar or, where the output is no terminal, in
        a line.

    Attributes
    ----------
    n_components_ : int
        Number of components.
    mean_ : ndarray of shape (n_features,)
        Mean of the training rows.
    start_ : PrincipalComponents or None
        The PCA start, with ``components_``, ``explained_variance_`` and ``mean_``.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        PCA's; only with the PCA start.
    module_ : torch.nn.Module
        What encodes and decodes; the bare start if the network was dropped. Its
        ``encoder`` and ``decoder`` are modules, of tensors of float64 with the shape
        ``(1, n_samples, n)``.
    uses_network_ : bool
        Whether the held-out rows proved that the network is of use.
    n_iter_ : int
        Number of rounds of the last phase; zero if there was nothing to learn.
    loss_curve_ : list of float
        Training loss in each round of the last phase, with the penalty.
    validation_scores_ : list of float or None
        Held-out score after each round of the last phase: one minus the loss divided
        by that of predicting ``mean_``, which for squared error is the share of
        variance explained. None if no rows were held out.
    start_validation_score_, best_validation_score_ : float or None
        Held-out score of the start alone (None without a start) and of what was kept.
    history_ : list of dict
        For each round ``phase``, ``round``, ``loss``, ``steps``, ``duration`` of the
        steps in seconds and, with held-out rows, ``validation_loss``. The phase is
        ``"joint"``; or ``"layer 1"``, ``"layer 2"``, ... in pretraining, and
        ``"fine-tuning"`` after it or from another fit.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X has names that are all strings.

    See Also
    --------
    sklearn.decomposition.PCA : The linear method that this one starts from.
    sklearn.decomposition.KernelPCA : Nonlinear components without a decoder of its own.
    sklearn.frozen.FrozenEstimator : Marks another fit as the start.
    skae.networks.DenseNetwork : The network and its parameters.
    skae.networks.ConvolutionalNetwork : A network for images.
    skae.networks.TorchNetwork : Torch modules of your own.

    References
    ----------
    .. [1] G. E. Hinton and R. R. Salakhutdinov, "Reducing the dimensionality of data
       with neural networks", Science 313, 2006.
    .. [2] P. Baldi and K. Hornik, "Neural networks and principal component analysis:
       learning from examples without local minima", Neural Networks 2, 1989.
    .. [3] Y. Bengio, P. Lamblin, D. Popovici and H. Larochelle, "Greedy layer-wise
       training of deep networks", Advances in Neural Information Processing Systems
       19, 2007.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from skae import AutoencoderTransformer
    >>> X = load_digits().data / 16
    >>> train, test = X[:400], X[400:600]
    >>> reducer = AutoencoderTransformer(n_components=4, random_state=0).fit(train)
    >>> reducer.transform(test).shape
    (200, 4)
    >>> pca = PCA(n_components=4).fit(train)
    >>> residual = test - pca.inverse_transform(pca.transform(test))
    >>> bool(reducer.reconstruction_error(test).mean() < 0.9 * (residual**2).mean())
    True

    The weights of one fit as the start of another:

    >>> from sklearn.frozen import FrozenEstimator
    >>> tuned = AutoencoderTransformer(
    ...     n_components=4, start=FrozenEstimator(reducer), random_state=0
    ... ).fit(X[600:1000])
    >>> {row["phase"] for row in tuned.history_}
    {'fine-tuning'}
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **NetworkEstimator._parameter_constraints,
        **NETWORK,
        **CV,
        **VALIDATION_FRACTION,
        **loss_constraint(unit_interval=True),
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            None,
        ],
        "start": [StrOptions({"pca"}), FrozenEstimator, None],
        "pretraining": [StrOptions({"layerwise"}), None],
        "noise": [StrOptions({"auto"}), Noise, None],
        "penalty": [Penalty, None],
    }
    _takes_images: ClassVar[bool] = True

    def __init__(
        self,
        n_components: int | float | None = 2,
        *,
        network: Literal["dense"] | Network = "dense",
        hidden_layer_sizes: Literal["auto"] | int | Sequence[int] = "auto",
        activation: str = "silu",
        start: Literal["pca"] | FrozenEstimator | None = "pca",
        pretraining: Literal["layerwise"] | None = None,
        noise: Literal["auto"] | Noise | None = "auto",
        penalty: Penalty | None = None,
        loss: str | Loss = "squared_error",
        batch_size: Literal["auto"] | int = "auto",
        learning_rate_init: Literal["auto"] | float = "auto",
        max_iter: int = 60,
        tol: float = 1e-3,
        n_iter_no_change: int = 4,
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
        self.pretraining = pretraining
        self.noise = noise
        self.penalty = penalty
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

    @transaction
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
            start has, if two parameters contradict each other, or if another fit as
            the start does not go with X or the other parameters.

        Warns
        -----
        ConvergenceWarning
            If training diverges; the best weights before it are kept.
        """
        rows = self._check_X(X, reset=True)
        loss = resolve_loss(self.loss)
        check_parameters(self)
        check_loss(self, loss, rows)
        draws = Draws(self.random_state)
        folds = choose_folds(
            rows, self.cv, self.validation_fraction, draws.random_state
        )
        start = self._choose_start(loss).fit(rows)
        inputs = start.coordinates.training_tensor(rows)
        corruption = self._corruption(inputs, start)
        module = start.compose(inputs, corruption, folds, draws.generator)
        check_pretraining(self, module)
        objective = Objective(
            loss,
            as_given if corruption is None else NoisyInput(corruption),
            {} if self.penalty is None else {"penalty": self.penalty.term},
        )
        problem = Problem(module, objective, {"input": inputs, "target": inputs}, folds)
        start.measure(rows, folds.held_out_rows)
        return self._learn(
            problem,
            start,
            draws,
            {"X": X, "y": y},
            self._settings(
                folds,
                batch_size=min(max(folds.longest // 6, 32), 128),
                learning_rate=start.rate * (2e-2 if inputs.shape[1] <= 32 else 9e-3),
                passes=2,
                fewest_steps=12,
            ),
            score=None if start.score is None else start.score.of_rows,
            phases=self._phases(problem, start),
            max_phases=1 if self.pretraining is None else len(module.stages()) + 1,
        )

    def _take_over(
        self, start: Start, problem: Problem[Autoencoder], history: History
    ) -> None:
        """Keep as much of the network as held-out rows prove to be of use."""
        verdict = start.judge(problem, history)
        self.n_components_ = start.n_components
        self.mean_ = start.mean
        self.start_ = start.pca
        self._record(history, verdict, start.score, self._last_phase)
        self._fitted = start.codec(problem.module)
        self.module_ = self._fitted.module

    def transform(self, X) -> np.ndarray:
        """Encode rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to encode.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            Components, with a PCA start in the units of X.
        """
        check_is_fitted(self)
        return map_blocks(self._fitted.encode, self._check_X(X), self.n_components_)

    def inverse_transform(self, X) -> np.ndarray:
        """Decode components.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Components, as :meth:`transform` returns them.

        Returns
        -------
        X_reconstructed : ndarray of shape (n_samples, n_features)
            Rows in the space of the features.
        """
        check_is_fitted(self)
        check_flat(X)
        X = check_numbers(X)
        if X.shape[1] != self.n_components_:
            raise ValueError(
                f"X has {X.shape[1]} components, but {type(self).__name__} was fitted "
                f"with n_components={self.n_components_}; pass what transform returns."
            )
        return map_blocks(self._fitted.decode, X, self.n_features_in_)

    def reconstruct(self, X) -> np.ndarray:
        """Encode and decode rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to reconstruct.

        Returns
        -------
        X_reconstructed : ndarray or DataFrame of shape (n_samples, n_features)
            What the components keep of X. A DataFrame if ``set_output`` asks for one.
        """
        check_is_fitted(self)
        kept = map_blocks(
            self._fitted.reconstruct, self._check_X(X), self.n_features_in_
        )
        return in_container(self, kept, X, check_feature_names_in(self))

    def reconstruction_error(self, X) -> np.ndarray:
        """Return the mean squared difference of each row from its reconstruction.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to reconstruct.

        Returns
        -------
        error : ndarray of shape (n_samples,)
            Mean over the features, in squared units of X.
        """
        check_is_fitted(self)
        X = self._check_X(X)
        return sums_of_squares(self._fitted.residuals, X) / X.shape[1]

    def score(self, X, y=None) -> float:
        """Return the share of the variance of X that the reconstruction explains.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to reconstruct.
        y : None
            Ignored, present for the convention.

        Returns
        -------
        score : float
            One minus the sum of squared residuals over the sum of squared deviations
            from ``mean_``; one where both are zero.
        """
        check_is_fitted(self)
        X = self._check_X(X)
        unit = magnitude(np.concatenate([X.min(axis=0), X.max(axis=0), self.mean_]))
        residual = sums_of_squares(self._fitted.residuals, X, unit).sum()
        deviations = partial(np.subtract, self.mean_)
        total = sums_of_squares(deviations, X, unit).sum()
        if total == 0:
            return 1.0 if residual == 0 else -np.inf
        return float(1 - residual / total)

    def filters(self) -> np.ndarray:
        """Return what the units of the network's first layer look for.

        Returns
        -------
        filters : ndarray of shape (n_units, n_features) or (n_units, height, width)
            Weights of the features in each unit of a dense layer, or the kernels of a
            convolutional one, in the units of X. The kernels have a last axis if
            images have several channels.

        Raises
        ------
        ValueError
            If no network was kept, or its first layer is one of your own.
        """
        check_is_fitted(self)
        return filters_of(self._fitted.module.encoder, self._fitted.coordinates)

    @property
    def explained_variance_ratio_(self) -> np.ndarray:
        """Fractions of the variance that PCA's components explain.

        Only with the PCA start. A network that is kept explains more.
        """
        check_is_fitted(self)
        if self.start_ is None:
            raise AttributeError(
                "explained_variance_ratio_ is PCA's, and this fit has no PCA start; "
                "fit with start='pca', or use score for the fraction of the variance "
                "that is explained."
            )
        return self.start_.explained_variance_ratio_

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _last_phase(self) -> str:
        fresh = self.pretraining is None and not isinstance(self.start, FrozenEstimator)
        return "joint" if fresh else "fine-tuning"

    def _choose_start(self, loss: Loss) -> Start:
        noise = self.noise if isinstance(self.noise, Noise) else None
        if isinstance(self.start, FrozenEstimator):
            codec: Codec = self.start.estimator._fitted
            check_fitted_start(codec, self.n_components, loss, noise)
            return FittedStart(codec, loss)
        network = resolve_network(
            self.network, self.hidden_layer_sizes, self.activation
        )
        if self.start is None:
            assert isinstance(self.n_components, Integral)  # as has been checked
            return RandomStart(int(self.n_components), network, loss)
        rotated = (
            loss.rotation_invariant
            and network.rotation_invariant
            and (noise is None or noise.rotation_invariant)
        )
        return PCAStart(self.n_components, network, loss, rotated=rotated)

    def _corruption(self, inputs: torch.Tensor, start: Start) -> Corruption | None:
        noise = self.noise
        if noise == "auto":
            noisy = self.start is not None and inputs.shape[1] >= 20
            noise = GaussianNoise(0.1, unit="std") if noisy else None
        if noise is None:
            return None
        zero = start.coordinates.transform(np.zeros((1, self.n_features_in_)))[0]
        return corruption_of(
            without_gaps(noise),
            inputs,
            torch.from_numpy(zero),
            Units(1 / start.coordinates.scale, start.std),
        )

    def _phases(self, problem: Problem, start: Start) -> Phases:
        if self.pretraining is not None:
            yield from layer_phases(problem)
        # A gain over the start has to be there, and one that could be proved.
        provable = self.cv is None or problem.provable
        if not start.compared or (provable and start.improvable):
            yield self._last_phase, problem
