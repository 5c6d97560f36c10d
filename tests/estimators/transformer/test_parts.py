"""What a transformer starts from: coordinates, units and the module to train."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from skae.estimators.transformer._module import last_member
from skae.estimators.transformer._prediction import Codec
from skae.estimators.transformer._start import FromFitted, FromPCA, FromScratch, Origin
from skae.losses import LOSSES
from skae.networks import DenseNetwork
from skae.noise import GaussianNoise

SQUARED, NETWORK = LOSSES["squared_error"], DenseNetwork((8,))


@pytest.fixture
def X(rng: np.random.RandomState) -> np.ndarray:
    return rng.normal(loc=5, size=(60, 6)) * [9, 6, 4, 2, 1, 0.01]


def compose(origin: Origin, X: np.ndarray) -> torch.nn.Module:
    return origin.compose(
        origin.coordinates.training_tensor(X),
        None,
        [np.arange(40), np.arange(len(X))],
        torch.Generator().manual_seed(0),
    )


def codec(origin: Origin, module: torch.nn.Module) -> Codec:
    return Codec(origin.coordinates, last_member(module), origin.latent_scale, SQUARED)


@pytest.mark.parametrize("rotated", [False, True])
class TestFromPCA:
    def test_begins_as_pca(self, X: np.ndarray, rotated: bool) -> None:
        origin = FromPCA(X, 2, NETWORK, rotated=rotated)
        pca = PCA(2).fit(X)
        for module in (compose(origin, X), origin.kept(compose(origin, X), 0.0)):
            np.testing.assert_allclose(
                codec(origin, module).encode(X), pca.transform(X), atol=1e-8
            )

    def test_a_fold_member_begins_as_the_pca_of_its_rows(
        self, X: np.ndarray, rotated: bool
    ) -> None:
        origin = FromPCA(X, 2, NETWORK, rotated=rotated)
        seen = torch.from_numpy(origin.coordinates.transform(X))
        module = compose(origin, X).requires_grad_(False)
        restored = module({"input": seen.expand(2, -1, -1)})["output"][0]
        pca = PCA(2).fit(X[:40])
        expected = pca.inverse_transform(pca.transform(X))
        # What the coordinates leave out is not much, but not nothing.
        np.testing.assert_allclose(
            origin.coordinates.inverse_transform(restored.numpy()), expected, atol=0.05
        )

    def test_rotation_drops_what_hardly_counts(
        self, X: np.ndarray, rotated: bool
    ) -> None:
        coordinates = FromPCA(X, 2, NETWORK, rotated=rotated).coordinates
        assert coordinates.n_coordinates == (5 if rotated else 6)
        seen = coordinates.transform(X)
        assert (seen**2).sum() / len(X) == pytest.approx(6, rel=0.05)

    def test_nothing_is_left_to_improve(self, X: np.ndarray, rotated: bool) -> None:
        assert FromPCA(X, 5, NETWORK, rotated=rotated).improvable
        assert not FromPCA(X, 6, NETWORK, rotated=rotated).improvable


def test_from_scratch_sees_centred_features_in_one_unit(X: np.ndarray) -> None:
    coordinates = FromScratch(X, 2, NETWORK, SQUARED).coordinates
    seen = coordinates.transform(X)
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-12)
    assert seen.var(axis=0).mean() == pytest.approx(1)
    np.testing.assert_allclose(seen.std(axis=0) / X.std(axis=0), 1 / coordinates.scale)


def test_log_loss_sees_the_features_themselves(rng: np.random.RandomState) -> None:
    X = rng.uniform(size=(30, 4))
    origin = FromScratch(X, 2, NETWORK, LOSSES["log_loss"])
    assert np.array_equal(origin.coordinates.transform(X), X)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_from_fitted_keeps_units_and_codes(X: np.ndarray, weight: float) -> None:
    first = FromPCA(X, 2, NETWORK, rotated=True)
    fitted = codec(first, compose(first, X))
    Y = 3 + X[:30]
    origin = FromFitted(Y, 2, fitted, SQUARED, None)
    np.testing.assert_allclose(origin.mean, Y.mean(axis=0))
    module = compose(origin, Y)
    module.weight = weight
    ours = codec(origin, origin.kept(module, weight))
    np.testing.assert_allclose(ours.encode(Y), fitted.encode(Y), atol=1e-10)
    # The last feature is not among the coordinates: its new mean is what is known.
    expected = fitted.reconstruct(Y)
    expected[:, -1] += 3
    np.testing.assert_allclose(ours.reconstruct(Y), expected, atol=0.02)


def test_noise_does_not_fade_what_the_network_adds(X: np.ndarray) -> None:
    origin = FromPCA(X, 2, NETWORK, rotated=False)
    inputs, generator = origin.coordinates.training_tensor(X), torch.Generator()
    corruption = GaussianNoise(0.1).corruption(inputs, torch.zeros(6))
    module = origin.compose(inputs, corruption, [np.arange(len(X))], generator)
    assert inputs.std(dim=0).min() < 0.01  # where the noise is far from all rows
    noisy = corruption(inputs[None], generator).double()
    assert module.encoder.fade(noisy).mean() > 0.9
