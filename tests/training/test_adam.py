"""Adam: the steps of torch's own optimizer, by either of the two ways to take them."""

from __future__ import annotations

import pytest
import torch

from skae._training import _adam
from skae._training._adam import Adam


@pytest.fixture(params=["in one call of torch", "written out"])
def ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "written out":
        # A version of torch that has it no longer, or with other arguments.
        monkeypatch.delattr(torch, "_fused_adam_")


@pytest.mark.usefixtures("ways")
def test_steps_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(30, 50, generator=generator) * torch.logspace(-9, 3, 50)
    ours, gradient = torch.ones(50), torch.zeros(50)
    theirs = torch.ones(50, requires_grad=True)
    adam, reference = Adam(ours, gradient), torch.optim.Adam([theirs])
    for step, own in enumerate(gradients):
        rate = 0.01 / (1 + step)
        gradient.copy_(own)
        adam.step(rate)
        theirs.grad = own.clone()
        reference.param_groups[0]["lr"] = rate
        reference.step()
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-5, atol=1e-7)


def test_a_changed_function_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(values: list[torch.Tensor], **others: object) -> None:
        raise AssertionError

    monkeypatch.setattr(torch, "_fused_adam_", changed)
    values = torch.ones(3)
    Adam(values, torch.ones(3)).step(0.1)
    torch.testing.assert_close(values, torch.full((3,), 0.9))


def test_the_single_call_is_taken_where_it_works() -> None:
    assert _adam._fastest(torch.device("cpu")) is _adam._fused
