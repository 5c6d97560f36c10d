"""Batches: every row equally often, members apart, padding never counted."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skae._training import Folds, _batches, all_rows, steps_of
from skae._training._batches import HeldOutBatches, TrainingBatches, gather


def folds_of(*training: np.ndarray, held_out: list[np.ndarray] | None = None) -> Folds:
    return Folds(list(training), held_out or [np.arange(0)] * len(training))


def batches_of(
    folds: Folds, steps: int, seed: int = 0, batch_size: int = 16
) -> TrainingBatches:
    return TrainingBatches(
        folds, batch_size, steps, torch.Generator().manual_seed(seed)
    )


def walks(batches: TrainingBatches, rounds: int) -> torch.Tensor:
    """Rows that each member has seen, in order: ``(members, rounds * rows)``."""
    seen = torch.cat([batches.next_round() for _ in range(rounds)])
    return seen.transpose(0, 1).flatten(1)


def test_rounds_go_on_through_whole_permutations() -> None:
    """Also where a batch, or a round, ends in the middle of one."""
    members = [np.arange(0, 50), np.arange(20, 57)]
    batches = batches_of(folds_of(*members), steps=130)
    for walk, rows in zip(walks(batches, rounds=4), members, strict=True):
        passes = walk[: len(walk) // len(rows) * len(rows)].reshape(-1, len(rows))
        assert len(passes) > 100
        for once in passes:
            assert sorted(once.tolist()) == rows.tolist()
        assert len({tuple(once.tolist()) for once in passes}) == len(passes)


def test_members_walk_in_orders_of_their_own() -> None:
    rows = np.arange(50)
    batches = batches_of(folds_of(rows, rows), steps=10)
    one, two = walks(batches, rounds=1)
    assert not torch.equal(one, two)


def test_order_comes_from_the_generator_alone() -> None:
    one, two, other = (
        batches_of(all_rows(50), steps=10, seed=seed) for seed in (0, 0, 1)
    )
    first = one.next_round()
    assert torch.equal(two.next_round(), first)
    assert not torch.equal(other.next_round(), first)


@pytest.mark.parametrize("steps", [1, 2, 10, 25])
def test_no_order_is_drawn_before_it_is_needed(steps: int) -> None:
    """Or orders in stock would grow from round to round."""
    one, other = (torch.Generator().manual_seed(0) for _ in range(2))
    batches = TrainingBatches(all_rows(50), 10, steps, one)
    walks(batches, rounds=4)
    # Batches of ten rows: a permutation is used up by five steps.
    for _ in range(-(-4 * steps // 5)):
        torch.randperm(50, generator=other)
    assert torch.equal(one.get_state(), other.get_state())


@pytest.mark.parametrize(
    "n, batch_size, steps, size",
    [
        (1, 128, 20, 1),
        (5, 128, 20, 5),
        (100, 128, 20, 100),
        (1000, 128, 24, 128),
        (1000, 50, 60, 50),
        (1001, 50, 61, 50),
        (100_000, 128, 300, 128),
    ],
)
def test_three_passes_within_bounds(
    n: int, batch_size: int, steps: int, size: int
) -> None:
    assert steps_of(3, n, batch_size, fewest=20, most=300) == steps
    batches = batches_of(all_rows(n), steps, batch_size=batch_size)
    assert batches.steps == steps
    assert batches.next_round().shape == (steps, 1, size)


@pytest.mark.parametrize(
    "passes, n, most, steps",
    [
        (0.5, 1000, 300, 50),
        (2.55, 1000, 300, 255),
        (1.1, 700, 300, 77),  # in floats, 77.00000000000001
        (1.11, 700, 300, 78),
        (3, 100_000, 100, 100),
        (0.01, 1000, 300, 20),
    ],
)
def test_passes_may_be_fractions(passes: float, n: int, most: int, steps: int) -> None:
    """A batch of ten rows; a part of a batch that is left takes a step."""
    assert steps_of(passes, n, 10, fewest=20, most=most) == steps


def test_the_largest_member_sets_the_size_of_a_batch() -> None:
    """The others walk their rows the faster."""
    small, large = np.arange(3), np.arange(8)
    batches = batches_of(folds_of(small, large), steps=3)
    rows = batches.next_round()
    assert rows.shape == (3, 2, 8)
    counts = rows[:, 0].flatten().bincount()
    assert counts.tolist() == [8, 8, 8]


def test_gather() -> None:
    x, y = torch.randn(10, 3), torch.randn(10)
    rows = torch.tensor([[3, 1], [0, 3]])
    batch = gather({"input": x, "target": x, "weight": y}, rows)
    assert torch.equal(batch["input"], x[rows])
    assert torch.equal(batch["weight"], y[rows])
    # One tensor under two names costs one gather.
    assert batch["input"] is batch["target"]


def test_held_out_rows_come_back_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held_out = [np.array([4, 2, 9]), np.array([7]), np.array([], dtype=int)]
    folds = folds_of(*[np.arange(10)] * 3, held_out=held_out)
    for rows_at_a_time in (1, 6, 2**13):
        monkeypatch.setattr(_batches, "_EVALUATION_ROWS", rows_at_a_time)
        batches = HeldOutBatches(folds, 3)
        # An "error" that tells whose it is: the row, and ten times the member. The
        # member that nothing is held out from comes last and has no errors.
        errors = torch.cat(
            [rows + 10 * torch.arange(2)[:, None] for rows in batches], dim=1
        )
        assert batches.members == 2
        assert batches.select(errors).tolist() == [4, 2, 9, 17]
        assert folds.held_out_rows.tolist() == [4, 2, 9, 7]


@pytest.mark.parametrize(
    "n_values, members, size", [(1, 1, 400), (64, 1, 64), (64, 4, 16), (10**5, 2, 1)]
)
def test_held_out_rows_are_judged_a_cache_at_a_time(
    n_values: int, members: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many rows as hold so many values, over the members, but at least one.

    A member that nothing is held out from takes none of the room.
    """
    monkeypatch.setattr(_batches, "_EVALUATION_VALUES", 64 * 64)
    rows = np.arange(400)
    folds = folds_of(*[rows] * members, held_out=[rows] * members).with_all_rows()
    batches = list(HeldOutBatches(folds, n_values))
    assert batches[0].shape == (members, size)
    assert torch.equal(torch.cat(batches, dim=1)[-1], torch.arange(400))
