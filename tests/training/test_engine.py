"""The engine: its steps by hand, members apart, the best weights kept."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from skae import AutoencoderTransformer
from skae._training import (
    Folds,
    History,
    Objective,
    Problem,
    Settings,
    Training,
    Watch,
    all_rows,
    held_out_error,
    held_out_output,
    train,
    unwatched,
)
from skae._training._adam import Adam
from skae._training._flat import FlatParameters
from skae._training._folds import cross_validation
from skae.losses import LOSSES, Loss
from skae.networks import DenseNetwork

SQUARED = Objective(LOSSES["squared_error"])
NOTHING = np.arange(0)


def settings(**params) -> Settings:
    defaults = {
        "batch_size": 1000,
        "steps": 20,
        "learning_rate": 0.01,
        "max_iter": 1,
        "tol": 0.0,
        "n_iter_no_change": 100,
        "device": torch.device("cpu"),
    }
    return Settings(**(defaults | params))


def copying(
    module: nn.Module, x: torch.Tensor, folds: Folds, objective: Objective = SQUARED
) -> Problem:
    """The problem of returning what is seen."""
    return Problem(module, objective, {"input": x, "target": x}, folds)


def run(
    module: nn.Module, x: torch.Tensor, folds: Folds, seed: int = 0, **params
) -> Training:
    generator = torch.Generator().manual_seed(seed)
    return train(copying(module, x, folds), settings(**params), generator)


def network(members: int = 1, n_in: int = 4) -> nn.Module:
    return DenseNetwork((5,), "tanh").build_autoencoder(
        n_in, 2, members=members, generator=torch.Generator().manual_seed(0)
    )


def member(module: nn.Module, j: int) -> nn.Module:
    """One member of a module, alone."""
    alone = copy.deepcopy(module)
    for parameter in alone.parameters():
        parameter.data = parameter.data[j : j + 1].clone()
    return alone


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(60, 4, generator=torch.Generator().manual_seed(1))


class TestProblem:
    def test_is_provable_by_rows_that_are_held_out(self, x: torch.Tensor) -> None:
        folds = cross_validation(np.arange(60), 3)
        assert copying(network(3), x, folds).provable
        assert copying(network(4), x, folds.with_all_rows()).provable
        single = Folds([np.arange(59)], [np.arange(59, 60)])
        assert copying(network(), x, single).provable
        assert not copying(network(), x, all_rows(60)).provable

    @pytest.mark.parametrize("n", [1, 5])
    def test_size_of_a_row_is_that_of_the_largest_tensor(self, n: int) -> None:
        tensors = {"input": torch.zeros(n, 4, 3), "target": torch.zeros(n, 8, 6, 1)}
        assert Problem(network(), SQUARED, tensors, all_rows(n)).row_size == 48

    def test_a_snapshot_stays_where_training_goes_on(self, x: torch.Tensor) -> None:
        problem = copying(network(), x, all_rows(60))
        snapshot, before = problem.snapshot(), copy.deepcopy(problem.module)
        train(problem, settings(), torch.Generator())
        assert_same_weights(snapshot.module, before, atol=0)
        with pytest.raises(AssertionError):
            assert_same_weights(problem.module, before)
        assert snapshot.tensors is problem.tensors


def by_hand(module: nn.Module, x: torch.Tensor, rates: list[float]) -> list[float]:
    """Full-batch Adam in plain torch, in float64; the loss before every step."""
    blocks = (*module.encoder, *module.decoder)
    layers = [layer for block in blocks for layer in block]
    net = nn.Sequential()
    for layer in layers:
        if not hasattr(layer, "weight"):
            net.append(copy.deepcopy(layer))
            continue
        _, n_in, n_out = layer.weight.shape
        net.append(nn.Linear(n_in, n_out).double())
        net[-1].weight.data = layer.weight.data[0].T.double().clone()
        net[-1].bias.data = layer.bias.data[0, 0].double().clone()
    optimizer, losses = torch.optim.Adam(net.parameters()), []
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x.double()), x.double())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    by_name = [(layer, own) for layer, own in zip(layers, net, strict=True)]
    for layer, own in by_name:
        if hasattr(layer, "weight"):
            layer.weight.data = own.weight.data.T[None].clone()
            layer.bias.data = own.bias.data[None, None].clone()
    return losses


def assert_same_weights(one: nn.Module, two: nn.Module, atol: float = 1e-5) -> None:
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(a.double(), b.double(), atol=atol, rtol=0)


def test_full_batches_are_adam_by_hand(x: torch.Tensor) -> None:
    """A single round of twenty steps warms up and decays at once."""
    ours, theirs = network(), network()
    history = run(ours, x, all_rows(len(x))).history
    progress = (np.arange(20) + 0.5) / 20
    losses = by_hand(theirs, x, list(0.01 * progress * (1 - progress)))
    assert_same_weights(ours, theirs)
    assert len(history) == 1
    assert history[0]["steps"] == 20
    assert history[0]["loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_three_rounds_warm_up_hold_and_decay(x: torch.Tensor) -> None:
    ours, theirs = network(), network()
    history = run(ours, x, all_rows(len(x)), max_iter=3).history
    progress = (np.arange(20) + 0.5) / 20
    rates = np.concatenate([progress, np.ones(20), 1 - progress])
    losses = np.array(by_hand(theirs, x, list(0.01 * rates)))
    assert_same_weights(ours, theirs)
    np.testing.assert_allclose(
        [row["loss"] for row in history], losses.reshape(3, 20).mean(axis=1), rtol=1e-5
    )


def test_fixed_parameters_stay_bit_for_bit(x: torch.Tensor) -> None:
    """Also those that float32, the precision of training, could not hold."""
    module = network()
    module.decoder.requires_grad_(False)
    before = copy.deepcopy(module)
    run(module, x, all_rows(len(x)))
    assert_same_weights(module.decoder, before.decoder, atol=0)
    for trained, drawn in zip(
        module.encoder.parameters(), before.encoder.parameters(), strict=True
    ):
        assert not torch.equal(trained, drawn)


def test_members_train_as_if_alone(x: torch.Tensor) -> None:
    """Also beside a member whose errors are ten thousand times larger."""
    x = torch.cat([x, 100 * x])
    rows = [np.arange(0, 40), np.arange(20, 60), np.arange(70, 110)]
    together = network(members=3)
    alone = [member(together, j) for j in range(3)]
    run(together, x, Folds(rows, [NOTHING] * 3))
    for j, module in enumerate(alone):
        run(module, x, Folds([rows[j]], [NOTHING]))
        assert_same_weights(member(together, j), module)


def test_every_member_learns_the_rows_it_was_given(x: torch.Tensor) -> None:
    """The one that never saw a row far away is the worst on it."""
    folds = Folds(
        [np.arange(30), np.arange(30, 60)], [np.arange(30, 60), np.arange(30)]
    )
    x = x.clone()
    x[:30] += 3
    x[30:] -= 3
    module = network(members=2)
    run(module, x, folds, max_iter=20)
    with torch.no_grad():
        both = module({"input": x.double().expand(2, -1, -1)})["output"] - x
    error = both.square().mean(-1)
    assert error[0, :30].mean() < 0.5 * error[1, :30].mean()
    assert error[1, 30:].mean() < 0.5 * error[0, 30:].mean()


class Scale(nn.Module):
    """The simplest network: one factor per member."""

    def __init__(self, members: int = 1) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.zeros(members, 1, 1, dtype=torch.float64))
        self.register_buffer("third", torch.full((1,), 1 / 3, dtype=torch.float64))

    def forward(self, batch: dict, generator: torch.Generator | None = None) -> dict:
        return {"output": self.factor * batch["input"]}


def opposed(held_out_target: float) -> Problem:
    """Training rows ask for a factor of one, held-out rows for another."""
    target = torch.tensor([1.0] * 20 + [held_out_target] * 20)[:, None]
    tensors = {"input": torch.ones(40, 1), "target": target}
    folds = Folds([np.arange(20)], [np.arange(20, 40)])
    return Problem(Scale(), SQUARED, tensors, folds)


def fit_scale(
    held_out_target: float, watch: Watch = unwatched, **params
) -> tuple[Scale, Training, np.ndarray]:
    problem = opposed(held_out_target)
    chosen = settings(**({"batch_size": 20, "max_iter": 10} | params))
    training = train(problem, chosen, torch.Generator(), watch)
    return problem.module, training, held_out_error(problem)


class TestBestWeights:
    def test_best_round_by_held_out_rows_is_restored(self) -> None:
        """The factor passes 0.5 on its way to one."""
        module, training, errors = fit_scale(0.5)
        validation = [row["validation_loss"] for row in training.history]
        assert 0 < np.argmin(validation) < len(validation) - 1
        assert errors.mean() == pytest.approx(min(validation), rel=1e-5)
        expected = (module.factor.item() - 0.5) ** 2
        np.testing.assert_allclose(errors, expected, rtol=1e-5)

    def test_validation_loss_is_measured_at_the_end_of_the_round(self) -> None:
        module, training, _ = fit_scale(1.0)
        factor = module.factor.item()
        validation = training.history[-1]["validation_loss"]
        assert validation == pytest.approx((factor - 1) ** 2)

    def test_without_held_out_rows_the_training_loss_decides(self) -> None:
        """The gradient leads over a cliff, after which the loss is higher."""

        def cliff(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return (output - target).square() + 5 * (output > 0.5)

        module, ones = Scale(), torch.ones(20, 1)
        problem = copying(module, ones, all_rows(20), Objective(Loss(cliff)))
        training = train(
            problem, settings(batch_size=20, max_iter=6), torch.Generator()
        )
        losses = [row["loss"] for row in training.history]
        assert 0 < np.argmin(losses) < len(losses) - 1
        assert max(losses) > 5
        assert 0.3 < module.factor.item() < 0.5


class TestWatch:
    """The factor passes 0.5, its best value, in the middle of ten rounds."""

    def test_what_was_trained_so_far(self) -> None:
        problem, rounds, factors = opposed(0.5), [], []

        def watch(run: Callable[[], None], so_far: Callable[[], History]) -> bool:
            run()
            rounds.append(so_far())
            factors.append(problem.module.factor.item())
            return False

        chosen = settings(batch_size=20, max_iter=10)
        history = train(problem, chosen, torch.Generator(), watch).history
        assert rounds == [history[:n] for n in range(1, 11)]
        errors = [row["validation_loss"] for row in history]
        np.testing.assert_allclose(
            np.square(np.array(factors) - 0.5), np.minimum.accumulate(errors), rtol=1e-5
        )

    @pytest.mark.parametrize("n", [1, 4, 9])
    def test_a_stop_keeps_the_best_weights(self, n: int) -> None:
        rounds = iter(range(1, 11))

        def watch(run: Callable[[], None], so_far: Callable[[], History]) -> bool:
            run()
            return next(rounds) == n

        _, whole, _ = fit_scale(0.5)
        _, training, errors = fit_scale(0.5, watch=watch)
        losses = [row["validation_loss"] for row in training.history]
        assert losses == [row["validation_loss"] for row in whole.history[:n]]
        assert errors.mean() == pytest.approx(min(losses), rel=1e-5)


class TestDivergence:
    @pytest.mark.parametrize("rate", [1e6, 1e30])
    def test_start_is_kept(self, rate: float) -> None:
        module, training, errors = fit_scale(1.0, learning_rate=rate, max_iter=5)
        assert training.diverged
        assert module.factor.item() == 0
        np.testing.assert_allclose(errors, 1)

    def test_nothing_held_out(self) -> None:
        module, x = Scale(), torch.ones(20, 1)
        training = run(module, x, all_rows(20), learning_rate=1e6, max_iter=5)
        assert training.diverged
        assert module.factor.item() == 0

    def test_it_ends_in_that_round(self) -> None:
        _, training, _ = fit_scale(1.0, learning_rate=1e6, max_iter=5)
        assert [row["round"] for row in training.history] == [1]

    def test_a_training_that_goes_well_did_not(self) -> None:
        _, training, _ = fit_scale(1.0)
        assert not training.diverged
        assert len(training.history) == 10


class TestModule:
    def test_keeps_precision_memory_and_constants(self) -> None:
        module, _, _ = fit_scale(1.0)
        (factor,) = module.parameters()
        assert factor.dtype == torch.float64
        assert factor.grad is None
        assert factor.untyped_storage().nbytes() == 8
        # In float32 a third is not a third.
        assert module.third.item() == 1 / 3

    def test_interruption_changes_nothing(self, x: torch.Tensor) -> None:
        module, before, calls = network(), network(), []

        def interrupted(batch: dict, generator: torch.Generator) -> dict:
            calls.append(batch)
            if len(calls) == 40:
                raise KeyboardInterrupt
            return batch

        objective = Objective(LOSSES["squared_error"], interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(
                copying(module, x, all_rows(60), objective),
                settings(batch_size=20, learning_rate=0.1, max_iter=5),
                torch.Generator(),
            )
        assert_same_weights(module, before, atol=0)
        assert all(p.grad is None for p in module.parameters())


class TestHistory:
    def test_entries(self, x: torch.Tensor) -> None:
        folds = cross_validation(np.arange(60), 3)
        training = run(network(3), x, folds, max_iter=4, batch_size=1, steps=70)
        history = training.history
        assert [row["round"] for row in history] == [1, 2, 3, 4]
        for row in history:
            assert row.keys() == {
                "round",
                "loss",
                "validation_loss",
                "steps",
                "duration",
            }
            assert row["steps"] == 70
            assert row["duration"] > 0
            assert all(type(row[key]) in (int, float) for key in row)

    def test_a_round_is_two_passes_of_the_member_with_the_most_rows(
        self, x: torch.Tensor
    ) -> None:
        """Here the one that is kept: it trains on all sixty."""
        transformer = AutoencoderTransformer(cv=3, batch_size=1, max_iter=1)
        transformer.fit(x.numpy())
        assert [row["steps"] for row in transformer.history_] == [120]

    def test_plateau_ends_it(self) -> None:
        _, training, _ = fit_scale(-1.0, max_iter=50, n_iter_no_change=2, tol=0.1)
        # The first round is the best; two without progress, then one that decays.
        assert len(training.history) == 4


class TestHeldOutError:
    def test_rows_are_judged_by_the_member_that_did_not_train_on_them(
        self, x: torch.Tensor
    ) -> None:
        folds = cross_validation(np.arange(60), 3).with_all_rows()
        module = network(members=4)
        problem = copying(module, x, folds)
        errors, outputs = held_out_error(problem), held_out_output(problem)
        with torch.no_grad():
            output = module({"input": x.double().expand(4, -1, -1)})["output"]
        every = (output - x).square().mean(-1).numpy()
        expected = [every[j, rows] for j, rows in enumerate(folds.held_out)]
        expected_outputs = [output[j, rows] for j, rows in enumerate(folds.held_out)]
        assert errors.dtype == outputs.dtype == np.float64
        np.testing.assert_allclose(errors, np.concatenate(expected), rtol=1e-12)
        np.testing.assert_allclose(outputs, torch.cat(expected_outputs), rtol=1e-12)


class Recorder(Scale):
    """A factor of ten times its number for each member, and a record of its calls."""

    def __init__(self, members: int) -> None:
        super().__init__(members)
        self.factor.data += 10.0 * torch.arange(members)[:, None, None]
        self.register_buffer("shift", torch.ones(members, 1, 1, dtype=torch.float64))
        self.register_buffer("one_for_all", torch.ones(1, 1, 1, dtype=torch.float64))
        self.calls: list[tuple[int, ...]] = []

    def forward(self, batch: dict, generator: torch.Generator | None = None) -> dict:
        tensors = batch["input"], self.factor, self.shift, self.one_for_all
        self.calls.append(tuple(map(len, tensors)))
        output = self.factor * batch["input"] + self.shift - self.one_for_all
        return {"output": output}


class Failing(Objective):
    """An objective that cannot judge."""

    def forward(self, *args) -> dict:
        super().forward(*args)
        raise FloatingPointError


class TestJudgedMembers:
    """Rows are judged by the members that they are held out from, and by no other.

    What nothing is held out from costs nothing in evaluation.
    """

    FOLDS = Folds(
        [np.arange(3, 6), np.arange(3), np.arange(6), np.arange(6)],
        [np.arange(3), np.arange(3, 6), NOTHING, NOTHING],
    )

    def problem(self, objective: Objective = SQUARED) -> Problem:
        ones = torch.ones(6, 1)
        return copying(Recorder(members=4), ones, self.FOLDS, objective)

    @staticmethod
    def assert_whole(module: Recorder) -> None:
        assert module.factor.flatten().tolist() == [0, 10, 20, 30]
        assert module.shift.flatten().tolist() == [1, 1, 1, 1]
        assert module.one_for_all.flatten().tolist() == [1]

    @pytest.mark.parametrize("judge", [held_out_error, held_out_output])
    def test_the_others_see_nothing(self, judge: Callable) -> None:
        problem = self.problem()
        judged = judge(problem)
        assert problem.module.calls == [(2, 2, 2, 1)]
        self.assert_whole(problem.module)
        # The factors 0 and 10, where one is right.
        expected = [1] * 3 + [81] * 3 if judge is held_out_error else [0] * 3 + [10] * 3
        assert judged.flatten().tolist() == expected

    def test_in_every_round_of_a_training(self) -> None:
        problem = self.problem()
        calls: list[tuple[int, ...]] = []
        problem.module.register_forward_hook(
            lambda module, *_: calls.append(module.calls[-1])
        )
        train(problem, settings(max_iter=3, steps=3), torch.Generator())
        # The loss before the first step, then three steps and a judgement a round.
        whole, judged = (4, 4, 4, 1), (2, 2, 2, 1)
        assert calls == [whole] + 3 * [whole, whole, whole, judged]

    def test_the_module_is_whole_after_an_error(self) -> None:
        problem = self.problem(Failing(LOSSES["squared_error"]))
        with pytest.raises(FloatingPointError):
            held_out_error(problem)
        assert problem.module.calls == [(2, 2, 2, 1)]
        self.assert_whole(problem.module)


def test_same_bits_from_the_same_generator(x: torch.Tensor) -> None:
    one, two, other = network(), network(), network()
    for module, seed in ((one, 0), (two, 0), (other, 1)):
        run(module, x, all_rows(60), seed=seed, batch_size=16, max_iter=3)
    assert_same_weights(one, two, atol=0)
    with pytest.raises(AssertionError):
        assert_same_weights(one, other)


class TestFlatParameters:
    """One tensor that the free parameters of a module are views of."""

    @pytest.fixture
    def module(self) -> nn.Module:
        with torch.random.fork_rng():
            return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))

    def test_values_are_kept(self, module: nn.Module) -> None:
        before = copy.deepcopy(module)
        flat = FlatParameters(module)
        assert flat.values.numel() == sum(p.numel() for p in before.parameters())
        assert_same_weights(module, before, atol=0)
        x = torch.randn(5, 3)
        assert torch.equal(module(x), before(x))

    def test_gradients_arrive_in_one_tensor(self, module: nn.Module) -> None:
        plain = copy.deepcopy(module)
        flat = FlatParameters(module)
        x = torch.randn(5, 3)
        for m in (module, plain):
            m(x).square().sum().backward()
        expected = torch.cat([p.grad.flatten() for p in plain.parameters()])
        torch.testing.assert_close(flat.gradient, expected)
        flat.gradient.zero_()
        assert not any(p.grad.any() for p in module.parameters())

    def test_one_step_moves_all_parameters(self, module: nn.Module) -> None:
        plain = copy.deepcopy(module)
        flat = FlatParameters(module)
        x = torch.randn(5, 3)
        ours, theirs = (
            Adam(flat.values, flat.gradient),
            torch.optim.Adam(plain.parameters(), lr=0.1),
        )
        for _ in range(3):
            flat.gradient.zero_()
            theirs.zero_grad()
            for m in (module, plain):
                m(x).square().sum().backward()
            ours.step(0.1)
            theirs.step()
        assert_same_weights(module, plain)

    def test_a_copy_stays_as_it_is_and_is_handed_over(self, module: nn.Module) -> None:
        """To a module of another precision, but for what is fixed in both."""
        module[0].bias.requires_grad_(False)
        before, other = copy.deepcopy(module), copy.deepcopy(module).double()
        flat = FlatParameters(module)
        weights = flat.copy()
        flat.values.zero_()
        for parameter in other.parameters():
            parameter.data.fill_(1 / 3)
        weights.hand_to(other)
        assert other[0].bias.tolist() == [1 / 3] * 4
        other[0].bias.data = before[0].bias.double()
        assert_same_weights(other, before, atol=0)
        assert not any(p.any() for p in module.parameters() if p.requires_grad)
