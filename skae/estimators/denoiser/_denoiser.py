"""The denoising autoencoder that restores rows and images."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from sklearn.base import TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from skae._base._callbacks import CallbackSupportMixin, FitTask
from skae._base._estimator import NetworkEstimator
from skae._base._sklearn import (
    Interval,
    StrOptions,
    check_feature_names_in,
    feature_names,
    validated_fit,
)
from skae._training import (
    Gate,
    History,
    RestorationObjective,
    available_device,
    choose_split,
    train,
    weigh,
)
from skae.estimators.denoiser._beginning import begin, squared_errors
from skae.estimators.denoiser._checks import (
    check_clean_names,
    check_clean_rows,
    check_no_gaps,
    choose_noise,
    complete_rows,
)
from skae.estimators.denoiser._examples import given_pairs, noisy_pairs
from skae.estimators.denoiser._module import Restorer
from skae.estimators.denoiser._prediction import Restoration, mean_psnr
from skae.estimators.denoiser._start import Starting
from skae.losses import LOSSES
from skae.networks import ACTIVATIONS, Network, resolve_network
from skae.noise import Noise

_AUTOMATIC_ROWS = 32, 4e-3  # batch size and learning rate
_AUTOMATIC_IMAGES = 16, 5e-3
_PASSES = 10  # over the rows in a round, at most: of few rows there is less to learn


class DenoisingTransformer(CallbackSupportMixin, TransformerMixin, NetworkEstimator):
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
        How clean rows are degraded, anew in every batch. A strength that is a standard
        deviation is in the units of X. ``"auto"`` is Gaussian noise with a deviation of
        a tenth of the range of X, 0.1 for values from 0 to 1. With
        ``MaskingNoise(fill="nan")``, hidden values are NaN, as they may be in new rows:
        these are filled, and nothing else is changed. With `X_clean` there is none.
    network : "dense" or Network, default="dense"
        What is learned. ``"dense"`` is a :class:`~skae.networks.DenseNetwork` with the
        following two parameters.
    hidden_layer_sizes : "auto" or array-like of int, default="auto"
        Widths of the hidden layers of the dense network; ``"auto"``: one layer of 64.
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
    loss : {"squared_error", "absolute_error"}, default="squared_error"
        What training minimises. Where there can be gaps, what is hidden counts alone.
    batch_size : "auto" or int, default="auto"
        Rows in a step; ``"auto"`` takes 32, and 16 of images.
    learning_rate_init : "auto" or float, default="auto"
        Learning rate of Adam before it decays; ``"auto"`` takes 0.004, and 0.005 for
        images.
    max_iter : int, default=20
        Largest number of rounds. A round has 100 steps; of images 40 to 200, as many as
        have 750,000 pixels. Of few rows it has ten passes, but at least 20 steps. Using
        all rounds is normal and warns nothing.
    tol : float, default=1e-3
        Relative decrease of the held-out loss that counts as progress.
    n_iter_no_change : int, default=3
        Rounds without progress after which the learning rate decays to zero; the decay
        takes 30 % of the rounds run so far and ends the training.
    validation_fraction : float, default=0.1
        Share of the distinct rows that are held out from the training, at least five
        and at most 5,000 rows or a million values. Fewer than 20 distinct rows are
        never split, and the start is kept as it is.
    device : str or torch.device, default="cpu"
        Where the network is trained. It predicts on the CPU.
    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the noise, the held-out rows and the order of
        the rows. Pass an int for the same result in every call.
    verbose : int, default=0
        Whether to show a progress bar with losses and remaining time.

    Attributes
    ----------
    start_ : {"identity", "linear", "local"}
        What the network adds to.
    data_range_ : float
        Largest less smallest clean value, the peak of :meth:`score`.
    module_ : torch.nn.Module
        The start and the network.
    uses_network_ : bool
        Whether the held-out rows proved that the network is of use.
    n_iter_ : int
        Number of rounds.
    loss_curve_ : list of float
        Training loss in each round.
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
    Values need not lie in [0, 1] and are never clipped. Rows of type float32 are
    restored in float32, which is faster, others in float64.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "noise": [StrOptions({"auto"}), Noise, None],
        "network": [StrOptions({"dense"}), Network],
        "hidden_layer_sizes": [StrOptions({"auto"}), "array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "start": [StrOptions({"auto", "identity", "linear", "local"})],
        "loss": [StrOptions({"squared_error", "absolute_error"})],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "learning_rate_init": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, 1, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        noise: Literal["auto"] | Noise | None = "auto",
        network: Literal["dense"] | Network = "dense",
        hidden_layer_sizes: Literal["auto"] | Sequence[int] = "auto",
        activation: str = "silu",
        start: Literal["auto", "identity", "linear", "local"] = "auto",
        loss: Literal["squared_error", "absolute_error"] = "squared_error",
        batch_size: Literal["auto"] | int = "auto",
        learning_rate_init: Literal["auto"] | float = "auto",
        max_iter: int = 20,
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

    @validated_fit(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, X_clean=None) -> DenoisingTransformer:
        """Learn to restore rows like those of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Clean rows or, with `X_clean`, degraded ones. With
            ``MaskingNoise(fill="nan")``, rows that have gaps themselves are left out.
        y : None
            Ignored, present for the convention.
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
        self._forget()
        passed = X, y
        allow_nan = self.__sklearn_tags__().input_tags.allow_nan
        X = self._check_rows(X, allow_nan, reset=True)
        noise = choose_noise(self.noise, X, X_clean)
        X = complete_rows(X)
        clean = X if X_clean is None else check_clean_rows(X, X_clean)
        clean_feature_names = None if X_clean is None else feature_names(X_clean)
        network = resolve_network(
            self.network, self.hidden_layer_sizes, self.activation
        )
        shapes = network.row_shapes(X.shape[1], clean.shape[1])
        device = available_device(self.device)
        random_state = check_random_state(self.random_state)
        generator = torch.Generator().manual_seed(random_state.randint(2**31 - 1))
        folds = choose_split(clean, self.validation_fraction, random_state)
        if noise is None:
            pairs = given_pairs(X, clean, shapes)
        else:
            held_out = folds.held_out_rows
            pairs = noisy_pairs(clean, shapes[1], noise, held_out, generator)
        training = self._training(shapes[1], len(folds.training[0]))
        training |= {"generator": generator, "device": device}
        objective = RestorationObjective(
            LOSSES[self.loss], pairs.degrade, gaps=pairs.gaps
        )
        tensors = {"input": pairs.degraded, "target": pairs.clean}
        rest = objective, tensors, folds

        rows = folds.training[0], folds.held_out[0]
        starts = Starting(pairs, *rows, generator).candidates(self.start)
        untrained = Restorer(
            network,
            *shapes,
            pairs.surroundings,
            gaps=pairs.gaps,
            generator=generator,
        )
        beginning = begin(starts, untrained, *rest, **training)
        seed = random_state.randint(2**31 - 1)

        def conclude(
            denoiser: DenoisingTransformer, history: History, module: Restorer
        ) -> None:
            # In the precision of the training, for speed.
            judged = copy.deepcopy(module).float(), *rest
            module.weight = weigh(*judged, Gate()).weight_ if history else 0.0
            kept = squared_errors(*judged) if module.weight > 0 else beginning.errors
            denoiser.start_ = beginning.start
            denoiser.n_features_out_ = clean.shape[1]
            denoiser.clean_feature_names_ = clean_feature_names
            denoiser.data_range_ = float(clean.max() - clean.min())
            scale = pairs.views[1].scale
            denoiser._record(history, beginning.errors, kept, scale)
            denoiser.uses_network_ = module.weight > 0
            denoiser.module_ = module.eval().requires_grad_(False)
            denoiser._restoration = Restoration(
                denoiser.module_, *pairs.views, shapes[0], pairs.degrade, seed
            )

        def conclude_round(denoiser: DenoisingTransformer, history: History) -> None:
            # A copy, because the training goes on.
            conclude(denoiser, history, copy.deepcopy(beginning.module))

        metadata = {} if X_clean is None else {"X_clean": X_clean}
        task = FitTask.whole(self, *passed, max_subtasks=self.max_iter, **metadata)
        history: History = []
        if beginning.improvable:
            history = train(
                beginning.module,
                *rest,
                **training,
                verbose=self.verbose,
                watch=task.watch(conclude_round),
            )
        conclude(self, history, beginning.module)
        task.end()
        return self

    def fit_transform(self, X, y=None, *, X_clean=None) -> np.ndarray:
        """Learn to restore rows like those of X, and restore these.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored, present for the convention.
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
        X = self._check_rows(X, self.module_.gaps)
        restoration = self._restoration.in_precision(X.dtype)
        return restoration.restore(X, self.n_features_out_)

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
        shape = self._restoration.shape
        if len(shape) != 3:
            raise ValueError(
                "restore_image needs a network for images; set "
                "network=ConvolutionalNetwork(image_shape=...) and fit again."
            )
        if self.module_.radius is None:
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
        image = check_array(
            image,
            dtype=[np.float64, np.float32],
            ensure_2d=False,
            allow_nd=True,
            ensure_all_finite="allow-nan",
            input_name="image",
        )
        if not self.module_.gaps:
            check_no_gaps(image, "image")
        restoration = self._restoration.in_precision(image.dtype)
        restored = restoration.restore_image(image.reshape(*size[:2], shape[2]))
        return restored.reshape(*restored.shape[:2], *size[2:])

    def score(self, X, y=None, *, X_clean=None) -> float:
        """Return the mean peak signal-to-noise ratio of restored rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Degraded rows or, without `X_clean`, clean ones, which are degraded as in
            the training, in every call alike.
        y : None
            Ignored, present for the convention.
        X_clean : array-like of shape (n_samples, n_features_out), default=None
            The clean rows.

        Returns
        -------
        score : float
            Mean over the rows, in decibel; the peak is `data_range_`. Higher is better.
            Where there can be gaps, it is that of what was hidden. A row that is
            restored exactly counts as 100.

        Notes
        -----
        Without `X_clean`, rows are degraded by the noise of this estimator, and less
        noise gives a higher score. A search over noises compares nothing; pass degraded
        rows with `X_clean` to it.
        """
        check_is_fitted(self)
        X = self._check_rows(X, self.module_.gaps)
        restoration = self._restoration.in_precision(X.dtype)
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
                "it as in fit."
            )
        else:
            errors = restoration.errors_after_degrading(complete_rows(X))
        return mean_psnr(errors, self.data_range_)

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
        noisy = isinstance(self.noise, Noise)
        tags.input_tags.allow_nan = noisy and self.noise.leaves_gaps
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _check_rows(self, X, allow_nan: bool, *, reset: bool = False) -> np.ndarray:
        X = self._check_table(X, reset=reset, ensure_all_finite="allow-nan")
        if not allow_nan:
            check_no_gaps(X, "X")
        return X

    def _training(self, shape: tuple[int, ...], n_samples: int) -> dict[str, Any]:
        """Parameters of the training."""
        automatic = _AUTOMATIC_IMAGES if len(shape) == 3 else _AUTOMATIC_ROWS
        batch_size, learning_rate = (
            default if chosen == "auto" else chosen
            for chosen, default in zip(
                (self.batch_size, self.learning_rate_init), automatic, strict=True
            )
        )
        steps = min(_steps(shape), _PASSES * n_samples / batch_size)
        return {
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "max_iter": self.max_iter,
            "tol": self.tol,
            "n_iter_no_change": self.n_iter_no_change,
            "passes": steps * min(batch_size, n_samples) / n_samples,
        }

    def _record(
        self,
        history: History,
        start_errors: np.ndarray,
        kept_errors: np.ndarray,
        scale: float,
    ) -> None:
        self.history_ = history
        self.n_iter_ = len(history)
        self.loss_curve_ = [row["loss"] for row in history]
        self.start_validation_score_ = self.best_validation_score_ = None
        if len(start_errors):
            self.start_validation_score_, self.best_validation_score_ = (
                mean_psnr(errors * scale**2, self.data_range_)
                for errors in (start_errors, kept_errors)
            )


def _steps(shape: tuple[int, ...]) -> int:
    """Steps in a round: fewer of large images, of which each teaches more."""
    if len(shape) == 1:
        return 100
    pixels = shape[0] * shape[1]
    return round(min(max(60 * 28**2 / pixels, 40), 200))
