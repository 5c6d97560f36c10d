"""The denoising autoencoder that stands where imputers stand."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from sklearn.base import TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skae._base._callbacks import CallbackSupportMixin, FitTask
from skae._base._estimator import NetworkEstimator
from skae._base._sklearn import (
    Interval,
    MissingValues,
    StrOptions,
    check_feature_names_in,
    is_pandas_na,
    is_scalar_nan,
    missing_mask,
    validated_fit,
)
from skae._training import (
    Folds,
    Gate,
    History,
    Objective,
    Problem,
    available_device,
    choose_folds,
    held_out_output,
    train,
    weigh,
)
from skae.estimators.imputer._columns import Columns
from skae.estimators.imputer._examples import GapExamples, start_from
from skae.estimators.imputer._module import GapNetwork, QuantileEncoding
from skae.estimators.imputer._prediction import GapFiller
from skae.estimators.imputer._residual_quantiles import ResidualQuantiles
from skae.estimators.imputer._start import ConditionalStart
from skae.losses import LOSSES
from skae.networks import ACTIVATIONS

_PASSES = 4  # over the rows in a round
_TINY = float(np.finfo(np.float64).tiny)


class DenoisingImputer(CallbackSupportMixin, TransformerMixin, NetworkEstimator):
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
    hidden_layer_sizes : array-like of int, default=(128,)
        Widths of the hidden layers of the network.
    activation : {"identity", "logistic", "tanh", "relu", "elu", "selu", "gelu", \
            "silu"}, default="silu"
        Activation function of the hidden layers.
    loss : {"squared_error", "absolute_error"}, default="squared_error"
        What training minimises: with ``"squared_error"`` gaps are filled with an
        estimate of the mean, with ``"absolute_error"`` with one of the median.
    min_value, max_value : float, array-like of shape (n_features,) or None, \
            default=-np.inf and np.inf
        Least and largest value to fill with; None is no limit. In any case no gap is
        filled with a value outside of the range of the observed ones.
    batch_size : int, default=128
        Rows in a step.
    learning_rate_init : float, default=0.01
        Learning rate of Adam before it decays.
    max_iter : int, default=20
        Largest number of rounds. A round is four passes over the training rows, each
        with other values hidden, but at least 20 and at most 300 steps. Using all
        rounds is normal and warns nothing.
    tol : float, default=1e-3
        Relative decrease of the held-out loss that counts as progress; of the training
        loss where nothing is held out.
    n_iter_no_change : int, default=5
        Rounds without progress after which the learning rate decays to zero; the decay
        takes 30 % of the rounds run so far and ends the training.
    cv : int or None, default=4
        Number of networks that are trained together, each without another fold of the
        rows, and averaged. None trains one network on all rows, holds nothing out and
        keeps the network unconditionally. Fewer than 20 distinct rows are never split,
        and the start is kept as it is.
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
        Whether to show a progress bar with losses and remaining time.

    Attributes
    ----------
    statistics_ : ndarray of shape (n_features,)
        Mean of the observed values of each column. Without any, it is zero if the
        column is kept and NaN if it is dropped.
    indicator_ : :class:`~sklearn.impute.MissingIndicator` or None
        The indicator of missing values, if `add_indicator`.
    module_ : torch.nn.Module
        The network that corrects the start.
    uses_network_ : bool
        Whether the held-out rows proved that the network is of use.
    n_iter_ : int
        Number of rounds; zero if there was nothing to learn.
    loss_curve_ : list of float
        Training loss in each round.
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
    A row is filled at a cost that grows with the cube of the number of columns, so the
    imputer is for tables of up to a few hundred columns.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "missing_values": [MissingValues(numeric_only=True)],
        "hidden_layer_sizes": ["array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "loss": [StrOptions({"squared_error", "absolute_error"})],
        "min_value": [None, Interval(Real, None, None, closed="both"), "array-like"],
        "max_value": [None, Interval(Real, None, None, closed="both"), "array-like"],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, 1, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "cv": [Interval(Integral, 2, None, closed="left"), None],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
        "device": [str, torch.device],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        missing_values: float = np.nan,
        hidden_layer_sizes: Sequence[int] = (128,),
        activation: str = "silu",
        loss: Literal["squared_error", "absolute_error"] = "squared_error",
        min_value: float | Sequence[float] | None = -np.inf,
        max_value: float | Sequence[float] | None = np.inf,
        batch_size: int = 128,
        learning_rate_init: float = 0.01,
        max_iter: int = 20,
        tol: float = 1e-3,
        n_iter_no_change: int = 5,
        cv: int | None = 4,
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

    @validated_fit(prefer_skip_nested_validation=True)
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
        self._forget()
        passed = X, y
        table, missing = self._check_gaps(X, reset=True)
        fillable = ~missing.all(axis=0)
        limits = self._check_limits()[:, fillable]
        loss, device = LOSSES[self.loss], available_device(self.device)
        random_state = check_random_state(self.random_state)
        generator = torch.Generator().manual_seed(random_state.randint(2**31 - 1))

        X, known = np.ascontiguousarray(table[:, fillable]), ~missing[:, fillable]
        folds = choose_folds(X, self.cv, 0.1, random_state)
        columns = Columns.of_observed(X, known)
        rows, observed = columns.standardise(X, known), torch.from_numpy(known)
        examples = GapExamples(observed, random_state)
        start, filled = start_from(
            rows, observed, examples, folds.held_out, loss, random_state
        )
        tensors = examples.tensors(rows, columns.clip(filled))
        folds = _folds_of_examples(folds, examples)
        module = GapNetwork(
            QuantileEncoding(rows, observed),
            self.hidden_layer_sizes,
            self.activation,
            members=folds.members,
            generator=generator,
        )

        problem = module, Objective(loss), tensors, folds

        def conclude(
            imputer: DenoisingImputer, history: History, trained: Problem
        ) -> None:
            imputer.statistics_ = np.full(
                len(fillable), 0.0 if self.keep_empty_features else np.nan
            )
            imputer.statistics_[fillable] = columns.mean
            imputer.indicator_ = self._fit_indicator(table)
            imputer._record(history, trained)
            imputer._filler = GapFiller(
                np.flatnonzero(fillable),
                limits,
                columns,
                start,
                imputer.module_,
                _residual_quantiles(trained, start, examples),
            )

        def conclude_round(imputer: DenoisingImputer, history: History) -> None:
            # A copy, because the training goes on.
            conclude(imputer, history, (copy.deepcopy(module), *problem[1:]))

        task = FitTask.whole(self, *passed, max_subtasks=self.max_iter)
        provable = len(folds.held_out_rows) > 0
        history: History = []
        if (provable or self.cv is None) and examples.hidden.any():
            history = train(
                *problem,
                generator=generator,
                batch_size=self.batch_size,
                learning_rate=self.learning_rate_init,
                max_iter=self.max_iter,
                tol=self.tol,
                n_iter_no_change=self.n_iter_no_change,
                passes=_PASSES / examples.copies,
                device=device,
                verbose=self.verbose,
                watch=task.watch(conclude_round),
            )
        conclude(self, history, problem)
        task.end()
        return self

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
            warnings.warn(
                f"Columns without an observed value in fit are dropped: {names}. Set "
                "keep_empty_features=True to keep them, filled with zero.",
                stacklevel=2,
            )
        filled = self._filler.fill(table, missing)[:, self._kept]
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
        std : ndarray of shape (n_samples, n_features_out)
            Zero where a value is observed, and in columns that held nothing in `fit`.
            It is larger where less of a row is observed.
        """
        check_is_fitted(self)
        return self._filler.deviation(*self._check_gaps(X))[:, self._kept]

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
        table, missing = self._check_gaps(X)
        random_state = check_random_state(random_state)
        tables = self._filler.draw(table, missing, n_draws, random_state)
        return tables[..., self._kept]

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

    def _record(self, history: History, problem: Problem) -> None:
        """Take over the network, as far as held-out rows prove it of use."""
        module, *_, folds = problem
        module.weight = float(len(history) > 0)
        self.history_ = history
        self.n_iter_ = len(history)
        self.loss_curve_ = [row["loss"] for row in history]
        self.start_validation_score_ = self.best_validation_score_ = None
        if history and len(folds.held_out_rows) > 0:
            # The networks are averaged, from which each gains more than it shows when
            # it is judged alone: no significance is asked for.
            gate = weigh(*problem, Gate(standard_errors=0))
            error_of_mean = _error_of_mean(problem)
            start, kept = gate.start_error_.mean(), gate.held_out_error_.mean()
            self.start_validation_score_ = float(1 - start / error_of_mean)
            self.best_validation_score_ = float(1 - kept / error_of_mean)
        self.uses_network_ = module.weight > 0
        self.module_ = module.eval().requires_grad_(False)


def _folds_of_examples(folds: Folds, examples: GapExamples) -> Folds:
    """Folds of the examples, all copies of a row in one.

    The networks of all folds are kept, so one for all rows is needed only if there is
    no other.
    """
    if len(folds.held_out_rows) == 0:
        return Folds([examples.of_rows(folds.training[-1])], folds.held_out[-1:])
    members = folds.members - 1
    return Folds(
        [examples.of_rows(rows) for rows in folds.training[:members]],
        [examples.judged(rows, members) for rows in folds.held_out[:members]],
    )


def _error_of_mean(problem: Problem) -> float:
    """Loss of filling the hidden values of held-out rows with the column means."""
    _, objective, tensors, folds = problem
    judged = torch.from_numpy(folds.held_out_rows)
    truth = tensors["target"][judged] + tensors["input"][judged]
    error = objective.loss.pointwise(torch.zeros_like(truth), truth)
    return max(float((error * tensors["weight"][judged]).mean()), _TINY)


def _residual_quantiles(
    problem: Problem, start: ConditionalStart, examples: GapExamples
) -> ResidualQuantiles:
    """Residuals of hidden values of held-out rows; of all rows if none are."""
    module, _, tensors, folds = problem
    if len(folds.held_out_rows) == 0:
        rows = np.arange(examples.n_samples)
        folds = Folds(folds.training, [examples.judged(rows)])
    judged = folds.held_out_rows
    residuals = tensors["target"][judged].numpy()
    residuals = residuals - held_out_output(module, tensors, folds)
    deviations = start.gaussian.deviation(examples.observed[judged])
    return ResidualQuantiles(
        residuals, deviations.numpy(), examples.hidden[judged].numpy()
    )
