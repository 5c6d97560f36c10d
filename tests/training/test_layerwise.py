"""Layer-wise pretraining: each layer as an autoencoder of the codes below it."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from skae._training import Folds, Objective, train
from skae._training import all_rows
from skae._training._folds import cross_validation
from skae.estimators.transformer._layerwise import in_phase, layer_phases
from skae.losses import LOSSES
from skae.networks import ConvolutionalNetwork, DenseNetwork, StackedAutoencoder

SQUARED = Objective(LOSSES["squared_error"])
N_ROWS, N_INPUTS = 60, 6


def settings(**params) -> dict:
    defaults = {
        "generator": torch.Generator().manual_seed(0),
        "batch_size": 1000,
        "learning_rate": 0.01,
        "max_iter": 4,
        "tol": 0.0,
        "n_iter_no_change": 100,
    }
    return defaults | params


def build(members: int = 1, **params) -> StackedAutoencoder:
    return DenseNetwork((5, 4), "tanh", **params).build(
        (N_INPUTS,),
        (N_INPUTS,),
        2,
        members=members,
        generator=torch.Generator().manual_seed(0),
    )


def train_layerwise(
    module: torch.nn.Module,
    objective: Objective,
    x: torch.Tensor,
    folds: Folds,
    **params,
) -> list[dict]:
    history = []
    for phase, problem in layer_phases(module, objective, x, folds):
        history += in_phase(phase, train(*problem, **params))
    return history


def assert_close(one: torch.nn.Module, two: torch.nn.Module, atol: float) -> None:
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=atol, rtol=0)


def member(module: torch.nn.Module, j: int) -> torch.nn.Module:
    """One member of a module, alone."""
    alone = copy.deepcopy(module)
    for parameter in alone.parameters():
        parameter.data = parameter.data[j : j + 1].clone()
    return alone


@pytest.fixture
def x() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(N_ROWS, N_INPUTS, generator=generator).cumsum(1)


def test_phases_are_the_layers_in_their_order(x: torch.Tensor) -> None:
    history = train_layerwise(build(), SQUARED, x, all_rows(N_ROWS), **settings())
    assert [(row["phase"], row["round"]) for row in history] == [
        (f"layer {layer}", n) for layer in (1, 2, 3) for n in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize("tied_weights", [False, True])
def test_every_layer_learns(x: torch.Tensor, tied_weights: bool) -> None:
    module = build(tied_weights=tied_weights)
    before = copy.deepcopy(module)
    history = train_layerwise(module, SQUARED, x, all_rows(N_ROWS), **settings())
    for layer in (1, 2, 3):
        losses = [row["loss"] for row in history if row["phase"] == f"layer {layer}"]
        assert losses[-1] < losses[0]
    codes = x[None].double()
    for stage, drawn in zip(module.stages(), before.stages(), strict=True):
        error = (stage({"input": codes})["output"] - codes).square().mean()
        at_first = (drawn({"input": codes})["output"] - codes).square().mean()
        assert error < 0.9 * at_first
        codes = stage.encode(codes)


def test_is_one_training_after_the_other(x: torch.Tensor) -> None:
    ours, theirs = build(), build()
    train_layerwise(ours, SQUARED, x, all_rows(N_ROWS), **settings(batch_size=16))
    by_hand, codes = settings(batch_size=16), x
    for stage in theirs.stages():
        tensors = {"input": codes, "target": codes}
        train(stage, SQUARED, tensors, all_rows(N_ROWS), **by_hand)
        codes = stage.encode(codes.double()[None])[0].detach().float()
    assert_close(ours, theirs, atol=0)


def test_every_member_learns_its_own_codes(x: torch.Tensor) -> None:
    """As if it were alone: with full batches, the order of the rows does not count."""
    rows = np.arange(N_ROWS)
    training, held_out = [rows[:40], rows[20:]], [rows[40:], rows[:20]]
    together = build(members=2)
    train_layerwise(together, SQUARED, x, Folds(training, held_out), **settings())
    for j in range(2):
        alone = member(build(members=2), j)
        folds = Folds([training[j]], [held_out[j]])
        train_layerwise(alone, SQUARED, x, folds, **settings())
        assert_close(member(together, j), alone, atol=1e-5)


def test_only_the_first_layer_sees_the_noise(x: torch.Tensor) -> None:
    widths = []

    def corrupt(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        widths.append(batch.shape[-1])
        return batch

    noisy = Objective(LOSSES["squared_error"], corrupt)
    train_layerwise(build(), noisy, x, all_rows(N_ROWS), **settings())
    assert set(widths) == {N_INPUTS}


def test_layers_of_images() -> None:
    rows = torch.randn(40, 35, generator=torch.Generator().manual_seed(1))
    module = ConvolutionalNetwork((7, 5), (3, 4), 3, 2, hidden_size=6).build(
        (35,), (35,), 2, members=4, generator=torch.Generator().manual_seed(0)
    )
    folds = cross_validation(np.arange(40), 3)
    history = train_layerwise(module, SQUARED, rows, folds, **settings())
    assert [row["phase"] for row in history[::4]] == [
        f"layer {j}" for j in (1, 2, 3, 4)
    ]
    assert all(np.isfinite(row["validation_loss"]) for row in history)


def test_a_single_layer_is_refused(x: torch.Tensor) -> None:
    module = DenseNetwork(()).build(
        (N_INPUTS,), (N_INPUTS,), 2, members=1, generator=torch.Generator()
    )
    with pytest.raises(ValueError, match=r"^pretraining=.*hidden_layer_sizes"):
        train_layerwise(module, SQUARED, x, all_rows(N_ROWS), **settings())
