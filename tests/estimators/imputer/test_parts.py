"""What is hidden for the training, and who is judged on it."""

from __future__ import annotations

import numpy as np
import torch

from skae.estimators.imputer._examples import GapExamples


def test_only_known_values_are_hidden(rng: np.random.RandomState) -> None:
    observed = torch.from_numpy(rng.uniform(size=(40, 6)) > 0.4)
    examples = GapExamples(observed, rng)
    known = observed[examples.source]
    assert len(examples.source) == 64 * 40
    assert torch.equal(examples.hidden | examples.observed, known)
    assert not (examples.hidden & examples.observed).any()
    share = examples.hidden.sum() / known.sum()
    assert 0.3 < share < 0.5


def test_gaps_are_borrowed(rng: np.random.RandomState) -> None:
    """Two columns are missing together in the table, so they are hidden together."""
    observed = torch.ones(400, 6, dtype=torch.bool)
    observed[::3, :2] = False
    examples = GapExamples(observed, rng)
    only_these = examples.hidden[:, :2].all(1) & ~examples.hidden[:, 2:].any(1)
    assert only_these.double().mean() > 0.1


def test_a_large_table_is_not_copied(rng: np.random.RandomState) -> None:
    examples = GapExamples(torch.ones(100_000, 10, dtype=torch.bool), rng)
    assert examples.copies == 1
    assert examples.hidden.any(1).double().mean() > 0.9


def test_copies_of_rows(rng: np.random.RandomState) -> None:
    examples = GapExamples(torch.ones(10, 3, dtype=torch.bool), rng)
    rows = np.array([2, 5])
    indices = examples.of_rows(rows)
    assert set(examples.source[indices].tolist()) == {2, 5}
    assert len(indices) == 2 * examples.copies
    assert set(examples.judged(rows)) < set(indices)


def test_few_rows_are_judged(rng: np.random.RandomState) -> None:
    examples = GapExamples(torch.ones(50_000, 2, dtype=torch.bool), rng)
    judged = examples.judged(np.arange(50_000), members=2)
    assert 1_000 < len(judged) <= 2_500
