"""AutoencoderTransformer: networks, noises, penalties and pretraining as its parts."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from skae import AutoencoderTransformer
from skae.networks import ConvolutionalNetwork, DenseNetwork
from skae.noise import Corruption, GaussianNoise, MaskingNoise, Noise, SwapNoise, Units
from skae.penalties import Contraction, KullbackLeiblerSparsity, L1Sparsity

QUICK = {"max_iter": 5, "random_state": 0}
IMAGES = ConvolutionalNetwork((8, 8), (4, 8), 3, 2, hidden_size=32)


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """In random order: the images come writer by writer."""
    return np.random.RandomState(0).permutation(load_digits().data)[:500] / 16


def textbook(k: int, **params) -> AutoencoderTransformer:
    return AutoencoderTransformer(k, start=None, **(QUICK | params))


@pytest.mark.parametrize("tied_weights", [False, True])
class TestPretraining:
    def test_history_names_the_phases(
        self, digits: np.ndarray, tied_weights: bool
    ) -> None:
        network = DenseNetwork((32, 16), "tanh", tied_weights=tied_weights)
        fitted = textbook(4, pretraining="layerwise", network=network).fit(digits)
        phases = [row["phase"] for row in fitted.history_]
        layers = [f"layer {j}" for j in (1, 2, 3) for _ in range(5)]
        assert phases == layers + ["fine-tuning"] * fitted.n_iter_
        last = fitted.history_[-fitted.n_iter_ :]
        assert fitted.loss_curve_ == [row["loss"] for row in last]
        assert len(fitted.validation_scores_) == fitted.n_iter_
        assert max(fitted.validation_scores_) == pytest.approx(
            fitted.best_validation_score_, abs=1e-6
        )

    def test_fine_tuning_begins_ahead(
        self, digits: np.ndarray, tied_weights: bool
    ) -> None:
        network = DenseNetwork((32, 16), "tanh", tied_weights=tied_weights)
        joint = textbook(4, network=network).fit(digits)
        assert {row["phase"] for row in joint.history_} == {"joint"}
        tuned = textbook(4, pretraining="layerwise", network=network).fit(digits)
        assert tuned.loss_curve_[0] < joint.loss_curve_[0]

    def test_images(self, digits: np.ndarray, tied_weights: bool) -> None:
        network = clone(IMAGES).set_params(tied_weights=tied_weights)
        fitted = textbook(4, pretraining="layerwise", network=network, max_iter=1)
        phases = [row["phase"] for row in fitted.fit(digits).history_]
        assert phases == [*(f"layer {j}" for j in (1, 2, 3, 4)), "fine-tuning"]


@pytest.mark.parametrize(
    "network",
    [DenseNetwork((64, 32), tied_weights=True), IMAGES],
    ids=lambda network: type(network).__name__,
)
def test_other_networks_add_to_pca(
    digits: np.ndarray, network: DenseNetwork | ConvolutionalNetwork
) -> None:
    """What begins at zero must be able to leave it, where PCA has no gradient."""
    fitted = AutoencoderTransformer(4, network=network, random_state=0)
    fitted.set_params(max_iter=10).fit(digits[:400])
    assert fitted.uses_network_
    test, pca = digits[400:], PCA(4).fit(digits[:400])
    theirs = ((test - pca.inverse_transform(pca.transform(test))) ** 2).mean()
    assert fitted.reconstruction_error(test).mean() < theirs
    assert not np.allclose(fitted.transform(test), pca.transform(test))


@pytest.mark.parametrize("start", ["pca", None])
@pytest.mark.parametrize(
    "network", [DenseNetwork((16,), tied_weights=True), IMAGES], ids=str
)
def test_encoder_and_decoder_are_modules(
    digits: np.ndarray, start: str | None, network
) -> None:
    fitted = AutoencoderTransformer(4, start=start, network=network, cv=None, **QUICK)
    codes = fitted.fit_transform(digits)
    coordinates = fitted._fitted.coordinates
    x = torch.from_numpy(coordinates.transform(digits))[None]
    unit = fitted.start_.explained_variance_**0.5 if start == "pca" else 1.0
    z = fitted.module_.encoder(x)
    np.testing.assert_allclose(z[0].numpy() * unit, codes, atol=1e-10)
    np.testing.assert_allclose(
        coordinates.inverse_transform(fitted.module_.decoder(z)[0].numpy()),
        fitted.reconstruct(digits),
        atol=1e-10,
    )
    both = pickle.loads(pickle.dumps(fitted)).module_({"input": x})
    torch.testing.assert_close(both["code"], z)


@pytest.mark.parametrize(
    "params, rotated",
    [
        ({}, True),
        ({"noise": GaussianNoise(0.2)}, True),
        ({"noise": None}, True),
        ({"noise": SwapNoise(0.2)}, False),
        ({"noise": MaskingNoise(0.2)}, False),
        ({"loss": "absolute_error"}, False),
        ({"network": DenseNetwork((8,), tied_weights=True)}, True),
        ({"network": IMAGES}, False),
        ({"start": None}, False),
    ],
    ids=str,
)
def test_parts_that_look_at_features_get_features(
    digits: np.ndarray, params: dict, rotated: bool
) -> None:
    fitted = AutoencoderTransformer(4, max_iter=1, random_state=0).set_params(**params)
    coordinates = fitted.fit(digits)._fitted.coordinates
    assert (coordinates.basis is not None) == rotated
    assert rotated or coordinates.n_coordinates == 64


class Spy(Noise):
    """Changes nothing, and keeps what it is told."""

    def __init__(self, strength: float = 0.1) -> None:
        self.strength = strength

    def corruption(
        self, rows: torch.Tensor, zero: torch.Tensor, units: Units
    ) -> Corruption:
        self.told = rows, zero, units
        return lambda x, generator: x


@pytest.mark.parametrize(
    "start", ["pca", None, "log_loss", "fitted"], ids="start={}".format
)
def test_noise_is_told_where_zero_lies_and_of_the_units_of_x(
    digits: np.ndarray, start: str | None
) -> None:
    """As the network sees them, whatever the start."""
    spy, X = Spy(), digits + 3
    reducer = AutoencoderTransformer(2, start=start, noise=spy, max_iter=1)
    if start == "log_loss":
        X = digits * 0.5
        reducer.set_params(start=None, loss="log_loss")
    if start == "fitted":
        first = clone(reducer).set_params(start="pca").fit(2 * digits)
        reducer.set_params(start=FrozenEstimator(first))
    coordinates = reducer.fit(X)._fitted.coordinates
    rows, zero, units = spy.told
    restored = [coordinates.inverse_transform(x.numpy()) for x in (rows, zero)]
    np.testing.assert_allclose(restored[0], X, atol=1e-4)
    np.testing.assert_allclose(restored[1], 0, atol=1e-6)
    assert units.x * coordinates.scale == pytest.approx(1)
    # PCA's variances are divided by one less than the number of rows.
    deviation = pytest.approx(np.sqrt(X.var(axis=0).mean()), rel=0.002)
    assert units.std * coordinates.scale == deviation


class TestPenalty:
    def test_sparsity_shrinks_codes(self, digits: np.ndarray) -> None:
        def size(strength: float) -> float:
            penalty = L1Sparsity(strength)
            fitted = textbook(8, penalty=penalty, max_iter=10)
            return float(np.abs(fitted.fit_transform(digits)).mean())

        sizes = [size(strength) for strength in (0.0, 0.1, 10.0)]
        assert sizes[0] > 1.5 * sizes[1]
        assert sizes[1] > 1.5 * sizes[2]

    def test_codes_are_active_as_often_as_asked(self, digits: np.ndarray) -> None:
        network = DenseNetwork((32,), code_activation="logistic")
        penalty = KullbackLeiblerSparsity(target=0.1, strength=10.0)
        codes = textbook(
            20, network=network, penalty=penalty, max_iter=20
        ).fit_transform(digits)
        assert codes.min() > 0
        assert codes.max() < 1
        np.testing.assert_allclose(codes.mean(axis=0), 0.1, atol=0.05)

    def test_contraction_flattens_the_encoder(self, digits: np.ndarray) -> None:
        def steepness(strength: float) -> float:
            penalty = Contraction(strength)
            fitted = textbook(3, hidden_layer_sizes=(16,), penalty=penalty).fit(digits)
            step = 1e-4 * np.random.RandomState(0).normal(size=digits.shape)
            moved = fitted.transform(digits + step) - fitted.transform(digits)
            return float((moved**2).mean())

        assert steepness(0.0) > 2 * steepness(3.0)

    def test_held_out_rows_are_judged_without_it(self, digits: np.ndarray) -> None:
        """Their score stays that of the reconstruction."""
        fitted = textbook(8, penalty=L1Sparsity(1.0), max_iter=20).fit(digits[:400])
        lost = 1 - fitted.score(digits[400:])
        assert 1 - fitted.best_validation_score_ == pytest.approx(lost, rel=0.2)


def test_grid_reaches_into_all_parts(digits: np.ndarray) -> None:
    estimator = AutoencoderTransformer(
        4,
        start=None,
        network=DenseNetwork((8,)),
        noise=MaskingNoise(),
        penalty=L1Sparsity(),
        cv=None,
        max_iter=1,
        random_state=0,
    )
    grid = {
        "network__tied_weights": [False, True],
        "noise__strength": [0.1, 0.5],
        "penalty__strength": [0.0, 1.0],
    }
    search = GridSearchCV(estimator, grid, cv=2, error_score="raise")
    search.fit(digits[:100])
    assert len(set(search.cv_results_["mean_test_score"])) == 8
