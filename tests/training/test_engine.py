"""The engine: its steps by hand, members apart, the best weights kept."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from skae._training import Folds, Objective, _engine, held_out_error, train
from skae._training import all_rows
from skae._training._folds import cross_validation
from skae.losses import LOSSES, Loss
from skae.networks import DenseNetwork

SQUARED = Objective(LOSSES["squared_error"])
NOTHING = np.arange(0)


def run(module: nn.Module, x: torch.Tensor, folds: Folds, **params) -> list[dict]:
    defaults = {
        "generator": torch.Generator().manual_seed(0),
        "batch_size": 1000,
        "learning_rate": 0.01,
        "max_iter": 1,
        "tol": 0.0,
        "n_iter_no_change": 100,
    }
    tensors = {"input": x, "target": x}
    return train(module, SQUARED, tensors, folds, **(defaults | params))


def network(members: int = 1, n_in: int = 4) -> nn.Module:
    return DenseNetwork((5,), "tanh").build(
        (n_in,),
        (n_in,),
        2,
        members=members,
        generator=torch.Generator().manual_seed(0),
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
    history = run(ours, x, all_rows(len(x)))
    progress = (np.arange(20) + 0.5) / 20
    losses = by_hand(theirs, x, list(0.01 * progress * (1 - progress)))
    assert_same_weights(ours, theirs)
    assert len(history) == 1
    assert history[0]["steps"] == 20
    assert history[0]["loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_three_rounds_warm_up_hold_and_decay(x: torch.Tensor) -> None:
    ours, theirs = network(), network()
    history = run(ours, x, all_rows(len(x)), max_iter=3)
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


def opposed(held_out_target: float) -> tuple[dict[str, torch.Tensor], Folds]:
    """Training rows ask for a factor of one, held-out rows for another."""
    target = torch.tensor([1.0] * 20 + [held_out_target] * 20)[:, None]
    tensors = {"input": torch.ones(40, 1), "target": target}
    return tensors, Folds([np.arange(20)], [np.arange(20, 40)])


def fit_scale(held_out_target: float, **params) -> tuple[Scale, list[dict], np.ndarray]:
    tensors, folds = opposed(held_out_target)
    module = Scale()
    defaults = {
        "learning_rate": 0.01,
        "max_iter": 10,
        "tol": 0.0,
        "n_iter_no_change": 100,
    }
    history = train(
        module,
        SQUARED,
        tensors,
        folds,
        generator=torch.Generator(),
        batch_size=20,
        **(defaults | params),
    )
    return module, history, held_out_error(module, SQUARED, tensors, folds)


class TestBestWeights:
    def test_best_round_by_held_out_rows_is_restored(self) -> None:
        """The factor passes 0.5 on its way to one."""
        module, history, errors = fit_scale(0.5)
        validation = [row["validation_loss"] for row in history]
        assert 0 < np.argmin(validation) < len(validation) - 1
        assert errors.mean() == pytest.approx(min(validation), rel=1e-5)
        expected = (module.factor.item() - 0.5) ** 2
        np.testing.assert_allclose(errors, expected, rtol=1e-5)

    def test_validation_loss_is_measured_at_the_end_of_the_round(self) -> None:
        module, history, _ = fit_scale(1.0)
        factor = module.factor.item()
        assert history[-1]["validation_loss"] == pytest.approx((factor - 1) ** 2)

    def test_without_held_out_rows_the_training_loss_decides(self) -> None:
        """The gradient leads over a cliff, after which the loss is higher."""

        def cliff(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return (output - target).square() + 5 * (output > 0.5)

        module, ones = Scale(), torch.ones(20, 1)
        history = train(
            module,
            Objective(Loss(cliff)),
            {"input": ones, "target": ones},
            all_rows(20),
            generator=torch.Generator(),
            batch_size=20,
            learning_rate=0.01,
            max_iter=6,
            tol=0.0,
            n_iter_no_change=100,
        )
        losses = [row["loss"] for row in history]
        assert 0 < np.argmin(losses) < len(losses) - 1
        assert max(losses) > 5
        assert 0.3 < module.factor.item() < 0.5


class TestWatch:
    """The factor passes 0.5, its best value, in the middle of ten rounds."""

    def test_what_was_trained_so_far(self) -> None:
        module, rounds, factors = Scale(), [], []

        def watch(run: Callable[[], None], so_far: Callable[[], list[dict]]) -> bool:
            run()
            rounds.append(so_far())
            factors.append(module.factor.item())
            return False

        tensors, folds = opposed(0.5)
        settings = {"generator": torch.Generator(), "batch_size": 20}
        settings |= {"learning_rate": 0.01, "tol": 0.0, "n_iter_no_change": 100}
        history = train(
            module, SQUARED, tensors, folds, max_iter=10, watch=watch, **settings
        )
        assert rounds == [history[:n] for n in range(1, 11)]
        errors = [row["validation_loss"] for row in history]
        np.testing.assert_allclose(
            np.square(np.array(factors) - 0.5), np.minimum.accumulate(errors), rtol=1e-5
        )

    @pytest.mark.parametrize("n", [1, 4, 9])
    def test_a_stop_keeps_the_best_weights(self, n: int) -> None:
        rounds = iter(range(1, 11))

        def watch(run: Callable[[], None], so_far: Callable[[], list[dict]]) -> bool:
            run()
            return next(rounds) == n

        _, whole, _ = fit_scale(0.5)
        _, history, errors = fit_scale(0.5, watch=watch)
        losses = [row["validation_loss"] for row in history]
        assert losses == [row["validation_loss"] for row in whole[:n]]
        assert errors.mean() == pytest.approx(min(losses), rel=1e-5)


class TestDivergence:
    @pytest.mark.parametrize("rate", [1e6, 1e30])
    def test_start_is_kept(self, rate: float) -> None:
        with pytest.warns(ConvergenceWarning, match="learning_rate_init"):
            module, _, errors = fit_scale(1.0, learning_rate=rate, max_iter=5)
        assert module.factor.item() == 0
        np.testing.assert_allclose(errors, 1)

    def test_nothing_held_out(self) -> None:
        module, x = Scale(), torch.ones(20, 1)
        with pytest.warns(ConvergenceWarning, match="learning_rate_init"):
            run(module, x, all_rows(20), learning_rate=1e6, max_iter=5)
        assert module.factor.item() == 0


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

        class Interrupted(Objective):
            def forward(self, *args) -> dict:
                calls.append(args)
                if len(calls) == 40:
                    raise KeyboardInterrupt
                return super().forward(*args)

        with pytest.raises(KeyboardInterrupt):
            train(
                module,
                Interrupted(LOSSES["squared_error"]),
                {"input": x, "target": x},
                all_rows(60),
                generator=torch.Generator(),
                batch_size=20,
                learning_rate=0.1,
                max_iter=5,
                tol=0.0,
                n_iter_no_change=3,
            )
        assert_same_weights(module, before, atol=0)
        assert all(p.grad is None for p in module.parameters())


class TestHistory:
    def test_entries(self, x: torch.Tensor) -> None:
        folds = cross_validation(np.arange(60), 3)
        history = run(network(4), x, folds, max_iter=4, batch_size=1)
        assert [row["round"] for row in history] == [1, 2, 3, 4]
        for row in history:
            assert row.keys() == {
                "round",
                "loss",
                "validation_loss",
                "steps",
                "duration",
            }
            # Three passes over the sixty rows of the last member.
            assert row["steps"] == 180
            assert row["duration"] > 0
            assert all(type(row[key]) in (int, float) for key in row)

    def test_plateau_ends_it(self) -> None:
        _, history, _ = fit_scale(-1.0, max_iter=50, n_iter_no_change=2, tol=0.1)
        # The first round is the best; two without progress, then one that decays.
        assert len(history) == 4


class TestHeldOutError:
    def test_rows_are_judged_by_the_member_that_did_not_train_on_them(
        self, x: torch.Tensor
    ) -> None:
        folds = cross_validation(np.arange(60), 3)
        module = network(members=4)
        errors = held_out_error(module, SQUARED, {"input": x, "target": x}, folds)
        with torch.no_grad():
            output = module({"input": x.double().expand(4, -1, -1)})["output"]
        every = (output - x).square().mean(-1).numpy()
        expected = [every[j, rows] for j, rows in enumerate(folds.held_out)]
        assert errors.dtype == np.float64
        np.testing.assert_allclose(errors, np.concatenate(expected), rtol=1e-12)


def test_same_bits_from_the_same_generator(x: torch.Tensor) -> None:
    one, two, other = network(), network(), network()
    for module, seed in ((one, 0), (two, 0), (other, 1)):
        generator = torch.Generator().manual_seed(seed)
        run(module, x, all_rows(60), generator=generator, batch_size=16, max_iter=3)
    assert_same_weights(one, two, atol=0)
    with pytest.raises(AssertionError):
        assert_same_weights(one, other)


@pytest.mark.parametrize(("shared_from", "threads"), [(np.inf, 1), (0, 2)])
def test_small_steps_run_on_one_thread(
    x: torch.Tensor, monkeypatch: pytest.MonkeyPatch, shared_from: float, threads: int
) -> None:
    monkeypatch.setattr(_engine, "_SHARED_WORK", shared_from)
    module, seen = network(), set()
    # The engine trains a copy, which keeps the hook.
    module.register_forward_pre_hook(lambda *_: seen.add(torch.get_num_threads()))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        run(module, x, all_rows(len(x)))
        assert seen == {threads}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
