"""Losses: values computed by hand, links and domains."""

import math

import pytest
import torch

from skae.losses import LOSSES, Loss, resolve_loss


@pytest.mark.parametrize(
    "name, output, target, expected",
    [
        ("squared_error", 3.0, 1.0, 4.0),
        ("absolute_error", -1.0, 1.5, 2.5),
        ("log_loss", 0.0, 1.0, math.log(2)),
        ("log_loss", 2.0, 0.25, math.log1p(math.exp(2.0)) - 0.25 * 2.0),
    ],
)
def test_value(name: str, output: float, target: float, expected: float) -> None:
    loss = LOSSES[name].pointwise(torch.tensor([output]), torch.tensor([target]))
    assert loss.item() == pytest.approx(expected)


@pytest.mark.parametrize("name", LOSSES)
def test_neither_reduced_nor_weighted(name: str) -> None:
    output, target = torch.randn(2, 5, 3), torch.rand(2, 5, 3)
    pointwise = LOSSES[name].pointwise
    loss = pointwise(output, target)
    assert loss.shape == output.shape
    one = pointwise(output[1, 4, 2], target[1, 4, 2])
    torch.testing.assert_close(loss[1, 4, 2], one)


@pytest.mark.parametrize("name", LOSSES)
def test_least_where_the_linked_output_is_the_target(name: str) -> None:
    loss = LOSSES[name]
    outputs = torch.linspace(-4, 4, 8001)
    target = torch.tensor(0.3)
    best = outputs[loss.pointwise(outputs, target.expand_as(outputs)).argmin()]
    assert loss.link(best).item() == pytest.approx(0.3, abs=1e-3)


def test_only_log_loss_is_bound_to_the_unit_interval() -> None:
    assert [name for name in LOSSES if LOSSES[name].unit_interval] == ["log_loss"]


def test_log_loss_is_finite_for_certain_outputs() -> None:
    logits = torch.tensor([-1e4, 1e4, -1e4, 1e4])
    targets = torch.tensor([0.0, 1.0, 1.0, 0.0])
    loss = LOSSES["log_loss"].pointwise(logits, targets)
    torch.testing.assert_close(loss, torch.tensor([0.0, 0.0, 1e4, 1e4]))


@pytest.mark.parametrize("name", LOSSES)
def test_a_name_stands_for_its_loss(name: str) -> None:
    assert resolve_loss(name) is LOSSES[name]


def test_a_loss_of_ones_own_stands_for_itself() -> None:
    """By default it bounds nothing, and may see neither rotated nor bounded rows."""
    own = Loss(lambda output, target: (output - target).abs() ** 1.5)
    assert resolve_loss(own) is own
    x = torch.randn(5)
    assert torch.equal(own.link(x), x)
    assert torch.equal(own.inverse_link(x), x)
    assert not own.rotation_invariant
    assert not own.unit_interval
