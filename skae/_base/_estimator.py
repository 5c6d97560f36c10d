"""What all estimators share: input checks, the course of a fit, fitted state."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import validate_data

from skae._base._callbacks import CallbackSupportMixin, FitTask
from skae._base._dates import check_no_dates
from skae._base._documentation import page_template
from skae._base._draws import Draws
from skae._base._images import check_flat
from skae._base._parameters import TRAINING, Constraints
from skae._base._progress import Progress, ScoreOfErrors, progress_of, say
from skae._base._values import check_magnitude, place_of_gap
from skae._base._warning import warn
from skae._base._words import validate
from skae._training import (
    FEWEST_STEPS,
    MOST_STEPS,
    Folds,
    History,
    Problem,
    Settings,
    Verdict,
    available_device,
    steps_of,
    train,
)

#: Parts of a training and the names by which its tasks and its history tell them apart.
#: A single one needs no name.
Phases = Iterable[tuple[str | None, Problem]]


class NetworkEstimator(CallbackSupportMixin, BaseEstimator, ABC):
    """Base of the estimators.

    It knows arrays, the course of a fit and fitted state, nothing of methods. ``fit``
    of an estimator makes a problem and what predicts by the start alone, and hands both
    to :meth:`_learn`. ``_fitted`` is what a fitted estimator predicts with.
    """

    _parameter_constraints: ClassVar[Constraints] = TRAINING
    _takes_images: ClassVar[bool] = False
    #: Read by scikit-learn for the link in the HTML representation.
    _doc_link_module = "skae"

    @property
    def _doc_link_template(self) -> str:
        return page_template()

    def _validate_params(self) -> None:
        # Called by scikit-learn before a fit.
        validate(self)

    def _check_X(self, X: Any, *, reset: bool = False, **checks: Any) -> np.ndarray:
        """Rows without gaps."""
        X = self._check_table(X, reset=reset, ensure_all_finite="allow-nan", **checks)
        place = place_of_gap(X, vars(self).get("feature_names_in_"))
        if place is not None:
            raise ValueError(
                f"Input X contains NaN in {place}, which {type(self).__name__} does "
                "not accept; fill the gaps before it, for instance with "
                "skae.DenoisingImputer."
            )
        self._check_magnitude(X)
        return X

    def _check_table(self, X: Any, *, reset: bool = False, **checks: Any) -> np.ndarray:
        """Rows that may have gaps, if the checks allow them."""
        check_flat(X, network=reset and self._takes_images)
        check_no_dates(X)
        table: np.ndarray = validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], order="C", **checks
        )
        return table

    def _check_magnitude(
        self, X: np.ndarray, missing: np.ndarray | None = None
    ) -> None:
        """Raise a ValueError if a value is too large to be computed with."""
        names = vars(self).get("feature_names_in_")
        check_magnitude(X, "X", names, missing=missing)

    def _settings(
        self,
        folds: Folds,
        *,
        batch_size: int,
        learning_rate: float,
        passes: float = 3,
        fewest_steps: int = FEWEST_STEPS,
        most_steps: int = MOST_STEPS,
    ) -> Settings:
        """Parameters of the training, with what stands for ``"auto"`` in them.

        A round is so many passes over the rows, but has no fewer and no more steps
        than given.
        """
        if self.batch_size != "auto":
            batch_size = self.batch_size
        if self.learning_rate_init != "auto":
            learning_rate = self.learning_rate_init
        return Settings(
            batch_size,
            steps_of(passes, folds.longest, batch_size, fewest_steps, most_steps),
            learning_rate,
            self.max_iter,
            self.tol,
            self.n_iter_no_change,
            available_device(self.device),
        )

    def _learn(
        self,
        problem: Problem,
        untrained: Any,
        draws: Draws,
        passed: dict[str, Any],
        settings: Settings,
        *,
        worth: bool = True,
        score: ScoreOfErrors | None = None,
        phases: Phases | None = None,
        max_phases: int = 0,
    ) -> Self:
        """Train, phase by phase, and take over what was learned.

        Parameters
        ----------
        problem : Problem
            What is trained.
        untrained : object
            What predicts by the start alone, or what it is made of; passed on to
            :meth:`_take_over`.
        draws : Draws
        passed : dict
            What the user passed to ``fit``.
        settings : Settings
        worth : bool
            Whether there is anything to learn that could be kept.
        score : callable or None
            Turns errors of held-out rows into a score, to be shown while `problem` is
            trained; None where there is none.
        phases : iterable of (str, Problem) or None
            Parts of the training that have a name, in their order. None is a single
            part, whose rounds are the parts of the fit.
        max_phases : int
            Largest number of phases.
        """
        history: History = []

        def if_it_ended_here(phase: str | None, rounds: History) -> dict[str, Any]:
            fitted = copy.copy(self)
            so_far = history + _in_phase(phase, rounds)
            fitted._take_over(untrained, problem.snapshot(), so_far)
            return fitted.__dict__

        fit = FitTask.whole(self, passed, max_phases or settings.max_iter)
        single = [(None, problem)] if worth else []
        for name, part in single if phases is None else phases:
            fitted_after = partial(if_it_ended_here, name)
            task = fit if name is None else fit.subtask(name, settings.max_iter)
            watch = task.watch(fitted_after)
            with self._progress(name, score if part is problem else None) as report:
                training = train(part, settings, draws.generator, watch, report)
            if training.diverged:
                _warn_of_divergence(len(training.history))
            history += _in_phase(name, training.history)
            if task is not fit and task.end(partial(fitted_after, [])):
                break
        if not history and self.verbose:
            say(f"{type(self).__name__}: nothing to learn, the start is kept")
        self._take_over(untrained, problem, history)
        fit.end(lambda: self.__dict__)
        return self

    def _progress(self, phase: str | None, score: ScoreOfErrors | None) -> Progress:
        title = type(self).__name__ + ("" if phase is None else f" ({phase})")
        return progress_of(title, self.max_iter, score, verbose=self.verbose)

    @abstractmethod
    def _take_over(self, untrained: Any, problem: Problem, history: History) -> None:
        """Set all fitted attributes, and keep of the network what is of use."""

    def _record(
        self,
        history: History,
        verdict: Verdict,
        score: Callable[[float], float] | None = None,
        phase: str | None = None,
    ) -> None:
        """Set the attributes that tell of a training, or of one of its phases.

        Parameters
        ----------
        score : callable or None
            Turns held-out errors into scores; None if there are none.
        """
        rounds = [row for row in history if row.get("phase") == phase]
        self.history_ = history
        self.n_iter_ = len(rounds)
        self.loss_curve_ = [row["loss"] for row in rounds]
        self.uses_network_ = verdict.uses_network
        self.validation_scores_ = None
        if score is not None:
            self.validation_scores_ = [score(row["validation_loss"]) for row in rounds]
        self.start_validation_score_, self.best_validation_score_ = (
            None if score is None or error is None else score(error)
            for error in (verdict.start_error, verdict.kept_error)
        )

    def __sklearn_is_fitted__(self) -> bool:
        return "_fitted" in vars(self)


def _in_phase(phase: str | None, rounds: History) -> History:
    """Return the rounds of a history with the name of their phase in front."""
    return [({} if phase is None else {"phase": phase}) | row for row in rounds]


def _warn_of_divergence(n_rounds: int) -> None:
    warn(
        f"Training diverged in round {n_rounds}; the best weights before it are kept. "
        "Lower learning_rate_init, or scale the columns of X, for instance with "
        "StandardScaler.",
        ConvergenceWarning,
    )
