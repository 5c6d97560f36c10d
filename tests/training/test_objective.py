"""Objectives: what the noise reaches, what is hidden, and what a term is."""

import pytest
import torch

from skae._training import HiddenFeaturesObjective, Objective
from skae.losses import LOSSES
from skae.noise import Corruption, GaussianNoise
from skae.penalties import L1Sparsity, Penalty


def identity(batch: dict, generator: torch.Generator | None = None) -> dict:
    return {"output": batch["input"]}


def gaussian(n_features: int) -> Corruption:
    nothing = torch.zeros(n_features)
    return GaussianNoise(0.5).corruption(nothing[None], nothing)


def batch_of(x: torch.Tensor, target: torch.Tensor | None = None) -> dict:
    return {"input": x, "target": x if target is None else target}


def test_term_is_summed_over_the_features_of_a_row() -> None:
    x, target = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    terms = Objective(LOSSES["squared_error"])(identity, batch_of(x, target))
    (term,) = terms.values()
    torch.testing.assert_close(term, (x - target).square().sum(-1))


def test_noise_reaches_the_input_and_never_the_target() -> None:
    x = torch.randn(1, 2000, 4)
    objective = Objective(LOSSES["squared_error"], gaussian(4))
    batch = batch_of(x)
    (term,) = objective(identity, batch, torch.Generator()).values()
    # The identity leaves nothing but the noise as its error.
    torch.testing.assert_close(term.mean(), torch.tensor(4 * 0.25), rtol=0.05, atol=0)
    assert batch["input"] is batch["target"] is x


def test_without_a_generator_there_is_no_noise() -> None:
    objective = Objective(LOSSES["squared_error"], gaussian(3))
    (term,) = objective(identity, batch_of(torch.randn(1, 5, 3))).values()
    assert not term.any()


class Doubling(torch.nn.Module):
    """An autoencoder whose code is twice its input."""

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    def forward(self, batch: dict, generator: torch.Generator | None = None) -> dict:
        return {"output": batch["input"], "code": self.encode(batch["input"])}


class TestPenalty:
    def test_is_a_term_beside_the_error(self) -> None:
        x, target = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
        objective = Objective(LOSSES["squared_error"], penalty=L1Sparsity(0.5))
        terms = objective(Doubling(), batch_of(x, target), torch.Generator())
        assert terms.keys() == {"reconstruction", "penalty"}
        error = (x - target).square().sum(-1)
        torch.testing.assert_close(terms["reconstruction"], error)
        torch.testing.assert_close(terms["penalty"], x.abs().sum(-1))

    def test_held_out_rows_are_judged_by_the_error_alone(self) -> None:
        objective = Objective(LOSSES["squared_error"], penalty=L1Sparsity(0.5))
        terms = objective(Doubling(), batch_of(torch.randn(1, 5, 3)))
        assert terms.keys() == {"reconstruction"}

    def test_gets_the_input_with_its_noise_and_the_code_of_that(self) -> None:
        class Spy(Penalty):
            def term(self, encode, x, code) -> torch.Tensor:
                torch.testing.assert_close(encode(x), code, rtol=0, atol=0)
                self.seen = x
                return code.sum(-1)

        spy, x = Spy(), torch.zeros(2, 5, 3)
        objective = Objective(LOSSES["squared_error"], gaussian(3), spy)
        terms = objective(Doubling(), batch_of(x), torch.Generator())
        torch.testing.assert_close(terms["reconstruction"], spy.seen.square().sum(-1))
        assert spy.seen.any()


class Recorder:
    """A network of no effect, which keeps what it is shown."""

    def __call__(self, batch: dict, generator: torch.Generator | None = None) -> dict:
        self.seen, self.visible = batch["input"], batch["visible"]
        return {"output": torch.zeros_like(self.seen)}


class TestHiddenFeatures:
    @pytest.mark.parametrize("corruption", [None, gaussian(6)])
    def test_only_hidden_features_count(self, corruption: Corruption | None) -> None:
        """And never with their noise."""
        objective = HiddenFeaturesObjective(LOSSES["squared_error"], corruption)
        network, x, target = Recorder(), torch.randn(2, 50, 6), torch.randn(2, 50, 6)
        terms = objective(network, batch_of(x, target), torch.Generator())
        (term,) = terms.values()
        expected = (target.square() * (1 - network.visible)).sum(-1)
        torch.testing.assert_close(term, expected)

    def test_noise_reaches_what_is_shown_alone(self) -> None:
        objective = HiddenFeaturesObjective(LOSSES["squared_error"], gaussian(4))
        network, x = Recorder(), torch.randn(1, 2000, 4)
        batch = batch_of(x)
        objective(network, batch, torch.Generator())
        torch.testing.assert_close(
            (network.seen - x).std(), torch.tensor(0.5), rtol=0.05, atol=0
        )
        assert batch["input"] is batch["target"] is x

    def test_every_number_of_features_is_hidden_equally_often(self) -> None:
        network = Recorder()
        objective = HiddenFeaturesObjective(LOSSES["squared_error"])
        objective(network, batch_of(torch.zeros(1, 20_000, 4)), torch.Generator())
        counts = network.visible.sum(-1).flatten().long().bincount()
        assert len(counts) == 5
        assert (counts / 20_000 - 0.2).abs().max() < 0.02
        assert set(network.visible.unique().tolist()) == {0.0, 1.0}
        shares = network.visible.mean(dim=(0, 1))
        assert (shares - 0.5).abs().max() < 0.02

    def test_members_and_rows_hide_features_of_their_own(self) -> None:
        network = Recorder()
        objective = HiddenFeaturesObjective(LOSSES["squared_error"])
        objective(network, batch_of(torch.zeros(2, 50, 20)), torch.Generator())
        masks = network.visible.reshape(100, 20)
        assert len(masks.unique(dim=0)) > 80
