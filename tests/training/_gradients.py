"""Gradients by rules beside those by autograd."""

from __future__ import annotations

import copy

import torch
from torch import nn

from skae._training import Objective, Tensors
from skae._training._flat import FlatParameters
from skae._training._gradient import Gradient, GradientByAutograd, GradientByRules


def assert_same_gradients(
    module: nn.Module, objective: Objective, batch: Tensors, rtol: float = 1e-10
) -> None:
    """Both ways find the same loss and the same gradient, in float64.

    What is left of an earlier step changes nothing.
    """
    module = copy.deepcopy(module).double()
    batch = {name: tensor.double() for name, tensor in batch.items()}
    expected_loss, expected = _gradient(GradientByAutograd, module, objective, batch)
    loss, gradient = _gradient(GradientByRules, module, objective, batch)
    torch.testing.assert_close(loss, expected_loss, rtol=rtol, atol=0)
    torch.testing.assert_close(
        gradient, expected, rtol=rtol, atol=rtol * float(expected.abs().max())
    )


def _gradient(
    kind: type[Gradient], module: nn.Module, objective: Objective, batch: Tensors
) -> tuple[torch.Tensor, torch.Tensor]:
    module = copy.deepcopy(module)
    flat = FlatParameters(module)
    flat.gradient.fill_(torch.nan)
    generator = torch.Generator().manual_seed(0)
    loss = kind(module, objective, flat, generator)(batch)
    return loss.clone(), flat.gradient
