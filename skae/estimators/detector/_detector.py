"""The outlier detector that stands where IsolationForest stands."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import ClassVar, Literal

import numpy as np
import torch
from sklearn.base import OutlierMixin
from sklearn.utils.validation import check_is_fitted

from skae._base import (
    NETWORK,
    Constraints,
    Draws,
    Interval,
    NetworkEstimator,
    SetOutputMixin,
    StrOptions,
    check_feature_names_in,
    corruption_of,
    in_container,
    transaction,
    without_gaps,
)
from skae._tables import map_blocks
from skae._training import History, Objective, Problem, Verdict
from skae.estimators.detector._examples import HiddenFeatures, Rows
from skae.estimators.detector._module import MaskedAutoencoder
from skae.estimators.detector._prediction import Panel
from skae.losses import LOSSES
from skae.networks import Network
from skae.networks._resolve import resolve_network
from skae.noise import Corruption, GaussianNoise, Noise, Units


class ReconstructionOutlierDetector(OutlierMixin, SetOutputMixin, NetworkEstimator):
    """Outlier detection by how badly a row is reconstructed, and where.

    Two experts reconstruct every row. An ensemble of neural networks predicts each
    feature from others of the same row [1]_ [2]_; it is trained on the core, the rows
    that are most surely normal, and so tolerates anomalies among the training rows. And
    the nearest training rows reconstruct it from its surroundings [3]_; none vouches
    for itself, and those that are rare themselves vouch for little. How rare an
    expert's error is among training rows is its surprise. The score of a row combines
    both surprises, and is the sum of contributions of the features.

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
    hidden_layer_sizes : "auto", int or array-like of int, default="auto"
        Widths of the hidden layers, or of a single one; shorthand for
        ``network=DenseNetwork(hidden_layer_sizes)``. ``"auto"`` is one layer of 64.
    activation : {"identity", "logistic", "tanh", "relu", "elu", "selu", "gelu", \
            "silu"}, default="silu"
        Activation function of the hidden layers; shorthand, as `hidden_layer_sizes`.
    noise : "auto", Noise or None, default="auto"
        Noise on the visible features during training. ``"auto"`` is
        ``GaussianNoise(0.1, unit="std")``.
    core_fraction : float, default=0.75
        Share of the training rows that the networks may train on, in (0, 1]. One if
        none of them is an anomaly.
    n_neighbors : int or None, default=5
        Number of nearest training rows that reconstruct a row; all of them if there are
        no more. None leaves this expert out: what remains is an ensemble of
        autoencoders.
    batch_size : "auto" or int, default="auto"
        Rows in a step; ``"auto"`` takes 128.
    learning_rate_init : "auto" or float, default="auto"
        Learning rate of Adam before it decays; ``"auto"`` takes 0.02.
    max_iter : int, default=2
        Largest number of rounds. A round is one and a half passes over the core, but at
        least 20 and at most 300 steps. Nothing is held out that could end a training
        in time, because anomalies among the rows would decide. More rounds do no harm,
        since features are judged only where they were hidden: ten of them rank a little
        better where anomalies are among the training rows.
    tol : float, default=1e-3
        Relative decrease of the held-out loss that counts as progress; of the training
        loss where nothing is held out.
    n_iter_no_change : int, default=3
        Rounds without progress after which the learning rate decays to zero; the decay
        takes 30 % of the rounds run so far and ends the training.
    device : str or torch.device, default="cpu"
        Where the network is trained. It predicts on the CPU.
    random_state : int, RandomState instance or None, default=None
        Determines the core, the initial weights, which features are hidden, and the
        order of the rows. Pass an int for the same result in every call.
    verbose : int, default=0
        Whether to show the training loss of each round and, where rows are held out,
        the validation score: in a progress bar or, where the output is no terminal, in
        a line.

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
    uses_network_ : bool
        True: there is no start that could do without it.
    n_iter_ : int
        Number of rounds.
    loss_curve_ : list of float
        Training loss in each round.
    validation_scores_, start_validation_score_, best_validation_score_ : None
        No rows are held out.
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

    _parameter_constraints: ClassVar[Constraints] = {
        **NetworkEstimator._parameter_constraints,
        **NETWORK,
        "contamination": [
            StrOptions({"auto"}),
            Interval(Real, 0, 0.5, closed="right"),
        ],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [Interval(Real, 0, 1, closed="right")],
        "noise": [StrOptions({"auto"}), Noise, None],
        "core_fraction": [Interval(Real, 0, 1, closed="right")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        *,
        contamination: Literal["auto"] | float = "auto",
        n_estimators: int = 4,
        max_samples: float = 1.0,
        network: Literal["dense"] | Network = "dense",
        hidden_layer_sizes: Literal["auto"] | int | Sequence[int] = "auto",
        activation: str = "silu",
        noise: Literal["auto"] | Noise | None = "auto",
        core_fraction: float = 0.75,
        n_neighbors: int | None = 5,
        batch_size: Literal["auto"] | int = "auto",
        learning_rate_init: Literal["auto"] | float = "auto",
        max_iter: int = 2,
        tol: float = 1e-3,
        n_iter_no_change: int = 3,
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
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @transaction
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
        table = self._check_X(X, reset=True, ensure_min_samples=2)
        network = resolve_network(
            self.network, self.hidden_layer_sizes, self.activation
        )
        draws = Draws(self.random_state)
        rows = Rows.of(table, self.core_fraction, draws.random_state)
        module = MaskedAutoencoder.build(
            network, table.shape[1], self.n_estimators, draws.generator
        )
        tensors = rows.tensors()
        hide = HiddenFeatures(self._corruption(tensors["input"], rows))
        samples = rows.samples(self.n_estimators, self.max_samples, draws.generator)
        problem = Problem(
            module, Objective(LOSSES["squared_error"], hide), tensors, samples
        )
        settings = self._settings(
            samples, batch_size=128, learning_rate=0.02, passes=1.5
        )
        return self._learn(problem, rows, draws, {"X": X, "y": y}, settings)

    def _take_over(
        self, rows: Rows, problem: Problem[MaskedAutoencoder], history: History
    ) -> None:
        """Let the trained networks judge beside the nearest rows."""
        self._record(history, Verdict(uses_network=True))
        self._fitted, self.training_scores_ = Panel.fit_scores(
            problem.module, rows, self.n_neighbors
        )
        self.experts_ = self._fitted.experts
        self.module_ = problem.module
        self.offset_ = self.threshold(
            0.01 if self.contamination == "auto" else self.contamination
        )

    def score_samples(self, X) -> np.ndarray:
        """Return how normal rows are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to judge.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Minus the cubic mean of the surprises of the experts, in which the nearest
            rows count three times: the lower, the more abnormal. Zero is the best. A
            surprise of 0.7, that is ``-log(0.5)``, says that one half of the training
            rows have an error at least as large; beyond three quarters of them it grows
            in proportion to the error.
        """
        check_is_fitted(self)
        return self._fitted.scores(self._check_X(X))

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
        contributions : ndarray or DataFrame of shape (n_samples, n_features)
            Shares of the features in the errors of the experts, each expert weighted by
            its part in the score; not negative, and in every row their sum is
            ``-score_samples``. What the networks expected instead is returned by
            :meth:`reconstruct`. A DataFrame if ``set_output`` asks for one.
        """
        check_is_fitted(self)
        contributions = self._fitted.contributions(self._check_X(X))
        return in_container(self, contributions, X, check_feature_names_in(self))

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
        X_expected : ndarray or DataFrame of shape (n_samples, n_features)
            Expected value of every feature, in the units of X. A DataFrame if
            ``set_output`` asks for one.
        """
        check_is_fitted(self)
        expected = map_blocks(
            self._fitted.networks.reconstruct, self._check_X(X), self.n_features_in_
        )
        return in_container(self, expected, X, check_feature_names_in(self))

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
        if not (isinstance(contamination, Real) and 0 < contamination <= 0.5):
            raise ValueError(
                f"contamination must be a float in (0, 0.5], got {contamination!r}."
            )
        return float(np.percentile(self.training_scores_, 100 * contamination))

    def _corruption(self, inputs: torch.Tensor, rows: Rows) -> Corruption | None:
        noise = self.noise
        if noise == "auto":
            noise = GaussianNoise(0.1, unit="std")
        if noise is None:
            return None
        zero = rows.view.inputs(np.zeros(rows.X.shape[1]))[0]
        units = Units(torch.from_numpy(1 / rows.view.scale))
        return corruption_of(without_gaps(noise), inputs, zero, units)
