"""Sparsity of the code, against formulas of other libraries in float64."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from skae.penalties import KullbackLeiblerSparsity, L1Sparsity, Penalty


def term(penalty: Penalty, code: torch.Tensor) -> torch.Tensor:
    return penalty.term(torch.nn.Identity(), {}, {"code": code})


@pytest.fixture
def code() -> torch.Tensor:
    """Two members, seven rows, three components in (0, 1)."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 7, 3, dtype=torch.float64, generator=generator)


def test_l1_is_the_norm_of_every_row(code: torch.Tensor) -> None:
    code = code - 0.5
    expected = 0.7 * np.linalg.norm(code.numpy(), ord=1, axis=-1)
    torch.testing.assert_close(term(L1Sparsity(0.7), code), torch.from_numpy(expected))


@pytest.mark.parametrize("target", [0.01, 0.05, 0.6])
def test_divergence_of_two_coins(code: torch.Tensor, target: float) -> None:
    """Of each component's mean over a member's batch; every row bears the same."""
    terms = term(KullbackLeiblerSparsity(target, strength=3), code)
    assert terms.shape == (2, 7)
    coin = [target, 1 - target]
    for member, row_terms in zip(code.numpy(), terms.numpy(), strict=True):
        means = member.mean(axis=0)
        expected = 3 * sum(entropy(coin, [mean, 1 - mean]) for mean in means)
        np.testing.assert_allclose(row_terms, expected, rtol=1e-12)


def test_divergence_vanishes_at_the_target() -> None:
    """However unequally the rows share it."""
    code = torch.tensor([[[0.0], [0.3]]], dtype=torch.float64)
    terms = term(KullbackLeiblerSparsity(0.15), code)
    torch.testing.assert_close(terms, torch.zeros_like(terms), rtol=0, atol=1e-15)


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_divergence_is_finite_where_all_codes_are_rounded(end: float) -> None:
    code = torch.full((1, 4, 2), end, requires_grad=True)
    terms = term(KullbackLeiblerSparsity(), code)
    terms.sum().backward()
    assert torch.isfinite(terms).all()
    assert torch.isfinite(code.grad).all()


@pytest.mark.parametrize(
    "penalty", [L1Sparsity(0.3), KullbackLeiblerSparsity(0.2, 0.3)], ids=repr
)
def test_gradients(penalty: Penalty, code: torch.Tensor) -> None:
    assert torch.autograd.gradcheck(lambda z: term(penalty, z), code.requires_grad_())


@pytest.mark.parametrize("penalty", [L1Sparsity, KullbackLeiblerSparsity])
@pytest.mark.parametrize("strength", [-1, float("nan"), float("inf"), "1", None])
def test_bad_strength(
    penalty: type[Penalty], strength: object, code: torch.Tensor
) -> None:
    with pytest.raises(ValueError, match=r"^strength must be a non-negative number"):
        term(penalty(strength=strength), code)


@pytest.mark.parametrize("target", [0, 1, -0.1, float("nan"), "0.1", None])
def test_bad_target(target: object, code: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"^target must be a number in \(0, 1\)"):
        term(KullbackLeiblerSparsity(target), code)
