"""Penalties in training: each achieves what it asks for."""

import numpy as np
import pytest
import torch

from skae._training import Folds, Objective, train
from skae.losses import LOSSES
from skae.networks import DenseNetwork
from skae.penalties import Contraction, KullbackLeiblerSparsity, L1Sparsity, Penalty


def trained(penalty: Penalty | None) -> tuple[torch.nn.Module, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(300, 6, generator=generator)
    network = DenseNetwork((), code_activation="logistic")
    module = network.build((6,), (6,), 4, members=2, generator=generator)
    train(
        module,
        Objective(LOSSES["squared_error"], penalty=penalty),
        {"input": x, "target": x},
        Folds([np.arange(300)] * 2, [np.arange(0)] * 2),
        generator=generator,
        batch_size=32,
        learning_rate=0.02,
        max_iter=10,
        tol=0.0,
        n_iter_no_change=10,
    )
    return module, x.expand(2, -1, -1).double()


@pytest.mark.parametrize(
    "penalty",
    [L1Sparsity(3.0), KullbackLeiblerSparsity(0.05, 5.0), Contraction(3.0)],
    ids=repr,
)
def test_the_penalised_is_less_than_without(penalty: Penalty) -> None:
    terms = []
    for chosen in (None, penalty):
        module, x = trained(chosen)
        term = penalty.term(module.encode, x, module.encode(x))
        terms.append(float(term.detach().mean()))
    assert terms[1] < terms[0] / 2
