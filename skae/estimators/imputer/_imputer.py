"""The denoising autoencoder that stands where imputers stand."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import ClassVar, Literal

import numpy as np
import torch
from sklearn.base import TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skae._base import (
    CV,
    NETWORK,
    WIDTHS,
    Constraints,
    Draws,
    Interval,
    MissingValues,
    NetworkEstimator,
    check_feature_names_in,
    in_container,
    is_pandas_na,
    is_scalar_nan,
    loss_constraint,
    missing_mask,
    transaction,
    warn,
)
from skae._training import (
    Folds,
    History,
    Objective,
    Problem,
    Verdict,
    all_rows,
    choose_cross_validation,
)
from skae.estimators.imputer._columns import GapTable
from skae.estimators.imputer._examples import GapExamples
from skae.estimators.imputer._judged import JudgedFills
from skae.estimators.imputer._module import GapNetwork, QuantileEncoding
from skae.estimators.imputer._prediction import GapFiller
from skae.estimators.imputer._score import ScoreOfFills
from skae.estimators.imputer._start import fit_start
from skae.losses import Loss
from skae.losses._named import resolve_unlinked_loss

_PASSES = 4  # over the rows in a round
_FOLDS = 4


class DenoisingImputer(TransformerMixin, NetworkEstimator):
    """Fill gaps with a denoising autoencoder that starts at classical imputation.

    The start is the conditional mean of a Gaussian distribution, mixed column by column
    with what the nearest rows hold. A neural network that begins at zero learns to
    correct it on values that are known and were hidden from it; rows that it was not
    trained on decide how much of the correction is kept. New rows are filled in one
    pass, each by itself. Observed values are returned as they are.

    Parameters
    ----------
    missing_values : int, float, np.nan or pandas.NA, default=np.nan
        What stands for a missing value.
    hidden_layer_sizes : int or array-like of int, default=(64,)
        Widths of the hidden layers of the network; an int is a single layer.
    activation : {"identity", "logistic", "tanh", "relu", "elu", "selu", "gelu", \
            "silu"}, default="silu"
        Activation function of the hidden layers.
    loss : {"squared_error", "absolute_error"} or Loss, default="squared_error"
        What training minimises: with ``"squared_error"`` gaps are filled with an
        estimate of the mean, with ``"absolute_error"`` with one of the median.
    min_value, max_value : float, array-like of shape (n_features,) or None, \
            default=-np.inf and np.inf
        Least and largest value to fill with; None is no limit. In any case no gap is
        filled with a value outside of the range of the observed ones.
    batch_size : "auto" or int, default="auto"
        Rows in a step; ``"auto"`` takes 128.
    learning_rate_init : "auto" or float, default="auto"
        Learning rate of Adam before it decays; ``"auto"`` takes 0.02.
    max_iter : int, default=20
        Largest number of rounds. A round is four passes over the training rows, each
        with other values hidden, but at least 20 and at most 300 steps. Using all
        rounds is normal and warns nothing.
    tol : float, default=1e-3
        Relative decrease of the held-out loss that counts as progress; of the training
        loss where nothing is held out.
    n_iter_no_change : int, default=3
        Rounds without progress after which the learning rate decays to zero; the decay
        takes 30 % of the rounds run so far and ends the training.
    cv : "auto", int or None, default="auto"
        Number of networks that are trained together, each without another fold of the
        rows, and averaged; ``"auto"`` takes four. None trains one network on all rows,
        holds nothing out and keeps the network unconditionally. Fewer than 20 distinct
        rows are never split, and the start is kept as it is.
    add_indicator : bool, default=False
        Whether to append a :class:`~sklearn.impute.MissingIndicator` of the columns
        that had gaps in `fit`.
    keep_empty_features : bool, default=False
        Whether to keep columns without any observed value in `fit`, filled with zero,
        or to drop them.
    device : str or torch.device, default="cpu"
        Where the network is trained. It predicts on the CPU.
    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the folds, what is hidden and the order of the
        rows. Pass an int for the same result in every call.
    verbose : int, default=0
        Whether to show the training loss of each round and, where rows are held out,
        the validation score: in a progress bar or, where the output is no terminal, in
        a line.

    Attributes
    ----------
    statistics_ : ndarray of shape (n_features,)
        Mean of the observed values of each column, without those that are treated as
        missing (see Notes). Without any value, it is zero if the column is kept and NaN
        if it is dropped.
    indicator_ : :class:`~sklearn.impute.MissingIndicator` or None
        The indicator of missing values, if `add_indicator`.
    start_ : object
        What the network corrects: the Gaussian and the nearest rows.
    module_ : torch.nn.Module
        The network that corrects the start.
    uses_network_ : bool
        Whether the held-out rows proved that the network is of use.
    n_iter_ : int
        Number of rounds; zero if there was nothing to learn.
    loss_curve_ : list of float
        Training loss in each round.
    validation_scores_ : list of float or None
        Held-out score after each round, of the networks each alone.
    start_validation_score_, best_validation_score_ : float or None
        One minus the loss on hidden values of held-out rows, divided by that of the
        column means; of the start alone and of what was kept. None if no rows were
        held out or nothing could be hidden.
    history_ : list of dict
        For each round ``round``, ``loss``, ``steps``, ``duration`` of the steps in
        seconds and, with held-out rows, ``validation_loss``.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X has names that are all strings.

    See Also
    --------
    sklearn.impute.SimpleImputer : One value for all gaps of a column.
    sklearn.impute.KNNImputer : Means of the nearest rows.
    sklearn.impute.IterativeImputer : A model of each column, in turns.

    Notes
    -----
    An observed value that is very far from the middle of its column, thirty times as
    far as its values usually are, is returned as it is but otherwise treated as a
    missing one, in `fit` and afterwards: a mistyped cell neither changes what is
    learned nor fills a missing value beside it. In a column that is constant but for a
    few values, these few are treated in the same way.

    With fewer than two rows for each column, correlations are shrunken, by as much as
    held-out rows ask for, and no network is trained, unless ``cv=None``. The cost then
    grows with the number of columns, otherwise with its cube: with many rows, the
    imputer is for up to a few hundred columns.

    References
    ----------
    .. [1] P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, "Extracting and
       composing robust features with denoising autoencoders", ICML 2008.
    .. [2] R. J. A. Little and D. B. Rubin, "Statistical Analysis with Missing Data",
       Wiley, 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.impute import SimpleImputer
    >>> from skae import DenoisingImputer
    >>> X, _ = load_wine(return_X_y=True)
    >>> gaps = np.random.default_rng(0).uniform(size=X.shape) < 0.2
    >>> table = np.where(gaps, np.nan, X)
    >>> filled = DenoisingImputer(random_state=0).fit_transform(table)
    >>> mean = SimpleImputer().fit_transform(table)
    >>> errors = [np.abs((fill - X) / X.std(axis=0))[gaps] for fill in (filled, mean)]
    >>> bool(errors[0].mean() < 0.8 * errors[1].mean())
    True
    """

    _parameter_constraints: ClassVar[Constraints] = {
        **NetworkEstimator._parameter_constraints,
        **CV,
        **loss_constraint(unit_interval=False),
        "missing_values": [MissingValues(numeric_only=True)],
        "hidden_layer_sizes": WIDTHS,
        "activation": NETWORK["activation"],
        "min_value": [None, Interval(Real, None, None, closed="both"), "array-like"],
        "max_value": [None, Interval(Real, None, None, closed="both"), "array-like"],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
    }

    def __init__(
        self,
        *,
        missing_values: float = np.nan,
        hidden_layer_sizes: int | Sequence[int] = (64,),
        activation: str = "silu",
        loss: Literal["squared_error", "absolute_error"] | Loss = "squared_error",
        min_value: float | Sequence[float] | None = -np.inf,
        max_value: float | Sequence[float] | None = np.inf,
        batch_size: Literal["auto"] | int = "auto",
        learning_rate_init: Literal["auto"] | float = "auto",
        max_iter: int = 20,
        tol: float = 1e-3,
        n_iter_no_change: int = 3,
        cv: Literal["auto"] | int | None = "auto",
        add_indicator: bool = False,
        keep_empty_features: bool = False,
        device: str | torch.device = "cpu",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.missing_values = missing_values
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.min_value = min_value
        self.max_value = max_value
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.cv = cv
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @transaction
    def fit(self, X, y=None) -> DenoisingImputer:
        """Learn to fill the gaps of the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, with gaps or without.
        y : None
            Ignored, present for the convention.

        Returns
        -------
        self : DenoisingImputer
            Fitted estimator.

        Raises
        ------
        ValueError
            If X holds infinite values, or if a `min_value` is not below its
            `max_value`.

        Warns
        -----
        ConvergenceWarning
            If training diverges; the best weights before it are kept.
        """
        table, missing = self._check_gaps(X, reset=True)
        loss, draws = resolve_unlinked_loss(self.loss), Draws(self.random_state)
        limits = self._check_limits()
        gaps = GapTable.of(table, missing, limits, draws.random_state)
        folds = self._choose_folds(gaps.X, draws)
        examples = GapExamples.of(gaps.observed, draws.random_state)
        start, filled = fit_start(gaps, examples, folds, loss, draws.random_state)
        module = GapNetwork(
            QuantileEncoding.of(gaps.rows, gaps.observed),
            self.hidden_layer_sizes,
            self.activation,
            members=folds.members,
            generator=draws.generator,
        )
        problem = Problem(
            module,
            Objective(loss),
            examples.tensors(gaps.rows, gaps.columns.clip(filled)),
            examples.folds(folds),
        )
        provable = problem.provable and not gaps.is_wide
        worth = (provable or self.cv is None) and examples.hidden.any()
        filler = GapFiller.untrained(gaps.columns, start, self._fit_indicator(table))
        return self._learn(
            problem,
            (filler, examples.judged(np.arange(len(gaps.X)))),
            draws,
            {"X": X, "y": y},
            self._settings(
                problem.folds,
                batch_size=128,
                learning_rate=0.02,
                passes=_PASSES / examples.copies,
            ),
            worth=bool(worth),
            score=ScoreOfFills.of(problem).of_rows if problem.provable else None,
        )

    def _take_over(
        self,
        untrained: tuple[GapFiller, np.ndarray],
        problem: Problem[GapNetwork],
        history: History,
    ) -> None:
        """Keep as much of the network as held-out rows prove to be of use."""
        filler, judged = untrained
        module, verdict, score = problem.module, Verdict(len(history) > 0), None
        fills = JudgedFills.of(problem, judged)
        module.weight = float(verdict.uses_network)
        if problem.provable and fills.hidden.any():
            module.weight, verdict = fills.verdict(
                problem.objective.loss, problem.folds
            )
            score = ScoreOfFills.of(problem)
        self._record(history, verdict, score)
        residuals = fills.residuals(module.weight, filler.start.gaussian)
        self._fitted = filler.with_network(module, residuals)
        self.module_ = module
        self.start_ = filler.start
        self.indicator_ = filler.indicator
        empty = 0.0 if self.keep_empty_features else np.nan
        self.statistics_ = filler.columns.statistics(empty)

    def transform(self, X) -> np.ndarray:
        """Fill the gaps of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows with gaps.

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features_out)
            Rows without gaps, then the indicator of missing values if `add_indicator`.
            Columns that held nothing in `fit` are left out unless
            `keep_empty_features`.
        """
        check_is_fitted(self)
        table, missing = self._check_gaps(X)
        if not self._kept.all():
            names = check_feature_names_in(self)[~self._kept].tolist()
            warn(
                f"Columns without an observed value in fit are dropped: {names}. Set "
                "keep_empty_features=True to keep them, filled with zero."
            )
        filled = self._without_dropped(self._fitted.fill(table, missing))
        if self.indicator_ is None:
            return filled
        indicator = self.indicator_.transform(table).astype(filled.dtype)
        return np.hstack([filled, indicator])

    def imputation_std(self, X) -> np.ndarray:
        """Return the standard deviation of the true values from the filled ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows with gaps.

        Returns
        -------
        std : ndarray or DataFrame of shape (n_samples, n_features_out)
            Zero where a value is observed, and in columns that held nothing in `fit`.
            It is larger where less of a row is observed. A DataFrame if ``set_output``
            asks for one.
        """
        check_is_fitted(self)
        std = self._without_dropped(self._fitted.deviation(*self._check_gaps(X)))
        return in_container(self, std, X, check_feature_names_in(self)[self._kept])

    def sample(
        self,
        X,
        n_draws: int = 5,
        random_state: int | np.random.RandomState | None = None,
    ) -> np.ndarray:
        """Draw completed tables, for multiple imputation.

        Gaps are filled with values that may have been there instead of the expected
        ones. What is computed from each of the tables then differs by as much as the
        gaps leave open.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows with gaps.
        n_draws : int, default=5
            Number of tables.
        random_state : int, RandomState instance or None, default=None
            Determines the draws. Pass an int for the same draws in every call.

        Returns
        -------
        tables : ndarray of shape (n_draws, n_samples, n_features_out)
            Completed tables. What is observed is the same in all of them.
        """
        check_is_fitted(self)
        if not (isinstance(n_draws, Integral) and n_draws > 0):
            raise ValueError(f"n_draws must be a positive integer, got {n_draws!r}.")
        table, missing = self._check_gaps(X)
        draws = check_random_state(random_state)
        return self._without_dropped(self._fitted.draw(table, missing, n_draws, draws))

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Return the names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X; those seen in `fit` by default.

        Returns
        -------
        names : ndarray of str
            Names of the kept columns, then those of the indicator.
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        kept = names[self._kept]
        if self.indicator_ is None:
            return kept
        return np.concatenate([kept, self.indicator_.get_feature_names_out(names)])

    @property
    def _kept(self) -> np.ndarray:
        return ~np.isnan(self.statistics_)

    def _without_dropped(self, tables: np.ndarray) -> np.ndarray:
        """Kept columns of tables, which are not copied if nothing is dropped."""
        kept = self._kept
        return tables if kept.all() else tables[..., kept]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._takes_nan()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _takes_nan(self) -> bool:
        return is_scalar_nan(self.missing_values) or is_pandas_na(self.missing_values)

    def _check_gaps(self, X, *, reset: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """The table, and where it has gaps."""
        finite = "allow-nan" if self._takes_nan() else True
        table = self._check_table(X, reset=reset, ensure_all_finite=finite)
        missing = missing_mask(table, self.missing_values)
        self._check_magnitude(table, missing)
        if reset and missing.all():
            raise ValueError(
                "X has no observed value, so there is nothing to fill its gaps from."
            )
        return table, missing

    def _check_limits(self) -> np.ndarray:
        """Least and largest value of each column, of shape (2, n_features)."""
        limits = np.empty((2, self.n_features_in_))
        limits[0], limits[1] = -np.inf, np.inf
        for limit, name in zip(limits, ("min_value", "max_value"), strict=True):
            if getattr(self, name) is None:
                continue
            value = np.asarray(getattr(self, name), dtype=np.float64)
            if value.shape not in {(), limit.shape}:
                raise ValueError(
                    f"{name} must be a number or have the shape {limit.shape}, got an "
                    f"array of shape {value.shape}."
                )
            limit[:] = value
        if not (limits[0] < limits[1]).all():
            raise ValueError("min_value must be below max_value in every column.")
        return limits

    def _fit_indicator(self, table: np.ndarray) -> MissingIndicator | None:
        if not self.add_indicator:
            return None
        missing_values = np.nan if self._takes_nan() else self.missing_values
        indicator = MissingIndicator(missing_values=missing_values, error_on_new=False)
        return indicator.set_output(transform="default").fit(table)

    def _choose_folds(self, X: np.ndarray, draws: Draws) -> Folds:
        if self.cv is None:
            return all_rows(len(X))
        n_folds = _FOLDS if self.cv == "auto" else self.cv
        return choose_cross_validation(X, n_folds, draws.random_state)
