"""The contraction, against the Jacobian computed in other ways in float64."""

from types import SimpleNamespace

import pytest
import torch

from skae.networks import ConvolutionalNetwork, DenseNetwork
from skae.penalties import Contraction

N_FEATURES, N_COMPONENTS, MEMBERS, N_ROWS = 5, 3, 2, 4


def network(hidden: tuple[int, ...] = (6,), **params) -> torch.nn.Module:
    return DenseNetwork(hidden, **params).build_autoencoder(
        N_FEATURES,
        N_COMPONENTS,
        members=MEMBERS,
        generator=torch.Generator().manual_seed(0),
    )


@pytest.fixture
def x() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    shape = MEMBERS, N_ROWS, N_FEATURES
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def contraction(
    module: torch.nn.Module, x: torch.Tensor, strength: float = 1.0
) -> torch.Tensor:
    return Contraction(strength).term(
        module, {"input": x, "target": x}, {"code": module.encode(x)}
    )


def row_by_row(module: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Squared norm of the Jacobian of each row of each member."""
    norms = torch.empty(x.shape[:2], dtype=x.dtype)
    for member, rows in enumerate(x):
        for i, row in enumerate(rows):

            def code(row: torch.Tensor, member: int = member) -> torch.Tensor:
                return module.encode(row.expand(MEMBERS, 1, -1))[member, 0]

            jacobian = torch.func.jacrev(code)(row)
            assert jacobian.shape == (N_COMPONENTS, x.shape[-1])
            norms[member, i] = torch.linalg.matrix_norm(jacobian).square()
    return norms.detach()


@pytest.mark.parametrize("activation", ["tanh", "silu", "relu", "selu"])
@pytest.mark.parametrize("hidden", [(), (6,), (6, 4)])
def test_jacobian_row_by_row(
    x: torch.Tensor, activation: str, hidden: tuple[int, ...]
) -> None:
    module = network(hidden, activation=activation)
    expected = 0.3 * row_by_row(module, x)
    torch.testing.assert_close(contraction(module, x, 0.3), expected)


def test_jacobian_of_convolutions(x: torch.Tensor) -> None:
    spec = ConvolutionalNetwork((5, 4), channels=(2, 3), hidden_size=None)
    generator = torch.Generator().manual_seed(0)
    module = spec.build_autoencoder(
        20, N_COMPONENTS, members=MEMBERS, generator=generator
    )
    x = x.repeat(1, 1, 4)
    torch.testing.assert_close(contraction(module, x), row_by_row(module, x))


def test_finite_differences(x: torch.Tensor) -> None:
    module, h = network(), 1e-5
    total = torch.zeros(MEMBERS, N_ROWS, dtype=torch.float64)
    for step in h * torch.eye(N_FEATURES, dtype=torch.float64):
        slope = (module.encode(x + step) - module.encode(x - step)) / (2 * h)
        total += slope.square().sum(dim=-1)
    torch.testing.assert_close(contraction(module, x), total, rtol=1e-7, atol=0)


def test_closed_form_of_one_layer_of_tanh(x: torch.Tensor) -> None:
    """A unit's slope is one minus its square, as the paper has it for the logistic."""
    module = network((), code_activation="tanh")
    (weight,) = (p for p in module.encoder.parameters() if p.shape[1] == N_FEATURES)
    slopes = 1 - module.encode(x).square()
    expected = (slopes.square() * weight.square().sum(dim=1, keepdim=True)).sum(dim=-1)
    torch.testing.assert_close(contraction(module, x), expected)


def test_gradients(x: torch.Tensor) -> None:
    """By the parameters of the encoder: training takes the second derivative."""
    module = network((), code_activation="tanh")
    weight, bias = module.encoder.parameters()

    def term(weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        def encode(x: torch.Tensor) -> torch.Tensor:
            return torch.tanh(torch.baddbmm(bias, x, weight))

        module = SimpleNamespace(encode=encode)
        return Contraction().term(module, {"input": x}, {"code": encode(x)})

    torch.testing.assert_close(term(weight, bias), contraction(module, x, 0.1))
    assert torch.autograd.gradcheck(term, (weight, bias))


def test_the_inputs_get_no_gradient(x: torch.Tensor) -> None:
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(
        contraction(network(), x).sum(), x, allow_unused=True
    )
    assert gradient is None


def test_without_gradients_the_value_is_the_same(x: torch.Tensor) -> None:
    module = network()
    with torch.no_grad():
        value = contraction(module, x)
    assert not value.requires_grad
    torch.testing.assert_close(value, contraction(module, x).detach(), rtol=0, atol=0)


@pytest.mark.parametrize("strength", [-1, float("nan"), float("inf"), "1", None])
def test_bad_strength(x: torch.Tensor, strength: object) -> None:
    with pytest.raises(ValueError, match=r"^strength must be a non-negative number"):
        contraction(network(), x, strength)
