"""The objective: which rows the noise reaches, and what a term is."""

import torch

from skae._objective import Objective
from skae.losses import LOSSES
from skae.noise import GaussianNoise


def identity(batch: dict, generator: torch.Generator | None = None) -> dict:
    return {"output": batch["input"]}


def batch_of(x: torch.Tensor, target: torch.Tensor | None = None) -> dict:
    return {"input": x, "target": x if target is None else target}


def test_term_is_summed_over_the_features_of_a_row() -> None:
    x, target = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    terms = Objective(LOSSES["squared_error"])(identity, batch_of(x, target))
    (term,) = terms.values()
    torch.testing.assert_close(term, (x - target).square().sum(-1))


def test_noise_reaches_the_input_and_never_the_target() -> None:
    x = torch.randn(1, 2000, 4)
    objective = Objective(LOSSES["squared_error"], GaussianNoise(0.5))
    batch = batch_of(x)
    (term,) = objective(identity, batch, torch.Generator()).values()
    # The identity leaves nothing but the noise as its error.
    torch.testing.assert_close(term.mean(), torch.tensor(4 * 0.25), rtol=0.05, atol=0)
    assert batch["input"] is batch["target"] is x


def test_without_a_generator_there_is_no_noise() -> None:
    objective = Objective(LOSSES["squared_error"], GaussianNoise(0.5))
    (term,) = objective(identity, batch_of(torch.randn(1, 5, 3))).values()
    assert not term.any()
