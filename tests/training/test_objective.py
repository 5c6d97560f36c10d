"""Objectives: what the noise reaches, what counts, and what a term is."""

from __future__ import annotations

import pytest
import torch

from skae._base import NoisyInput
from skae._training import Objective
from skae.losses import LOSSES
from skae.noise import GaussianNoise, Units
from skae.penalties import L1Sparsity, Penalty

SQUARED = LOSSES["squared_error"]


def identity(batch: dict, generator: torch.Generator | None = None) -> dict:
    return {"output": batch["input"]}


def noisy(n_features: int) -> NoisyInput:
    nothing = torch.zeros(n_features)
    return NoisyInput(GaussianNoise(0.5).corruption(nothing[None], nothing, Units()))


def batch_of(x: torch.Tensor, target: torch.Tensor | None = None) -> dict:
    return {"input": x, "target": x if target is None else target}


def test_term_is_summed_over_the_features_of_a_row() -> None:
    x, target = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    terms = Objective(SQUARED)(identity, batch_of(x, target))
    (term,) = terms.values()
    torch.testing.assert_close(term, (x - target).square().sum(-1))


def test_pixels_are_features_too() -> None:
    x, target = torch.randn(2, 5, 4, 3, 1), torch.randn(2, 5, 4, 3, 1)
    (term,) = Objective(SQUARED)(identity, batch_of(x, target)).values()
    torch.testing.assert_close(term, (x - target).square().sum((2, 3, 4)))


def test_noise_reaches_the_input_and_never_the_target() -> None:
    x = torch.randn(1, 2000, 4)
    objective = Objective(SQUARED, noisy(4))
    batch = batch_of(x)
    (term,) = objective(identity, batch, torch.Generator()).values()
    # The identity leaves nothing but the noise as its error.
    torch.testing.assert_close(term.mean(), torch.tensor(4 * 0.25), rtol=0.05, atol=0)
    assert batch["input"] is batch["target"] is x


def test_without_a_generator_there_is_no_noise() -> None:
    objective = Objective(SQUARED, noisy(3))
    (term,) = objective(identity, batch_of(torch.randn(1, 5, 3))).values()
    assert not term.any()


@pytest.mark.parametrize("generator", [None, torch.Generator()])
def test_what_prepares_a_batch_says_how_much_each_element_counts(
    generator: torch.Generator | None,
) -> None:
    """In training as well as where rows are judged."""
    x, target = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    weight = torch.tensor([2.0, 0.0, 1.0])

    def prepare(batch: dict, given: torch.Generator | None) -> dict:
        assert given is generator
        return batch | {"weight": weight.expand_as(x)}

    (term,) = Objective(SQUARED, prepare)(
        identity, batch_of(x, target), generator
    ).values()
    expected = 2 * (x - target)[..., 0].square() + (x - target)[..., 2].square()
    torch.testing.assert_close(term, expected)


@pytest.mark.parametrize("generator", [None, torch.Generator()])
def test_module_draws_from_the_same_generator(
    generator: torch.Generator | None,
) -> None:
    """Or from none, where rows are judged."""
    given = []

    def watched(batch: dict, generator: torch.Generator | None = None) -> dict:
        given.append(generator)
        return identity(batch)

    Objective(SQUARED)(watched, batch_of(torch.zeros(1, 5, 3)), generator)
    assert len(given) == 1
    assert given[0] is generator


class Doubling(torch.nn.Module):
    """An autoencoder whose code is twice its input."""

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    def forward(self, batch: dict, generator: torch.Generator | None = None) -> dict:
        return {"output": batch["input"], "code": self.encode(batch["input"])}


class TestTerms:
    def test_are_beside_the_error(self) -> None:
        x, target = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
        objective = Objective(SQUARED, terms={"penalty": L1Sparsity(0.5).term})
        terms = objective(Doubling(), batch_of(x, target), torch.Generator())
        assert terms.keys() == {"reconstruction", "penalty"}
        error = (x - target).square().sum(-1)
        torch.testing.assert_close(terms["reconstruction"], error)
        torch.testing.assert_close(terms["penalty"], x.abs().sum(-1))

    def test_held_out_rows_are_judged_by_the_error_alone(self) -> None:
        objective = Objective(SQUARED, terms={"penalty": L1Sparsity(0.5).term})
        terms = objective(Doubling(), batch_of(torch.randn(1, 5, 3)))
        assert terms.keys() == {"reconstruction"}

    def test_get_the_input_with_its_noise_and_the_code_of_that(self) -> None:
        class Spy(Penalty):
            def term(self, module, batch, outputs) -> torch.Tensor:
                code = outputs["code"]
                torch.testing.assert_close(
                    module.encode(batch["input"]), code, rtol=0, atol=0
                )
                self.seen, self.target = batch["input"], batch["target"]
                return code.sum(-1)

        spy, x = Spy(), torch.zeros(2, 5, 3)
        objective = Objective(SQUARED, noisy(3), {"penalty": spy.term})
        terms = objective(Doubling(), batch_of(x), torch.Generator())
        torch.testing.assert_close(terms["reconstruction"], spy.seen.square().sum(-1))
        assert spy.seen.any()
        assert spy.target is x
