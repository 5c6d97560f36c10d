"""Shapes, degradation, pairs and starts of a denoiser, each by itself."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import combinations

import numpy as np
import pytest
import torch
from torch import nn

from skae._starts import RestoringStart
from skae._tables import Coordinates
from skae._training import Folds, Objective, Problem, Settings, all_rows, train
from skae.estimators.denoiser import _start
from skae.estimators.denoiser._checks import row_shapes
from skae.estimators.denoiser._examples import Degradation, Pairs
from skae.estimators.denoiser._module import Restorer
from skae.estimators.denoiser._start import choose_start, fit_starts
from skae.estimators.denoiser._surroundings import NoSurroundings
from skae.losses import LOSSES
from skae.networks import ConvolutionalNetwork, DenseNetwork, Network
from skae.noise import GaussianNoise, MaskingNoise, Noise, SaltAndPepperNoise

Shape = tuple[int, ...]


@pytest.mark.parametrize(
    "network, n_in, n_out, shapes",
    [
        (ConvolutionalNetwork((8, 8)), 64, 64, ((8, 8, 1), (8, 8, 1))),
        (ConvolutionalNetwork((8, 6, 3)), 144, 144, ((8, 6, 3), (8, 6, 3))),
        (ConvolutionalNetwork((8, 8)), 16, 64, ((4, 4, 1), (8, 8, 1))),
        (ConvolutionalNetwork((9, 6, 2)), 12, 108, ((3, 2, 2), (9, 6, 2))),
        (DenseNetwork(), 64, 64, ((64,), (64,))),
        (DenseNetwork(), 7, 5, ((7,), (5,))),
    ],
)
def test_shapes_in_which_a_network_sees_degraded_and_clean_rows(
    network: Network, n_in: int, n_out: int, shapes: tuple[Shape, Shape]
) -> None:
    assert row_shapes(network, n_in, n_out) == shapes


class TestDegradation:
    """Noise in the units of X, whatever the coordinates are."""

    def degraded(self, spec: Noise, X: np.ndarray, mean, unit: float) -> np.ndarray:
        """Rows of X after a noise in coordinates, in the units of X again."""
        view = Coordinates(np.broadcast_to(mean, 6).copy(), unit)
        rows = torch.from_numpy(view.transform(X)).unflatten(1, (3, 2, 1))
        degrade = Degradation(spec, rows, view, std=1.0)
        y = degrade(rows[None], torch.Generator().manual_seed(0))[0]
        assert y.shape == rows.shape
        return view.inverse_transform(y.flatten(1).numpy())

    @pytest.mark.parametrize("unit", [0.01, 1.0, 30.0])
    def test_gaussian_is_in_the_units_of_x(self, unit: float) -> None:
        X = np.full((2000, 6), 5.0)
        drawn = self.degraded(GaussianNoise(0.2), X, 4.0, unit) - X
        assert drawn.std() == pytest.approx(0.2, rel=0.03)

    def test_of_a_range_every_image_draws_one_strength(self) -> None:
        X = np.zeros((4000, 6))
        drawn = self.degraded(GaussianNoise((0.0, 1.0)), X, 0.0, 1.0)
        deviation = drawn.std(axis=1)
        assert np.quantile(deviation, 0.05) < 0.1
        assert np.quantile(deviation, 0.95) > 0.8

    def test_values_are_replaced_by_those_of_x(self) -> None:
        X = np.random.RandomState(0).uniform(3, 7, size=(50, 6))
        mean = X.mean(axis=0)
        changed = self.degraded(MaskingNoise(0.5), X, mean, 0.3)
        assert np.isclose(changed, 0).any()
        assert (np.isclose(changed, 0) | np.isclose(changed, X)).all()
        changed = self.degraded(SaltAndPepperNoise(0.5), X, mean, 0.3)
        ends = np.isclose(changed, X.min(axis=0)) | np.isclose(changed, X.max(axis=0))
        assert (ends | np.isclose(changed, X)).all()


ROWS = np.arange(0, 30, 2)


def table(n_features: int = 6, seed: int = 0) -> np.ndarray:
    rng = np.random.RandomState(seed)
    return rng.normal(size=(30, n_features)) * 3 + np.arange(n_features)


def given_pairs(X: np.ndarray, clean: np.ndarray, shapes: tuple[Shape, Shape]) -> Pairs:
    return Pairs.of(X, clean, None, shapes, all_rows(len(X)), torch.Generator())


def noisy_pairs(
    X: np.ndarray, noise: Noise, shape: Shape | None = None, held_out=ROWS
) -> Pairs:
    shape = shape or X.shape[1:]
    folds = Folds([np.setdiff1d(np.arange(len(X)), held_out)], [held_out])
    generator = torch.Generator().manual_seed(0)
    return Pairs.of(X, X, noise, (shape, shape), folds, generator)


def in_units_of_x(x: torch.Tensor, pairs: Pairs, view: int) -> np.ndarray:
    rows = x.flatten(1).double().numpy()
    return pairs.views[view].inverse_transform(rows)


class TestPairs:
    """Pairs of degraded and clean rows, given or made by a noise."""

    def test_given(self) -> None:
        X, clean = table(6), table(24, seed=1)
        pairs = given_pairs(X, clean, ((2, 3, 1), (4, 6, 1)))
        assert pairs.shapes == ((2, 3, 1), (4, 6, 1))
        assert pairs.degrade is None
        assert not pairs.gaps
        np.testing.assert_allclose(
            in_units_of_x(pairs.degraded, pairs, 0), X, atol=1e-5
        )
        np.testing.assert_allclose(
            in_units_of_x(pairs.clean, pairs, 1), clean, atol=1e-5
        )
        # Both tables are seen in units of their own.
        for x in (pairs.degraded, pairs.clean):
            assert x.mean() == pytest.approx(0, abs=1e-6)
            assert x.std(correction=0) == pytest.approx(1, abs=1e-6)

    def test_columns_of_a_table_are_centred_and_keep_their_units(self) -> None:
        X = table()
        pairs = given_pairs(X, X, ((6,), (6,)))
        np.testing.assert_allclose(pairs.clean.mean(dim=0), np.zeros(6), atol=1e-6)
        ratio = pairs.clean.std(dim=0, correction=0).numpy() / X.std(axis=0)
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)

    def test_blocks_are_given_once_or_degraded_anew(self) -> None:
        X, clean = table(), table(seed=1)
        generator = torch.Generator().manual_seed(0)
        given = given_pairs(X, clean, ((6,), (6,)))
        ((x, y),) = given.blocks(ROWS, 3, generator)
        assert torch.equal(x, given.degraded[ROWS])
        assert torch.equal(y, given.clean[ROWS])

        pairs = noisy_pairs(X, GaussianNoise(0.2))
        draws = [x for x, _ in pairs.blocks(ROWS, 3, generator)]
        assert len(draws) == 3
        for one, other in combinations([*draws, pairs.degraded[ROWS]], 2):
            assert not torch.equal(one, other)
        for pair in (given, pairs):
            ((x, y),) = pair.as_given(ROWS)
            assert torch.equal(x, pair.degraded[ROWS])
            assert torch.equal(y, pair.clean[ROWS])

    @pytest.mark.parametrize("shape", [(60,), (6, 5, 2)])
    @pytest.mark.parametrize(
        "strength, told",
        [
            (0.01, pytest.warns(UserWarning, match="less than 1 %")),
            (0.3, nullcontext()),
            (50.0, nullcontext()),
        ],
        ids=["unnoticed", "weak", "strong"],
    )
    def test_rows_that_are_held_out_are_degraded_once(
        self, shape: Shape, strength: float, told: AbstractContextManager
    ) -> None:
        """By as much as is asked for, in units of X, also by more than X varies.

        Of so little that nobody would notice the user is told.
        """
        X = table(60)
        with told:
            pairs = noisy_pairs(X, GaussianNoise(strength), shape)
            again = noisy_pairs(X, GaussianNoise(strength), shape)
        assert pairs.views[0] is pairs.views[1]
        added = in_units_of_x(pairs.degraded - pairs.clean, pairs, 0)
        added -= pairs.views[0].mean
        rest = np.setdiff1d(np.arange(30), ROWS)
        assert not added[rest].any()
        assert added[ROWS].std() == pytest.approx(strength, rel=0.1)
        assert pairs.degraded[ROWS].square().mean() < 2
        assert torch.equal(again.degraded, pairs.degraded)

    def test_hidden_values_are_gaps(self) -> None:
        pairs = noisy_pairs(table(60), MaskingNoise(0.3, fill="nan"))
        assert pairs.gaps
        hidden = pairs.degraded[ROWS].isnan()
        assert hidden.double().mean() == pytest.approx(0.3, abs=0.05)
        clean = pairs.clean[ROWS].masked_fill(hidden, torch.nan)
        torch.testing.assert_close(pairs.degraded[ROWS], clean, equal_nan=True)
        assert not noisy_pairs(table(60), MaskingNoise(0.3)).gaps

    @pytest.mark.parametrize("noise", [GaussianNoise(0.1), MaskingNoise(fill="nan")])
    def test_nothing_held_out_is_nothing_degraded(self, noise: Noise) -> None:
        pairs = noisy_pairs(table(), noise, held_out=np.arange(0))
        assert torch.equal(pairs.degraded, pairs.clean)


def ones_of_gaps(
    batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
) -> dict[str, torch.Tensor]:
    """A module that keeps what it sees, and fills gaps with ones."""
    return {"output": batch["input"].nan_to_num(1.0)}


class TestBatches:
    """What pairs make of a batch before it is seen."""

    @pytest.mark.parametrize("generator", [None, torch.Generator()])
    @pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
    def test_what_is_hidden_counts_alone(
        self, loss: str, generator: torch.Generator | None
    ) -> None:
        pairs = noisy_pairs(table(), MaskingNoise(0.3, fill="nan"))
        rows = torch.from_numpy(ROWS)
        batch = {name: tensor[None, rows] for name, tensor in pairs.tensors.items()}
        prepared = pairs.prepare(batch, generator)
        hidden = prepared["input"].isnan()
        assert hidden.any()
        assert not hidden.all()
        objective = Objective(LOSSES[loss], lambda *_: prepared)
        (term,) = objective(ones_of_gaps, batch, generator).values()
        error = (1 - batch["target"]).abs() ** (2 if loss == "squared_error" else 1)
        torch.testing.assert_close(term, (error * hidden).sum(-1))

    def test_rows_are_degraded_in_training_only(self) -> None:
        pairs = noisy_pairs(table(), GaussianNoise(0.5))
        batch = {"input": torch.randn(1, 2000, 6), "target": torch.randn(1, 2000, 6)}
        judged = pairs.prepare(batch, None)
        assert judged.keys() == batch.keys()
        assert all(judged[name] is batch[name] for name in batch)
        prepared = pairs.prepare(batch, torch.Generator().manual_seed(0))
        assert prepared["target"] is batch["target"]
        assert "weight" not in prepared
        added = (prepared["input"] - batch["target"]) * pairs.views[0].scale
        assert added.std() == pytest.approx(0.5, rel=0.03)

    def test_given_rows_are_left_as_they_are(self) -> None:
        pairs = given_pairs(table(), table(seed=1), ((6,), (6,)))
        batch = {name: tensor[None] for name, tensor in pairs.tensors.items()}
        prepared = pairs.prepare(batch, torch.Generator())
        assert all(prepared[name] is batch[name] for name in ("input", "target"))


X = np.random.RandomState(0).normal(size=(40, 36))
TRAINING, HELD_OUT = np.arange(30), np.arange(30, 40)


def candidates(
    pairs: Pairs, name: str = "auto", held_out: np.ndarray = HELD_OUT
) -> list[str]:
    generator = torch.Generator().manual_seed(0)
    return [*fit_starts(name, pairs, Folds([TRAINING], [held_out]), generator)]


def noisy(shape: Shape, noise: Noise | None = None) -> Pairs:
    return noisy_pairs(X, noise or GaussianNoise(0.1), shape, HELD_OUT)


def enlarged(shape: Shape = (3, 3, 1)) -> Pairs:
    return given_pairs(X[:, :9], X, (shape, (6, 6, 1)[: len(shape)]))


class TestCandidates:
    """Which starts there are to choose from."""

    def test_of_rows(self) -> None:
        assert candidates(noisy((36,))) == ["identity", "linear"]
        assert candidates(given_pairs(X[:, :9], X, ((9,), (36,)))) == ["linear"]

    def test_of_images(self) -> None:
        assert candidates(noisy((6, 6, 1))) == ["identity", "linear", "local"]
        assert candidates(enlarged()) == ["linear", "local"]

    def test_of_wide_rows_there_is_no_linear_map(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_start, "_MOST_INPUTS", 40)
        assert candidates(noisy((6, 6, 1))) == ["identity", "linear", "local"]
        gaps = MaskingNoise(0.2, fill="nan")
        assert candidates(noisy((6, 6, 1), gaps)) == ["identity", "local"]
        assert candidates(noisy((36,), gaps)) == ["identity"]
        monkeypatch.setattr(_start, "_MOST_INPUTS", 35)
        assert candidates(enlarged()) == ["local"]

    def test_of_large_images_no_linear_map_is_tried(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_start, "_FEW_PIXELS", 35)
        assert candidates(noisy((6, 6, 1))) == ["identity", "local"]
        assert candidates(noisy((6, 6, 1)), "linear") == ["linear"]
        assert candidates(noisy((36,))) == ["identity", "linear"]

    def test_where_nothing_is_held_out_the_first_is_fitted_alone(self) -> None:
        nothing = np.arange(0)
        assert candidates(noisy((36,)), held_out=nothing) == ["identity"]
        assert candidates(noisy((6, 6, 1)), held_out=nothing) == ["identity"]
        assert candidates(enlarged(), held_out=nothing) == ["linear"]

    @pytest.mark.parametrize("name", ["identity", "linear", "local"])
    def test_one_that_is_asked_for(self, name: str) -> None:
        assert candidates(noisy((6, 6, 1)), name) == [name]

    def test_a_linear_map_sees_ten_degraded_rows_for_each_value(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = []

        class Recorder(_start.LinearStart):
            def fit(self, training, held_out) -> Recorder:
                seen.extend(training)
                return self

        monkeypatch.setattr(_start, "LinearStart", Recorder)
        candidates(noisy((36,)), "linear")
        assert sum(len(x) for x, _ in seen) == 12 * len(TRAINING)


N = 60
ONES = torch.ones(N, 3)
JUDGED = Folds([np.arange(N - 20)], [np.arange(N - 20, N)])


class Constant(RestoringStart):
    """Makes the same of every row, and lets something be added that may be learned."""

    def __init__(
        self, value: float, bend: Callable[[torch.Tensor], torch.Tensor] | None = None
    ) -> None:
        super().__init__()
        self.value = value
        self.bend = bend or torch.clone

    def forward(self, values: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        return torch.full_like(values, self.value)


def stuck(value: float) -> Constant:
    """A start from which no gradient leads on."""
    return Constant(value, lambda learned: 0 * learned)


def diverging(value: float) -> Constant:
    """Its slope at zero is infinite, after which no number is left."""
    return Constant(value, torch.sqrt)


class Bias(nn.Module):
    """A network that knows one number."""

    radius = None

    def __init__(self) -> None:
        super().__init__()
        self.learned = nn.Parameter(torch.ones(1, 1, 1, dtype=torch.float64))

    def zero_output_(self) -> None:
        nn.init.zeros_(self.learned)


class Adding(Restorer):
    """Adds a number to a start, as far as that lets it."""

    def correction(
        self, restored: torch.Tensor, seen: list[torch.Tensor]
    ) -> torch.Tensor:
        added = self.start.bend(self.network.learned)
        return self.weight * self.unit * added.expand_as(restored)


def untrained(x: torch.Tensor, folds: Folds) -> Problem:
    module = Adding(Bias(), NoSurroundings(), 1, gaps=False)
    tensors = {"input": x, "target": x}
    return Problem(module, Objective(LOSSES["squared_error"]), tensors, folds)


def choose(
    starts: dict[str, Constant], x: torch.Tensor = ONES, folds: Folds = JUDGED
) -> str:
    settings = Settings(
        batch_size=10,
        steps=60,
        learning_rate=0.1,
        max_iter=100,
        tol=0.0,
        n_iter_no_change=100,
        device=torch.device("cpu"),
    )
    generator = torch.Generator().manual_seed(0)
    return choose_start(starts, untrained(x, folds), settings, generator)


def turned(starts: dict[str, Constant], around: bool) -> dict[str, Constant]:
    return dict(reversed(starts.items())) if around else starts


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of rounds of the trainings so far."""
    rounds: list[int] = []

    def watched(*args):
        training = train(*args)
        rounds.append(len(training.history))
        return training

    monkeypatch.setattr(_start, "train", watched)
    return rounds


class TestChoice:
    """A short training chooses among starts by what a network makes of them."""

    @pytest.mark.parametrize("around", [False, True])
    def test_takes_the_start_that_a_network_gets_farthest_from(
        self, around: bool
    ) -> None:
        starts = {"better": stuck(0.8), "worse": Constant(0.5)}
        assert choose(turned(starts, around)).name == "worse"

    @pytest.mark.parametrize("around", [False, True])
    def test_takes_the_better_start_where_no_network_learns(self, around: bool) -> None:
        starts = {"better": stuck(0.8), "worse": stuck(0.5)}
        assert choose(turned(starts, around)).name == "better"

    def test_the_training_is_short(self, trainings: list[int]) -> None:
        """One round, however many the whole training may have."""
        choose({"one": Constant(0.5), "two": Constant(0.6)})
        assert trainings == [1, 1]

    @pytest.mark.parametrize(
        "unlucky", [Constant(0.9, lambda learned: 1e20 * learned), diverging(0.9)]
    )
    def test_a_training_that_diverges_is_not_taken(self, unlucky: Constant) -> None:
        """Whether its loss is very large or no number at all; and nobody is warned."""
        starts = {"diverges": unlucky, "learns": Constant(0.5)}
        assert choose(starts).name == "learns"

    def test_of_trainings_that_diverge_the_best_start_is_taken(self) -> None:
        starts = {str(value): diverging(value) for value in (0.5, 0.9, 0.7)}
        assert choose(starts).name == "0.9"

    def test_is_judged_by_rows_that_are_held_out(self) -> None:
        """Here, by rows of ones, after a training on rows of zeros."""
        x = torch.cat([torch.zeros(N - 20, 3), torch.ones(20, 3)])
        starts = {"learns": Constant(0.7), "learns nothing": stuck(0.8)}
        assert choose(starts, x).name == "learns nothing"

    def test_what_is_chosen_is_untrained(self) -> None:
        """Beside its start, whose error is the unit of the network."""
        starts = {"better": stuck(0.8), "worse": Constant(0.5)}
        chosen = choose(starts)
        assert chosen.improvable
        np.testing.assert_allclose(chosen.errors, np.full(20, 0.25))
        module = chosen.problem.module
        assert module.start is starts["worse"]
        assert (module.weight, module.unit) == (1.0, pytest.approx(0.5))
        assert not module.network.learned.any()
        assert module.network.learned.grad is None

    def test_leaves_starts_and_restorer_as_they_are(self) -> None:
        # Fitted starts are in no mode of training.
        starts = {"better": stuck(0.8).eval(), "worse": Constant(0.5).eval()}
        states = {name: copy.copy(vars(start)) for name, start in starts.items()}
        problem = untrained(ONES, JUDGED)
        before = copy.copy(vars(problem.module))
        settings = Settings(10, 20, 0.1, 9, 0.0, 9, torch.device("cpu"))
        choose_start(starts, problem, settings, torch.Generator().manual_seed(0))
        assert vars(problem.module) == before
        assert not problem.module.network.learned.any()
        for name, start in starts.items():
            assert vars(start) == states[name]

    def test_is_the_same_on_repetition(self) -> None:
        """Also where candidates are nearly alike."""
        starts = {str(j): Constant(0.5 + 1e-6 * j) for j in range(3)}
        first = choose(starts).name
        assert all(choose(starts).name == first for _ in range(3))

    @pytest.mark.parametrize("around", [False, True])
    def test_of_identity_and_filter_the_better_one_is_tried(
        self, trainings: list[int], around: bool
    ) -> None:
        """The identity is a filter too: what a network makes of both is alike."""
        starts = {"identity": stuck(0.8), "local": Constant(0.5)}
        assert choose(turned(starts, around)).name == "identity"
        assert trainings == []

    @pytest.mark.parametrize(
        "starts, folds",
        [
            ({"only": Constant(0.5)}, JUDGED),
            ({"first": Constant(0.0), "second": Constant(1.0)}, all_rows(N)),
            ({"first": Constant(0.0), "exact": Constant(1.0)}, JUDGED),
        ],
        ids=["a single one", "nothing held out", "one that is exact"],
    )
    def test_without_a_choice_nothing_is_trained(
        self, starts: dict[str, Constant], folds: Folds, trainings: list[int]
    ) -> None:
        chosen = choose(starts, folds=folds)
        exact = "exact" in starts
        assert chosen.name == ("exact" if exact else next(iter(starts)))
        assert chosen.improvable == ("only" in starts)
        assert trainings == []
