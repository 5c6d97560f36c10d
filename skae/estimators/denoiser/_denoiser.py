"""The denoising autoencoder that restores rows and images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skae._base import (
    NETWORK,
    VALIDATION_FRACTION,
    Constraints,
    Draws,
    NetworkEstimator,
    StrOptions,
    check_feature_names_in,
    check_flat,
    check_numbers,
    feature_names,
    loss_constraint,
    transaction,
)
from skae._training import (
    Gate,
    History,
    Objective,
    Problem,
    Verdict,
    choose_split,
    weigh,
)
from skae.estimators.denoiser._checks import (
    check_clean_names,
    check_clean_rows,
    check_no_gaps,
    choose_noise,
    clean_rows_among,
    complete_rows,
    row_shapes,
)
from skae.estimators.denoiser._examples import Pairs
from skae.estimators.denoiser._module import Restorer
from skae.estimators.denoiser._prediction import Restoration, mean_psnr
from skae.estimators.denoiser._score import ScoreOfRestored
from skae.estimators.denoiser._start import (
    CANDIDATES,
    ChosenStart,
    choose_start,
    fit_starts,
    squared_errors,
)
from skae.losses import LOSSES, Loss
from skae.losses._named import resolve_unlinked_loss
from skae.networks import Network
from skae.networks._resolve import resolve_network
from skae.noise import Noise

# Few rows are passed over so often in a round at most: there is less to learn.
_ROWS = {"batch_size": 128, "learning_rate": 0.02, "passes": 20, "most_steps": 100}
_IMAGES = {"learning_rate": 0.01, "passes": 10}
_PIXELS = 8 * 28**2  # in a batch
_STEPS = 72  # of such batches in a round


class DenoisingTransformer(TransformerMixin, NetworkEstimator):
    """Clean, complete and enlarge rows and images, from the best classical method on.

    Fitted to clean rows, it degrades them by `noise` and learns the way back; fitted to
    pairs, it learns from degraded rows to the clean ones in `X_clean`, which may have
    another width. Closed-form methods are fitted first: the row as it is, a linear map
    and, for images, a local filter. A neural network that begins at zero learns what
    the best of them misses, and held-out rows decide how much of the network is kept.

    With a :class:`~skae.networks.ConvolutionalNetwork`, rows are images, and
    :meth:`restore_image` restores images of any size.

    Parameters
    ----------
    noise : "auto", Noise or None, default="auto"
        How clean rows are degraded, anew in every batch. ``"auto"`` is Gaussian noise
        with a deviation of a tenth of the range of X, 0.1 for values from 0 to 1. With
        ``MaskingNoise(fill="nan")``, hidden values are NaN, as they may be in new rows:
        these are filled, and nothing else is changed. With `X_clean` there is none.
    network : "dense" or Network, default="dense"
        What is learned. ``"dense"`` is a :class:`~skae.networks.DenseNetwork` with the
        following two parameters.
    hidden_layer_sizes : "auto", int or array-like of int, default="auto"
        Widths of the hidden layers of the dense network; an int is a single layer, and
        ``"auto"`` is one of 64.
    activation : {"identity", "logistic", "tanh", "relu", "elu", "selu", "gelu", \
            "silu"}, default="silu"
        Activation function of the hidden layers of the dense network.
    start : {"auto", "identity", "linear", "local"}, default="auto"
        What the network adds to. ``"identity"`` is the degraded row, its gaps filled
        with the mean; ``"linear"`` a ridge regression of the clean row on the degraded
        one, for rows of up to 4,096 values; ``"local"`` a least-squares filter of the
        5 x 5 pixels around a pixel, for images. ``"auto"`` takes the one that a short
        training takes farthest on held-out rows, for images of more than 512 values
        never ``"linear"``; where none are held out, the first that applies.
    loss : {"squared_error", "absolute_error"} or Loss, default="squared_error"
        What training minimises. Where there can be gaps, what is hidden counts alone.
    batch_size : "auto" or int, default="auto"
        Rows in a step; ``"auto"`` takes 128, and 8 of images, 16 of those of up to 392
        pixels.
    learning_rate_init : "auto" or float, default="auto"
        Learning rate of Adam before it decays; ``"auto"`` takes 0.02, and 0.01 for
        images.
    max_iter : int, default=10
        Largest number of rounds. A round has 100 steps; of images 50 to 150, as many as
        have 450,000 pixels, or 675,000 where they are enlarged. Of few rows it has 20
        passes, of few images ten, but at least 20 steps. Using all rounds is normal and
        warns nothing; with more of them, images are restored better still.
    tol : float, default=1e-3
        Relative decrease of the held-out loss that counts as progress; of the training
        loss where nothing is held out.
    n_iter_no_change : int, default=3
        Rounds without progress after which the learning rate decays to zero; the decay
        takes 30 % of the rounds run so far and ends the training.
    validation_fraction : float, default=0.1
        Share of the distinct rows that are held out from the training, at least five
        and at most 5,000 rows or 200,000 values. There is always a single split:
        rows are degraded anew in every batch, so that few of them go a long way. Fewer
        than 20 distinct rows are never split, and the start is kept as it is.
    device : str or torch.device, default="cpu"
        Where the network is trained. It predicts on the CPU.
    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the noise, the held-out rows and the order of
        the rows. Pass an int for the same result in every call.
    verbose : int, default=0
        Whether to show the training loss of each round and, where rows are held out,
        the validation score: in a progress bar or, where the output is no terminal, in
        a line.

    Attributes
    ----------
    start_ : {"identity", "linear", "local"}
        What the network adds to.
    data_range_ : float
        Largest less smallest clean value, without values that must be mistakes; the
        peak of :meth:`score`.
    module_ : torch.nn.Module
        The start and the network.
    uses_network_ : bool
        Whether the held-out rows proved that the network is of use.
    n_iter_ : int
        Number of rounds.
    loss_curve_ : list of float
        Training loss in each round.
    validation_scores_ : None
        The loss of a round is a mean over rows, which does not tell their mean score.
    start_validation_score_, best_validation_score_ : float or None
        Score of the held-out rows with the start alone and with what was kept. None if
        no rows were held out. What is kept is decided by their squared error.
    history_ : list of dict
        For each round ``round``, ``loss``, ``validation_loss``, ``steps`` and
        ``duration`` of the steps in seconds.
    n_features_in_ : int
        Number of features of degraded rows.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features of X, if they are all strings.
    n_features_out_ : int
        Number of features of clean rows.
    clean_feature_names_ : ndarray of shape (`n_features_out_`,) or None
        Names of the features of `X_clean`, if they are all strings.

    See Also
    --------
    DenoisingImputer : Learns from rows with gaps.
    AutoencoderTransformer : Reduces the dimension.
    skae.networks.ConvolutionalNetwork : The network for images.
    skae.noise : What rows can be degraded by.

    Notes
    -----
    Values need not lie in [0, 1], and restored ones are never clipped. Rows of type
    float32 are restored in float32, which is faster, others in float64.

    A training value that is farther from nearly all others than ten times their range,
    and from nearly all of its column as well, must be a mistake: what is learned is the
    nearest value that is not as far.

    Images that differ in brightness more than their pixels do, like patches of
    photographs, are seen relative to the mean of the 17 x 17 pixels around each pixel,
    if what degrades them leaves the brightness as it is. Then a brighter image becomes
    a restored one that is brighter by as much.

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, "Extracting and
       composing robust features with denoising autoencoders", ICML 2008.
    .. [2] K. Zhang, W. Zuo, Y. Chen, D. Meng and L. Zhang, "Beyond a Gaussian denoiser:
       residual learning of deep CNN for image denoising", IEEE Transactions on Image
       Processing 26, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skae import DenoisingTransformer
    >>> from skae.noise import GaussianNoise
    >>> X = load_digits().data / 16
    >>> clean = X[1000:1200]
    >>> noisy = clean + np.random.default_rng(0).normal(scale=0.2, size=clean.shape)
    >>> denoiser = DenoisingTransformer(noise=GaussianNoise(0.2), random_state=0)
    >>> restored = denoiser.fit(X[:1000]).transform(noisy)
    >>> bool(np.square(restored - clean).mean() < 0.4 * np.square(noisy - clean).mean())
    True

    Digits that are enlarged from 4 x 4 to 8 x 8 pixels:

    >>> from skae.networks import ConvolutionalNetwork
    >>> small = X.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
    >>> enlarger = DenoisingTransformer(
    ...     network=ConvolutionalNetwork(image_shape=(8, 8)), max_iter=2, random_state=0
    ... ).fit(small[:1000], X_clean=X[:1000])
    >>> enlarger.transform(small[1000:1200]).shape
    (200, 64)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **NetworkEstimator._parameter_constraints,
        **NETWORK,
        **VALIDATION_FRACTION,
        **loss_constraint(unit_interval=False),
        "noise": [StrOptions({"auto"}), Noise, None],
        "start": [StrOptions({"auto", *CANDIDATES})],
    }
    _takes_images: ClassVar[bool] = True

    def __init__(
        self,
        *,
        noise: Literal["auto"] | Noise | None = "auto",
        network: Literal["dense"] | Network = "dense",
        hidden_layer_sizes: Literal["auto"] | int | Sequence[int] = "auto",
        activation: str = "silu",
        start: Literal["auto", "identity", "linear", "local"] = "auto",
        loss: Literal["squared_error", "absolute_error"] | Loss = "squared_error",
        batch_size: Literal["auto"] | int = "auto",
        learning_rate_init: Literal["auto"] | float = "auto",
        max_iter: int = 10,
        tol: float = 1e-3,
        n_iter_no_change: int = 3,
        validation_fraction: float = 0.1,
        device: str | torch.device = "cpu",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.noise = noise
        self.network = network
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.start = start
        self.loss = loss
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @transaction
    def fit(self, X, y=None, *, X_clean=None) -> DenoisingTransformer:
        """Learn to restore rows like those of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Clean rows or, with `X_clean`, degraded ones. With
            ``MaskingNoise(fill="nan")``, rows that have gaps themselves are left out.
        y : array-like of shape (n_samples, n_features_out) or (n_samples,), \
                default=None
            A table is taken as `X_clean`, as in ``fit(noisy, clean)``. A single column
            is ignored: it is the target of a later step of a pipeline.
        X_clean : array-like of shape (n_samples, n_features_out), default=None
            The clean rows that the rows of X are to become.

        Returns
        -------
        self : DenoisingTransformer
            Fitted estimator.

        Raises
        ------
        ValueError
            If X or `X_clean` holds NaN or infinite values, if they do not go together
            or with the shape of an image, if `noise` changes nothing, or if `start`
            does not apply.

        Warns
        -----
        ConvergenceWarning
            If training diverges; the best weights before it are kept.
        """
        rows, clean, noise, names = self._check_learnable(X, y, X_clean)
        network = resolve_network(
            self.network, self.hidden_layer_sizes, self.activation
        )
        shapes = row_shapes(network, rows.shape[1], clean.shape[1])
        loss, draws = resolve_unlinked_loss(self.loss), Draws(self.random_state)
        folds = choose_split(clean, self.validation_fraction, draws.random_state)
        pairs = Pairs.of(rows, clean, noise, shapes, folds, draws.generator)
        settings = self._settings(folds, **_automatic(*shapes))
        starts = fit_starts(self.start, pairs, folds, draws.generator)
        restorer = Restorer.build(network, pairs, draws.generator)
        untrained = Problem(
            restorer, Objective(loss, pairs.prepare), pairs.tensors, folds
        )
        start = choose_start(starts, untrained, settings, draws.generator)
        restoration = Restoration.by_the_start(
            pairs, clean, names, start.problem.module, draws.seed()
        )
        return self._learn(
            start.problem,
            (restoration, start),
            draws,
            {"X": X, "y": y, "metadata": _metadata(X_clean)},
            settings,
            worth=start.improvable,
            # Other losses are not on the scale of the score.
            score=(
                ScoreOfRestored(start.problem, restoration)
                if loss is LOSSES["squared_error"]
                else None
            ),
        )

    def _take_over(
        self,
        untrained: tuple[Restoration, ChosenStart],
        problem: Problem[Restorer],
        history: History,
    ) -> None:
        """Keep as much of the network as held-out rows prove to be of use."""
        restoration, start = untrained
        module = problem.module
        verdict, kept_errors = Verdict(uses_network=False), start.errors
        if history:
            # In the precision of the training, for speed.
            judged = problem.snapshot()
            judged.module.float()
            verdict = weigh(judged, Gate())
            if verdict.uses_network:
                kept_errors = squared_errors(judged)
            module.weight = judged.module.weight
        self._record(history, verdict)
        self._fitted = restoration.with_network(module)
        self.module_ = module
        self.start_ = start.name
        self.n_features_out_ = restoration.n_out
        self.clean_feature_names_ = restoration.names_out
        self.data_range_ = restoration.peak
        if problem.provable:
            score = restoration.score_of_training
            self.start_validation_score_ = score(start.errors)
            self.best_validation_score_ = score(kept_errors)

    def fit_transform(self, X, y=None, *, X_clean=None) -> np.ndarray:
        """Learn to restore rows like those of X, and restore these.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples, n_features_out) or (n_samples,), \
                default=None
            A table is taken as `X_clean`, and a single column is ignored.
        X_clean : array-like of shape (n_samples, n_features_out), default=None
            The clean rows that the rows of X are to become.

        Returns
        -------
        X_restored : ndarray of shape (n_samples, n_features_out)
            What `transform` makes of X, also where X is clean.
        """
        return self.fit(X, y, X_clean=X_clean).transform(X)

    def transform(self, X) -> np.ndarray:
        """Restore degraded rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Degraded rows.

        Returns
        -------
        X_restored : ndarray of shape (n_samples, n_features_out)
            Restored rows.
        """
        check_is_fitted(self)
        X = self._check_rows(X, self._fitted.gaps)
        restored: np.ndarray = self._fitted.restore(X)
        return restored

    def restore_image(self, image) -> np.ndarray:
        """Restore an image of any size.

        A large image is worked on in overlapping tiles, in bounded memory; the result
        is that of the whole.

        Parameters
        ----------
        image : array-like of shape (height, width) or (height, width, n_channels)
            Degraded image, with as many channels as those of the training. One of type
            float32 is restored several times faster.

        Returns
        -------
        restored : ndarray of shape (height, width) or (height, width, n_channels)
            Restored image, enlarged by the factor of the training.

        Raises
        ------
        ValueError
            If the network or the start knows rows of one size only.
        """
        check_is_fitted(self)
        restoration: Restoration = self._fitted
        shape = restoration.shape
        if len(shape) != 3:
            raise ValueError(
                "restore_image needs a network for images; set "
                "network=ConvolutionalNetwork(image_shape=...) and fit again."
            )
        if restoration.module.radius is None:
            raise ValueError(
                f"start_={self.start_!r} knows images of {shape[0]} x {shape[1]} "
                "pixels only; set start='local' and fit again."
            )
        size = np.shape(image)
        if size[2:] != shape[2:] and (len(size) != 2 or shape[2] != 1):
            raise ValueError(
                f"image must have height, width and {shape[2]} channel(s), got an "
                f"array of shape {size}."
            )
        image = check_numbers(
            image,
            "image",
            ensure_2d=False,
            allow_nd=True,
            ensure_all_finite="allow-nan",
        )
        if not restoration.gaps:
            check_no_gaps(image, "image")
        restored = restoration.restore_image(image.reshape(*size[:2], shape[2]))
        return restored.reshape(*restored.shape[:2], *size[2:])

    def score(self, X, y=None, *, X_clean=None) -> float:
        """Return the mean peak signal-to-noise ratio of restored rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Degraded rows or, without `X_clean`, clean ones, which are degraded as in
            the training, in every call alike.
        y : array-like of shape (n_samples, n_features_out) or (n_samples,), \
                default=None
            A table is taken as `X_clean`, and a single column is ignored. A search with
            ``fit(noisy, clean)`` splits it as it splits X.
        X_clean : array-like of shape (n_samples, n_features_out), default=None
            The clean rows. Without metadata routing a search does not pass them on.

        Returns
        -------
        score : float
            Mean over the rows, in decibel; the peak is `data_range_`. Higher is better.
            Where there can be gaps, it is that of what was hidden. A row that is
            restored exactly counts as 100.

        Notes
        -----
        Without `X_clean`, rows are degraded by the noise of this estimator, and less
        noise gives a higher score. A search over noises compares nothing; pass pairs,
        ``search.fit(noisy, clean)``.
        """
        check_is_fitted(self)
        X = self._check_rows(X, self._fitted.gaps)
        restoration: Restoration = self._fitted
        X_clean = clean_rows_among(y, X_clean, self.n_features_out_)
        if X_clean is not None:
            clean = check_clean_rows(X, X_clean)
            check_clean_names(X_clean, self.clean_feature_names_)
            if clean.shape[1] != self.n_features_out_:
                raise ValueError(
                    f"X_clean has {clean.shape[1]} features, but {type(self).__name__} "
                    f"was fitted to restore rows with {self.n_features_out_}; pass the "
                    "clean rows of X."
                )
            errors = restoration.errors(X, clean)
        elif restoration.degrade is None:
            raise ValueError(
                "X_clean is missing, which restored rows are to be compared with; pass "
                "it as in fit or, to a search, as y: search.fit(noisy, clean)."
            )
        else:
            errors = restoration.errors_after_degrading(
                complete_rows(X, "score"), restoration.degrade
            )
        return mean_psnr(errors)

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Return the names of the features of clean rows.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X; those seen in `fit` by default.

        Returns
        -------
        names : ndarray of str
            Names of the columns of `X_clean` where it had some; else those of X where
            restored rows have as many features, and ``x0``, ``x1`` and so on where not.
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        if self.clean_feature_names_ is not None:
            return self.clean_feature_names_
        if self.n_features_out_ == self.n_features_in_:
            return names
        return np.array([f"x{j}" for j in range(self.n_features_out_)], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = (
            isinstance(self.noise, Noise) and self.noise.leaves_gaps
        )
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _check_rows(self, X, allow_nan: bool, *, reset: bool = False) -> np.ndarray:
        X = self._check_table(X, reset=reset, ensure_all_finite="allow-nan")
        if not allow_nan:
            check_no_gaps(X, "X")
        self._check_magnitude(X)
        return X

    def _check_learnable(
        self, X: Any, y: Any, X_clean: Any
    ) -> tuple[np.ndarray, np.ndarray, Noise | None, np.ndarray | None]:
        """Rows, the clean rows that they are to become, the noise, and clean names."""
        allow_nan = self.__sklearn_tags__().input_tags.allow_nan
        # The network is told the shape of clean images, which may be larger than X.
        for clean_images in (X_clean, y):
            check_flat(clean_images, "X_clean", network=True)
        X = self._check_rows(X, allow_nan, reset=True)
        X_clean = clean_rows_among(y, X_clean, X.shape[1])
        noise = choose_noise(self.noise, X, X_clean)
        X = complete_rows(X, "learn from")
        clean = X if X_clean is None else check_clean_rows(X, X_clean)
        return X, clean, noise, feature_names(X_clean)


def _automatic(degraded: tuple[int, ...], clean: tuple[int, ...]) -> dict[str, Any]:
    """What stands for ``"auto"``, and the length of a round, of rows in two shapes."""
    if len(clean) == 1:
        return _ROWS
    pixels = clean[0] * clean[1]
    # Small batches teach more for their cost, until calls cost more than products.
    batch_size = min(max(_PIXELS // pixels, 8), 16)
    # Fewer steps of large images, of which each teaches more; the layers of those that
    # are enlarged see a part of the pixels.
    wanted = _STEPS * (1.5 if degraded[0] < clean[0] else 1.0)
    steps = min(max(round(wanted * 28**2 / pixels), 50), 150)
    return {**_IMAGES, "batch_size": batch_size, "most_steps": steps}


def _metadata(X_clean: Any) -> dict[str, Any]:
    return {} if X_clean is None else {"X_clean": X_clean}
