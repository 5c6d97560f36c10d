"""The global expert: what is hidden from a network, and what its error is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skae.estimators.detector._module import MaskedAutoencoder
from skae.estimators.detector._masked_network import MaskedNetwork
from skae.networks import DenseNetwork, Network
from skae.networks._layers import ThinnedLinear
from skae.noise import Corruption, GaussianNoise, Noise


def masked(
    n_features: int, members: int = 3, network: Network | None = None
) -> MaskedAutoencoder:
    """Networks whose weights were drawn, so that what they see shows."""
    generator = torch.Generator().manual_seed(0)
    stack = (network or DenseNetwork((16,))).build(
        (2 * n_features,), (n_features,), members=members, generator=generator
    )
    module = MaskedAutoencoder(stack, n_features, members, generator)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(generator=generator)
    return module


def expert_of(X: np.ndarray, **params) -> MaskedNetwork:
    settings = {
        "network": DenseNetwork((16,)),
        "n_estimators": 2,
        "max_samples": 1.0,
        "noise": GaussianNoise(0.1),
        "generator": torch.Generator().manual_seed(0),
        "batch_size": 64,
        "learning_rate": 3e-3,
        "max_iter": 3,
        "tol": 0.0,
        "n_iter_no_change": 3,
    } | params
    everyone = np.arange(len(X))
    return MaskedNetwork(X, everyone, everyone, np.ones(X.shape[1]), **settings)


@pytest.mark.parametrize("n_features", [1, 2, 3, 4, 5, 10, 64])
class TestMasks:
    def test_every_feature_is_hidden_once_in_every_member(
        self, n_features: int
    ) -> None:
        hidden = masked(n_features).hidden[:, :, 0]
        assert (hidden.sum(dim=0) == 1).all()
        # In blocks that are as equal as they can be.
        sizes = hidden.sum(dim=2)
        assert len(sizes) == min(4, n_features)
        assert sizes.max() - sizes.min() <= 1

    def test_a_feature_is_expected_from_earlier_blocks_alone(
        self, n_features: int
    ) -> None:
        module = masked(n_features)
        x = torch.randn(1, 1, n_features, dtype=torch.float64)
        blocks = module.hidden[:, :, 0].argmax(dim=0)
        jacobian = torch.autograd.functional.jacobian(module.expect, x)
        sees = jacobian[:, 0, :, 0, 0, :] != 0
        assert torch.equal(sees, blocks[:, :, None] > blocks[:, None, :])

    def test_the_first_block_is_expected_to_be_the_same_in_every_row(
        self, n_features: int
    ) -> None:
        module = masked(n_features)
        expected = module.expect(torch.randn(1, 9, n_features, dtype=torch.float64))
        first = module.hidden[0, :, 0].bool()
        for member, features in zip(expected, first, strict=True):
            constant = member[:, features]
            torch.testing.assert_close(constant, constant[:1].expand_as(constant))


def test_members_hide_features_in_orders_of_their_own() -> None:
    one, two, _ = masked(20).hidden[:, :, 0].unbind(dim=1)
    assert not torch.equal(one, two)


def test_networks_are_told_what_is_visible() -> None:
    """A feature of value zero is not the same as one that is hidden."""
    module = masked(4)
    x = torch.zeros(3, 1, 4, dtype=torch.float64)
    nothing, everything = (
        module({"input": x, "visible": torch.full_like(x, seen)})["output"]
        for seen in (0.0, 1.0)
    )
    assert not torch.isclose(nothing, everything).any()


def test_hidden_values_do_not_reach_the_output() -> None:
    module = masked(4)
    x = torch.randn(3, 5, 4, dtype=torch.float64, requires_grad=True)
    visible = torch.tensor([1.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    module({"input": x, "visible": visible})["output"].sum().backward()
    assert (x.grad[..., visible == 1] != 0).all()
    assert not x.grad[..., visible == 0].any()


@pytest.fixture(scope="module")
def X() -> np.ndarray:
    """Three related columns and one that is on its own."""
    rng = np.random.RandomState(0)
    t = rng.normal(size=(300, 1))
    return np.hstack([t, 3 * t, t**2, rng.normal(size=(300, 1))]) + 7


class TestErrors:
    def test_follow_their_definition(self, X: np.ndarray) -> None:
        expert = expert_of(X)
        new = np.concatenate([X[:20], 3 * X[:5]])

        def residuals(rows: np.ndarray) -> np.ndarray:
            x = (rows - X.mean(axis=0)) / X.std(axis=0)
            return np.stack([expert.module.expect(torch.tensor(x)[None])]) - x

        variance = np.mean(residuals(X) ** 2, axis=-2, keepdims=True) + 1e-4
        expected = np.log(1 + residuals(new) ** 2 / variance).mean(axis=(0, 1))
        np.testing.assert_allclose(expert.errors(new), expected)
        np.testing.assert_allclose(
            expert.surprise.errors, np.unique(expert.errors(X).sum(axis=1))
        )

    def test_reconstruction_is_the_mean_expectation(self, X: np.ndarray) -> None:
        expert = expert_of(X)
        x = (X - X.mean(axis=0)) / X.std(axis=0)
        mean = expert.module.expect(torch.tensor(x)[None]).mean(dim=0).numpy()
        np.testing.assert_allclose(
            expert.reconstruct(X), mean * X.std(axis=0) + X.mean(axis=0)
        )

    def test_show_the_feature_that_breaks_a_relation(self, X: np.ndarray) -> None:
        expert = expert_of(X, n_estimators=8, max_iter=20)
        rows = X[np.abs(X[:, 0] - 7) > 1][:50]
        broken = rows.copy()
        broken[:, 1] = 14 - rows[:, 1]  # as usual a value, but of the other sign
        more = expert.errors(broken) - expert.errors(rows)
        assert (more[:, :2].sum(axis=1) > 1).mean() > 0.9

    def test_fall_with_training(self, X: np.ndarray) -> None:
        expert = expert_of(X, max_iter=20)
        assert expert.history[-1]["loss"] < 0.8 * expert.history[0]["loss"]


class TestConnectivity:
    @pytest.mark.parametrize("connectivity", [0.2, 0.5, 0.9])
    def test_share_of_the_connections(self, connectivity: float) -> None:
        layers = self._layers(DenseNetwork((200,), connectivity=connectivity))
        for layer in layers:
            assert layer.kept.mean().item() == pytest.approx(connectivity, abs=0.03)
            assert set(layer.kept.unique().tolist()) == {0.0, 1.0}

    def test_every_member_lacks_others(self) -> None:
        for layer in self._layers(DenseNetwork((200,), connectivity=0.5)):
            one, two, _ = layer.kept
            assert (one == two).double().mean().item() == pytest.approx(0.5, abs=0.05)

    def test_what_is_left_out_carries_neither_values_nor_gradients(self) -> None:
        module = masked(30, network=DenseNetwork((50,), connectivity=0.5))
        x = torch.randn(3, 20, 30, dtype=torch.float64)
        batch = {"input": x, "visible": torch.ones_like(x)}
        output = module(batch)["output"]
        output.square().sum().backward()
        for layer in self._thinned(module):
            assert torch.equal(layer.weight.grad != 0, layer.kept == 1)
            with torch.no_grad():
                layer.weight[layer.kept == 0] = 1e9
        torch.testing.assert_close(module(batch)["output"], output)

    def test_stays_what_it_is_in_training(self, rng: np.random.RandomState) -> None:
        network = DenseNetwork((16,), connectivity=0.5)
        drawn = self._layers(network, seed=3)
        trained = expert_of(
            rng.normal(size=(80, 30)),
            network=network,
            n_estimators=3,
            generator=torch.Generator().manual_seed(3),
        )
        for before, after in zip(drawn, self._thinned(trained.module), strict=True):
            assert torch.equal(before.kept, after.kept)

    def test_one_is_the_full_network(self) -> None:
        assert not self._thinned(masked(5, network=DenseNetwork(connectivity=1.0)))

    @pytest.mark.parametrize("connectivity", [0, -0.5, 1.1, np.nan])
    def test_others_are_refused(self, connectivity: float) -> None:
        with pytest.raises(ValueError, match=r"connectivity must be .*\(0, 1\]"):
            masked(5, network=DenseNetwork(connectivity=connectivity))

    def _layers(self, network: DenseNetwork, seed: int = 0) -> list[ThinnedLinear]:
        generator = torch.Generator().manual_seed(seed)
        stack = network.build((60,), (30,), members=3, generator=generator)
        return self._thinned(stack)

    def _thinned(self, module: torch.nn.Module) -> list[ThinnedLinear]:
        return [layer for layer in module.modules() if isinstance(layer, ThinnedLinear)]


@pytest.mark.parametrize("share, n_drawn", [(1.0, 90), (0.5, 45), (0.001, 1)])
def test_members_train_on_samples_of_the_core(
    rng: np.random.RandomState,
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    n_drawn: int,
) -> None:
    seen = {}

    def stop(module, objective, tensors, folds, **settings) -> list:
        seen.update(folds=folds, inputs=tensors["input"])
        return []

    monkeypatch.setattr("skae.experts._masked_network.train", stop)
    expert_of(rng.normal(size=(90, 3)), max_samples=share)
    assert len(seen["inputs"]) == 90
    assert len(seen["folds"].held_out_rows) == 0
    one, two = seen["folds"].training
    for rows in (one, two):
        assert len(np.unique(rows)) == len(rows) == n_drawn
    assert not np.array_equal(one, two)


def test_only_the_core_is_trained_on_and_standardised_by(
    rng: np.random.RandomState,
) -> None:
    X = rng.normal(size=(100, 3))
    core, everyone = np.arange(75), np.arange(100)
    params = {
        "network": DenseNetwork((8,)),
        "n_estimators": 2,
        "max_samples": 1.0,
        "noise": None,
        "batch_size": 64,
        "learning_rate": 3e-3,
        "max_iter": 2,
        "tol": 0.0,
        "n_iter_no_change": 2,
    }

    def fitted(X: np.ndarray) -> MaskedNetwork:
        generator = torch.Generator().manual_seed(0)
        return MaskedNetwork(
            X, core, everyone, np.ones(3), generator=generator, **params
        )

    soiled = X.copy()
    soiled[75:] = 1e6
    assert np.array_equal(fitted(soiled).errors(X), fitted(X).errors(X))


def test_noise_is_told_of_the_core_and_of_the_zero_of_the_table(
    rng: np.random.RandomState,
) -> None:
    """As the networks see them: standardised."""

    class Spy(Noise):
        def corruption(self, rows: torch.Tensor, zero: torch.Tensor) -> Corruption:
            seen.update(rows=rows, zero=zero)
            return lambda x, generator: x

    seen = {}
    X = rng.normal([5, -3, 0], [1, 10, 0.1], size=(90, 3))
    expert_of(X, noise=Spy())
    mean, scale = X.mean(axis=0), X.std(axis=0)
    np.testing.assert_allclose(seen["rows"], (X - mean) / scale, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(seen["zero"], -mean / scale, rtol=1e-5, atol=1e-5)
