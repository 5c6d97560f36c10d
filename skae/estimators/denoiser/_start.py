"""The classical methods that a denoiser can start from, and which it takes."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
import torch

from skae._starts import (
    Examples,
    IdentityStart,
    LinearStart,
    LocalStart,
    RestoringStart,
)
from skae._tables import spread
from skae._training import Folds, Objective, Problem, Settings, held_out_error, train
from skae.estimators.denoiser._examples import Pairs
from skae.estimators.denoiser._module import Restorer
from skae.estimators.denoiser._surroundings import relative
from skae.losses import LOSSES

_MOST_INPUTS = 4_096  # of a linear map, whose cost grows with their cube
_FEW_PIXELS = 512  # a linear map was better than a filter at 64 of them, not at 784
_ROWS_PER_INPUT = 10  # differently degraded rows that a linear map is fitted to
_WINDOWS = 2**18  # enough for a few hundred weights of a filter
_ROUNDING = 1e-6  # of float32, in which the network is trained
_TRIAL_ROUNDS = 1  # two chose no better, and cost as much as two tenths of a fit


class Candidate(ABC):
    """A method that a denoiser can start from."""

    @abstractmethod
    def obstacle(self, pairs: Pairs) -> str | None:
        """Tell why the method does not apply to pairs; None if it does."""

    def worthwhile(self, pairs: Pairs) -> bool:
        """Tell whether it can be the best, so that it is worth a trial."""
        return True

    @abstractmethod
    def fit(
        self, pairs: Pairs, folds: Folds, generator: torch.Generator
    ) -> RestoringStart:
        """Fit it to the training rows of the only member.

        The held-out rows choose parameters; the generator is the source of the noise.
        """


class Identity(Candidate):
    """The degraded row as it is."""

    def obstacle(self, pairs: Pairs) -> str | None:
        degraded, clean = pairs.shapes
        if degraded == clean:
            return None
        n_in, n_out = math.prod(degraded), math.prod(clean)
        return f"keeps the number of features, but X has {n_in} and X_clean {n_out}"

    def fit(
        self, pairs: Pairs, folds: Folds, generator: torch.Generator
    ) -> IdentityStart:
        degraded, clean = pairs.views
        shift = (degraded.mean - clean.mean) / clean.scale
        gain = degraded.scale / clean.scale
        return IdentityStart(gain, torch.from_numpy(shift)[None])


class Linear(Candidate):
    """A ridge regression of the clean row on the degraded one."""

    def obstacle(self, pairs: Pairs) -> str | None:
        degraded, clean = (math.prod(shape) for shape in pairs.shapes)
        if max(degraded * (1 + pairs.gaps), clean) <= _MOST_INPUTS:
            return None
        return f"is for rows of up to {_MOST_INPUTS} values, gaps counted twice"

    def worthwhile(self, pairs: Pairs) -> bool:
        clean = pairs.shapes[1]
        return len(clean) == 1 or math.prod(clean) <= _FEW_PIXELS

    def fit(
        self, pairs: Pairs, folds: Folds, generator: torch.Generator
    ) -> LinearStart:
        training, held_out = folds.training[0], folds.held_out[0]
        n_inputs = math.prod(pairs.shapes[0]) * (1 + pairs.gaps)
        wanted = math.ceil(_ROWS_PER_INPUT * n_inputs / len(training))
        return LinearStart(gaps=pairs.gaps).fit(
            _relative(pairs, pairs.blocks(training, min(wanted, 20), generator)),
            _relative(pairs, pairs.as_given(held_out)),
        )


class Local(Candidate):
    """A least-squares filter of the pixels around a pixel."""

    def obstacle(self, pairs: Pairs) -> str | None:
        if len(pairs.shapes[1]) == 3:
            return None
        return "is for images (network=ConvolutionalNetwork(image_shape=...))"

    def fit(self, pairs: Pairs, folds: Folds, generator: torch.Generator) -> LocalStart:
        height, width, _ = pairs.shapes[0]
        enough = math.ceil(_WINDOWS / (height * width))
        training = spread(folds.training[0], enough)
        held_out = spread(folds.held_out[0], enough)
        passes = min(max(enough // len(training), 1), 10)
        return LocalStart(gaps=pairs.gaps).fit(
            _relative(pairs, pairs.blocks(training, passes, generator)),
            _relative(pairs, pairs.as_given(held_out)),
        )


#: By name, in the order in which they are taken where no rows can choose.
CANDIDATES: dict[str, Candidate] = {
    "identity": Identity(),
    "linear": Linear(),
    "local": Local(),
}


def _relative(pairs: Pairs, examples: Examples) -> Examples:
    return (relative(pairs.surroundings, x, y) for x, y in examples)


def fit_starts(
    name: str, pairs: Pairs, folds: Folds, generator: torch.Generator
) -> dict[str, RestoringStart]:
    """Fit the starts to choose from: one, or with ``"auto"`` all that can be best."""
    obstacles = {
        candidate: obstacle
        for candidate in CANDIDATES
        if (obstacle := CANDIDATES[candidate].obstacle(pairs)) is not None
    }
    possible = [candidate for candidate in CANDIDATES if candidate not in obstacles]
    if name in obstacles or not possible:
        refused = name if name in obstacles else "linear"
        remedy = (
            f"set start={possible[-1]!r}"
            if possible
            else "reduce the number of features or, for images, pass "
            "network=ConvolutionalNetwork(image_shape=...)"
        )
        raise ValueError(f"start={refused!r} {obstacles[refused]}; {remedy}.")
    names = [name]
    if name == "auto" and folds.judged_members:
        names = [n for n in possible if CANDIDATES[n].worthwhile(pairs)]
    elif name == "auto":
        names = possible[:1]
    return {name: CANDIDATES[name].fit(pairs, folds, generator) for name in names}


@dataclass(frozen=True)
class ChosenStart:
    """An untrained network beside the start that was chosen.

    Attributes
    ----------
    name : str
        Name of the start.
    problem : Problem
    errors : ndarray
        Mean squared errors of held-out rows with the start alone.
    improvable : bool
        Whether there is a gain to make, and rows that could prove it.
    """

    name: str
    problem: Problem[Restorer]
    errors: np.ndarray
    improvable: bool


def choose_start(
    starts: dict[str, RestoringStart],
    problem: Problem[Restorer],
    settings: Settings,
    generator: torch.Generator,
) -> ChosenStart:
    """Choose the start from which a short training comes farthest.

    The start that is best alone is often the wrong one: a large linear map knows the
    rows that it was fitted to, and leaves a network errors that new rows do not have.
    A training that diverges takes a start nowhere. Where nothing is held out, the first
    one is taken.

    Parameters
    ----------
    problem : Problem
        Its restorer has no start yet.
    """
    problems = {
        name: replace(problem, module=problem.module.with_start(start))
        for name, start in starts.items()
    }
    errors = {name: squared_errors(problems[name]) for name in starts}
    units = {name: _root_mean(error) for name, error in errors.items()}
    if {"identity", "local"} <= set(starts):
        # One is among the filters that the other was chosen from: two of a kind.
        del problems[max("identity", "local", key=lambda name: units[name])]
    improvable = min(units.values()) > _ROUNDING
    best = min(problems, key=lambda name: units[name])
    if improvable:
        for name, own in problems.items():
            own.module.unit, own.module.weight = units[name], 1.0
        best = _farthest(problems, settings, generator)
    return ChosenStart(best, problems[best], errors[best], improvable)


def _farthest(
    problems: dict[str, Problem[Restorer]],
    settings: Settings,
    generator: torch.Generator,
) -> str:
    """Return the name of the problem that a short training takes farthest."""

    def error(name: str) -> float:
        # In float32, as in training, for speed.
        module = copy.deepcopy(problems[name].module).float()
        problem = replace(problems[name], module=module)
        start = float(held_out_error(problem).mean())
        short = replace(settings, max_iter=_TRIAL_ROUNDS)
        rounds = train(problem, short, generator).history
        losses = [row["validation_loss"] for row in rounds]
        return min([start, *filter(math.isfinite, losses)])

    if len(problems) == 1:
        return next(iter(problems))
    return min(problems, key=error)


def squared_errors(problem: Problem[Restorer]) -> np.ndarray:
    """Mean squared error of each held-out row, whatever the loss.

    Where there can be gaps, it is that of what was hidden; rows without any are left
    out.
    """
    if not problem.provable:
        return np.empty(0)
    squared = Objective(LOSSES["squared_error"], problem.objective.prepare)
    errors = held_out_error(replace(problem, objective=squared))
    return errors_of_hidden(problem, errors)


def errors_of_hidden(problem: Problem[Restorer], errors: np.ndarray) -> np.ndarray:
    """Mean error of what was hidden of each held-out row, from that of all its values.

    Rows in which nothing was hidden are left out; without gaps, all is as it was.
    """
    if not problem.module.gaps:
        return errors
    rows = problem.folds.held_out_rows
    hidden = problem.tensors["input"][rows].isnan().flatten(1)
    share = hidden.double().mean(dim=1).numpy()
    return errors[share > 0] / share[share > 0]


def _root_mean(errors: np.ndarray) -> float:
    """Root of the mean of squared errors; zero if there are none."""
    return float(np.sqrt(errors.mean())) if len(errors) else 0.0
