"""Flat parameters: one tensor that the module's parameters are views of."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from skae._training._flat import FlatParameters


@pytest.fixture
def module() -> nn.Module:
    torch_state = torch.get_rng_state()
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    torch.set_rng_state(torch_state)
    return module


def test_values_are_kept(module: nn.Module) -> None:
    before = copy.deepcopy(module)
    flat = FlatParameters(module)
    assert flat.tensor.numel() == sum(p.numel() for p in before.parameters())
    for ours, theirs in zip(module.parameters(), before.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    x = torch.randn(5, 3)
    assert torch.equal(module(x), before(x))


def test_gradients_arrive_in_one_tensor(module: nn.Module) -> None:
    plain = copy.deepcopy(module)
    flat = FlatParameters(module)
    x = torch.randn(5, 3)
    for m in (module, plain):
        m(x).square().sum().backward()
    expected = torch.cat([p.grad.flatten() for p in plain.parameters()])
    torch.testing.assert_close(flat.gradient, expected)
    assert flat.tensor.grad is flat.gradient
    flat.gradient.zero_()
    assert not any(p.grad.any() for p in module.parameters())


def test_one_step_moves_all_parameters(module: nn.Module) -> None:
    plain = copy.deepcopy(module)
    flat = FlatParameters(module)
    x = torch.randn(5, 3)
    for m, parameters in ((module, [flat.tensor]), (plain, plain.parameters())):
        optimizer = torch.optim.Adam(parameters, lr=0.1)
        for _ in range(3):
            for p in m.parameters():
                if p.grad is not None:
                    p.grad.zero_()
            m(x).square().sum().backward()
            optimizer.step()
    for ours, theirs in zip(module.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_copy_stays_as_it_is(module: nn.Module) -> None:
    flat = FlatParameters(module)
    values = flat.copy()
    flat.tensor.data.zero_()
    assert values.any()
