"""Penalties in training: each achieves what it asks for."""

import numpy as np
import pytest
import torch

from skae import AutoencoderTransformer
from skae.networks import Autoencoder, DenseNetwork
from skae.penalties import Contraction, KullbackLeiblerSparsity, L1Sparsity, Penalty


def trained(penalty: Penalty | None) -> tuple[Autoencoder, torch.Tensor]:
    """A network, and the rows that it was trained on as it sees them."""
    X = np.random.RandomState(0).normal(size=(300, 6))
    X -= X.mean(axis=0)
    X /= X.std()
    reducer = AutoencoderTransformer(
        4,
        network=DenseNetwork((), code_activation="logistic"),
        start=None,
        penalty=penalty,
        batch_size=32,
        learning_rate_init=0.02,
        max_iter=10,
        tol=0.0,
        n_iter_no_change=10,
        cv=None,
        random_state=0,
    )
    return reducer.fit(X).module_, torch.from_numpy(X)[None]


@pytest.mark.parametrize(
    "penalty",
    [L1Sparsity(3.0), KullbackLeiblerSparsity(0.05, 5.0), Contraction(3.0)],
    ids=repr,
)
def test_the_penalised_is_less_than_without(penalty: Penalty) -> None:
    terms = []
    for chosen in (None, penalty):
        module, x = trained(chosen)
        batch = {"input": x, "target": x}
        terms.append(float(penalty.term(module, batch, module(batch)).detach().mean()))
    assert terms[1] < terms[0] / 2
