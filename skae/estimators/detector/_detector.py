"""The outlier detector that stands where IsolationForest stands."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from sklearn.base import OutlierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skae._base._callbacks import CallbackSupportMixin, FitTask
from skae._base._estimator import NetworkEstimator
from skae._base._sklearn import Interval, StrOptions, validated_fit
from skae._tables import map_blocks
from skae._training import available_device
from skae.estimators.detector._core import core_rows
from skae.estimators.detector._expert import Expert
from skae.estimators.detector._masked_network import MaskedNetwork
from skae.estimators.detector._nearest_rows import NearestRows
from skae.estimators.detector._robust_scaling import RobustScaling
from skae.networks import ACTIVATIONS, Network, resolve_network
from skae.noise import GaussianNoise, Noise

_MAX_REFERENCE = 4096  # rows that new rows are compared with
#: Exponent of the mean over experts. The largest surprise alone ranks as well on
#: average, but worse where training rows are clean; the plain mean (1) is worse where
#: they are not.
_POWER = 3


class ReconstructionOutlierDetector(
    CallbackSupportMixin, OutlierMixin, NetworkEstimator
):
    """Outlier detection by how badly a row is reconstructed, and where.

    Two experts reconstruct every row. An ensemble of neural networks predicts each
    feature from others of the same row [1]_ [2]_; it is trained on the core, the rows
    that are most surely normal, and so tolerates anomalies among the training rows. And
    the nearest training rows reconstruct it from its surroundings [3]_. How rare an
    expert's error is among training rows is its surprise. The more surprised expert
    counts most in the score of a row, which is the sum of contributions of the
    features.

    Columns need not be scaled.

    Parameters
    ----------
    contamination : "auto" or float, default="auto"
        Share of the training rows that are flagged, in (0, 0.5]. ``"auto"`` flags one
        percent.
    n_estimators : int, default=4
        Number of networks; they are trained at once and their errors are averaged.
    max_samples : float, default=1.0
        Share of the core that each network trains on, in (0, 1].
    network : "dense" or Network, default="dense"
        The network: ``"dense"`` or a specification, such as
        :class:`~skae.networks.DenseNetwork`.
    hidden_layer_sizes : "auto" or array-like of int, default="auto"
        Widths of the hidden layers; shorthand for
        ``network=DenseNetwork(hidden_layer_sizes)``. ``"auto"`` is one layer of 64.
    activation : {"identity", "logistic", "tanh", "relu", "elu", "selu", "gelu", \
            "silu"}, default="silu"
        Activation function of the hidden layers; shorthand, as `hidden_layer_sizes`.
    noise : "auto", Noise or None, default="auto"
        Noise on the visible features during training. ``"auto"`` is
        ``GaussianNoise(0.1)``.
    core_fraction : float, default=0.75
        Share of the training rows that the networks may train on, in (0, 1]. One if
        none of them is an anomaly.
    n_neighbors : int or None, default=5
        Number of nearest training rows that reconstruct a row; all of them if there are
        no more. None leaves this expert out: what remains is an ensemble of
        autoencoders.
    batch_size : int, default=256
        Rows in a step.
    learning_rate_init : float, default=3e-3
        Learning rate of Adam before it decays.
    max_iter : int, default=5
        Number of rounds. A round is three passes over the rows, but at least 20 and at
        most 300 steps.
    device : str or torch.device, default="cpu"
        Where the networks are trained. They predict on the CPU.
    random_state : int, RandomState instance or None, default=None
        Determines the core, the initial weights, which features are hidden, and the
        order of the rows. Pass an int for the same result in every call.
    verbose : int, default=0
        Whether to show a progress bar with losses and remaining time.

    Attributes
    ----------
    offset_ : float
        Rows with ``score_samples`` below it are outliers. It may be set, for instance
        to ``threshold(0.05)``, without another fit.
    training_scores_ : ndarray of shape (n_samples,)
        ``score_samples`` of the training rows.
    experts_ : list of Expert
        The fitted experts, the networks first.
    module_ : torch.nn.Module
        The ensemble of networks.
    n_iter_ : int
        Number of rounds.
    loss_curve_ : list of float
        Training loss in each round.
    history_ : list of dict
        For each round ``round``, ``loss``, ``steps`` and the ``duration`` of the steps
        in seconds.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X has names that are all strings.

    See Also
    --------
    sklearn.ensemble.IsolationForest : Faster; looks at one feature at a time.
    sklearn.neighbors.LocalOutlierFactor : The local view alone.
    skae.plotting.ExplanationDisplay : Shows why a row is an outlier.
    skae.model_selection.outlier_roc_auc_scorer : For a grid search with known outliers.

    Notes
    -----
    Of more than 4,096 training rows, as many are drawn to be neighbors and to compare
    errors with; the networks train on all rows of the core.

    References
    ----------
    .. [1] J. Chen, S. Sathe, C. Aggarwal and D. Turaga, "Outlier detection with
       autoencoder ensembles", SIAM International Conference on Data Mining, 2017.
    .. [2] B. Uria, I. Murray and H. Larochelle, "A deep and tractable density
       estimator", ICML 2014.
    .. [3] M. M. Breunig, H.-P. Kriegel, R. T. Ng and J. Sander, "LOF: identifying
       density-based local outliers", ACM SIGMOD 2000.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.metrics import roc_auc_score
    >>> from skae import ReconstructionOutlierDetector
    >>> X, benign = load_breast_cancer(return_X_y=True)
    >>> detector = ReconstructionOutlierDetector(random_state=0)
    >>> detector = detector.fit(X[benign == 1][::2])
    >>> scores = detector.score_samples(X)
    >>> roc_auc_score(benign, scores) > 0.9
    True
    >>> contributions = detector.explain(X[:1])
    >>> bool(abs(contributions.sum() + scores[0]) < 1e-9)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "contamination": [
            StrOptions({"auto"}),
            Interval(Real, 0, 0.5, closed="right"),
        ],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [Interval(Real, 0, 1, closed="right")],
        "network": [StrOptions({"dense"}), Network],
        "hidden_layer_sizes": [StrOptions({"auto"}), "array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "noise": [StrOptions({"auto"}), Noise, None],
        "core_fraction": [Interval(Real, 0, 1, closed="right")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        contamination: Literal["auto"] | float = "auto",
        n_estimators: int = 4,
        max_samples: float = 1.0,
        network: Literal["dense"] | Network = "dense",
        hidden_layer_sizes: Literal["auto"] | Sequence[int] = "auto",
        activation: str = "silu",
        noise: Literal["auto"] | Noise | None = "auto",
        core_fraction: float = 0.75,
        n_neighbors: int | None = 5,
        batch_size: int = 256,
        learning_rate_init: float = 3e-3,
        max_iter: int = 5,
        device: str | torch.device = "cpu",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.contamination = contamination
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.network = network
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.noise = noise
        self.core_fraction = core_fraction
        self.n_neighbors = n_neighbors
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @validated_fit(prefer_skip_nested_validation=True)
    def fit(self, X, y=None) -> ReconstructionOutlierDetector:
        """Learn what rows look like.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, at least two. Some of them may be anomalies.
        y : None
            Ignored, present for the convention.

        Returns
        -------
        self : ReconstructionOutlierDetector
            Fitted estimator.

        Raises
        ------
        ValueError
            If X holds NaN or infinite values or a single row, or if two parameters
            contradict each other.

        Warns
        -----
        ConvergenceWarning
            If training diverges; the best weights before it are kept.
        """
        self._forget()
        passed = X, y
        X = self._check_X(X, reset=True, ensure_min_samples=2)
        network = resolve_network(
            self.network, self.hidden_layer_sizes, self.activation
        )
        device = available_device(self.device)
        random_state = check_random_state(self.random_state)
        generator = torch.Generator().manual_seed(random_state.randint(2**31 - 1))

        scaling = RobustScaling(X)
        core = core_rows(X, scaling, self.core_fraction, random_state)
        reference = random_state.permutation(len(X))[:_MAX_REFERENCE]
        others: list[Expert] = []
        if self.n_neighbors is not None:
            others.append(NearestRows(X[reference], scaling, self.n_neighbors))

        def conclude(
            detector: ReconstructionOutlierDetector, networks: MaskedNetwork
        ) -> None:
            detector._combine([networks, *others], X)

        task = FitTask.whole(self, *passed, max_subtasks=self.max_iter)
        networks = MaskedNetwork(
            X,
            core,
            reference,
            scaling.scale,
            network=network,
            n_estimators=self.n_estimators,
            max_samples=self.max_samples,
            noise=GaussianNoise(0.1) if self.noise == "auto" else self.noise,
            generator=generator,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate_init,
            max_iter=self.max_iter,
            tol=0.0,
            n_iter_no_change=self.max_iter,
            device=device,
            verbose=self.verbose,
            watch=task.watch(conclude),
        )
        conclude(self, networks)
        task.end()
        return self

    def score_samples(self, X) -> np.ndarray:
        """Return how normal rows are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Minus the cubic mean of the surprises of the experts: the lower, the more
            abnormal. Zero is the best. A surprise of 4.6, that is ``-log(0.01)``, says
            that one percent of the training rows have an error at least as large.
        """
        check_is_fitted(self)
        return self._score(self._check_X(X))

    def decision_function(self, X) -> np.ndarray:
        """Return ``score_samples(X) - offset_``, which is negative for outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        decision : ndarray of shape (n_samples,)
            Shifted scores.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X) -> np.ndarray:
        """Tell outliers from inliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        is_inlier : ndarray of shape (n_samples,)
            -1 for outliers and +1 for inliers.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def explain(self, X) -> np.ndarray:
        """Return what each feature contributes to the abnormality of a row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to explain.

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features)
            Shares of the features in the errors of the experts, each expert weighted by
            its part in the score; not negative, and in every row their sum is
            ``-score_samples``. What the networks expected instead is returned by
            :meth:`reconstruct`.
        """
        check_is_fitted(self)

        def contributions(rows: np.ndarray) -> np.ndarray:
            surprises, errors = self._judge(rows)
            total = errors.sum(axis=2)
            shares = _parts(surprises) / np.where(total > 0, total, 1)
            return np.einsum("en,enf->nf", shares, errors)

        X = self._check_X(X)
        return map_blocks(contributions, X, self.n_features_in_, dtype=np.float64)

    def reconstruct(self, X) -> np.ndarray:
        """Return what the networks expect.

        A network predicts a feature without seeing it, so that a wrong value does not
        confirm itself, as it does where the nearest rows are those that share it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to reconstruct.

        Returns
        -------
        X_expected : ndarray of shape (n_samples, n_features)
            Expected value of every feature, in the units of X.
        """
        check_is_fitted(self)
        networks = self.experts_[0]
        return map_blocks(networks.reconstruct, self._check_X(X), self.n_features_in_)

    def threshold(self, contamination: float) -> float:
        """Return the offset that flags a given share of the training rows.

        Parameters
        ----------
        contamination : float
            Share of the training rows, in (0, 0.5].

        Returns
        -------
        offset : float
            A value for ``offset_``.
        """
        check_is_fitted(self)
        if not 0 < contamination <= 0.5:
            raise ValueError(
                f"contamination must be a float in (0, 0.5], got {contamination!r}."
            )
        return float(np.percentile(self.training_scores_, 100 * contamination))

    def _combine(self, experts: list[Expert], X: np.ndarray) -> None:
        """Take over fitted experts, the networks first, and score the training rows."""
        networks = experts[0]
        self.experts_ = experts
        self.module_ = networks.module
        self.history_ = networks.history
        self.n_iter_ = len(networks.history)
        self.loss_curve_ = [entry["loss"] for entry in networks.history]
        self.training_scores_ = self._score(X)
        self.offset_ = self.threshold(
            0.01 if self.contamination == "auto" else self.contamination
        )

    def _score(self, X: np.ndarray) -> np.ndarray:
        def score(rows: np.ndarray) -> np.ndarray:
            surprises, _ = self._judge(rows)
            return -_parts(surprises).sum(axis=0)[:, None]

        return map_blocks(score, X, 1, dtype=np.float64)[:, 0]

    def _judge(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Surprises ``(n_experts, n)`` and errors ``(n_experts, n, n_features)``."""
        errors = np.stack([expert.errors(rows) for expert in self.experts_])
        surprises = [
            expert.surprise(error.sum(axis=1))
            for expert, error in zip(self.experts_, errors, strict=True)
        ]
        return np.stack(surprises), errors


def _parts(surprises: np.ndarray) -> np.ndarray:
    """Split the power mean of surprises ``(n_experts, n)`` among the experts."""
    powers = np.power(surprises, _POWER)
    total = powers.sum(axis=0)
    mean = np.power(total / len(powers), 1 / _POWER)
    return powers * (mean / np.where(total > 0, total, 1))
