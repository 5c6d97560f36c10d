"""The networks of a detector: what is hidden from them, and what their error is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skae import ReconstructionOutlierDetector
from skae._training import Folds, Objective, Problem, held_out_error
from skae.estimators.detector._examples import HiddenFeatures, Rows
from skae.estimators.detector._module import MaskedAutoencoder
from skae.estimators.detector._networks import MaskedNetworks
from skae.losses import LOSSES
from skae.networks import DenseNetwork, MemberLinear, Network
from skae.noise import Corruption, GaussianNoise, Noise, Units


def masked(
    n_features: int, members: int = 3, network: Network | None = None
) -> MaskedAutoencoder:
    """Networks whose weights were drawn, so that what they see shows."""
    generator = torch.Generator().manual_seed(0)
    network = network or DenseNetwork((16,))
    module = MaskedAutoencoder.build(network, n_features, members, generator)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(generator=generator)
    return module


def detector_of(X: np.ndarray, **params) -> ReconstructionOutlierDetector:
    """Networks alone, which train on all rows."""
    settings = {
        "network": DenseNetwork((16,)),
        "n_estimators": 2,
        "core_fraction": 1.0,
        "n_neighbors": None,
        "batch_size": 64,
        "max_iter": 3,
        "tol": 0.0,
        "random_state": 0,
    }
    return ReconstructionOutlierDetector(**(settings | params)).fit(X)


def expert_of(X: np.ndarray, **params) -> MaskedNetworks:
    (expert,) = detector_of(X, **params).experts_
    return expert


@pytest.mark.parametrize("n_features", [1, 2, 3, 4, 5, 10, 64])
class TestMasks:
    def test_every_feature_is_hidden_once_in_every_member(
        self, n_features: int
    ) -> None:
        hidden = masked(n_features).hidden[:, :, 0]
        assert (hidden.sum(dim=1) == 1).all()
        # In blocks that are as equal as they can be.
        sizes = hidden.sum(dim=2)
        assert sizes.shape[1] == min(4, n_features)
        assert sizes.max() - sizes.min() <= 1

    def test_a_feature_is_expected_from_earlier_blocks_alone(
        self, n_features: int
    ) -> None:
        module = masked(n_features)
        x = torch.randn(1, 1, n_features, dtype=torch.float64)
        blocks = module.hidden[:, :, 0].argmax(dim=1)
        jacobian = torch.autograd.functional.jacobian(module.expect, x)
        sees = jacobian[:, 0, :, 0, 0, :] != 0
        assert torch.equal(sees, blocks[:, :, None] > blocks[:, None, :])

    def test_the_first_block_is_expected_to_be_the_same_in_every_row(
        self, n_features: int
    ) -> None:
        module = masked(n_features)
        expected = module.expect(torch.randn(1, 9, n_features, dtype=torch.float64))
        first = module.hidden[:, 0, 0].bool()
        for member, features in zip(expected, first, strict=True):
            constant = member[:, features]
            torch.testing.assert_close(constant, constant[:1].expand_as(constant))


def test_members_hide_features_in_orders_of_their_own() -> None:
    one, two, _ = masked(20).hidden.unbind()
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
        losses = detector_of(X, max_iter=20).loss_curve_
        assert losses[-1] < 0.8 * losses[0]


class TestConnectivity:
    @pytest.mark.parametrize("connectivity", [0.2, 0.5, 0.9])
    def test_share_of_the_connections(self, connectivity: float) -> None:
        layers = self._layers(DenseNetwork((200,), connectivity=connectivity))
        assert len(layers) == 2
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
        X = rng.normal(size=(80, 30))
        briefly, longer = (
            self._thinned(detector_of(X, network=network, max_iter=n).module_)
            for n in (1, 5)
        )
        assert len(briefly) == len(longer) == 2
        for before, after in zip(briefly, longer, strict=True):
            assert torch.equal(before.kept, after.kept)
            kept = before.kept == 1
            assert not torch.equal(before.weight[kept], after.weight[kept])

    def test_one_is_the_full_network(self) -> None:
        assert not self._thinned(masked(5, network=DenseNetwork(connectivity=1.0)))

    @pytest.mark.parametrize("connectivity", [0, -0.5, 1.1, np.nan])
    def test_others_are_refused(self, connectivity: float) -> None:
        with pytest.raises(ValueError, match=r"connectivity must be .*\(0, 1\]"):
            masked(5, network=DenseNetwork(connectivity=connectivity))

    def _layers(self, network: DenseNetwork) -> list[MemberLinear]:
        generator = torch.Generator().manual_seed(0)
        stack = network.build_map((60,), (30,), members=3, generator=generator)
        return self._thinned(stack)

    def _thinned(self, module: torch.nn.Module) -> list[MemberLinear]:
        layers = [m for m in module.modules() if isinstance(m, MemberLinear)]
        assert layers
        return [layer for layer in layers if hasattr(layer, "kept")]


class Spy(Noise):
    """Changes nothing, and keeps what it is told and what it is shown."""

    def __init__(self, strength: float = 0.1) -> None:
        self.strength = strength

    def corruption(
        self, rows: torch.Tensor, zero: torch.Tensor, units: Units
    ) -> Corruption:
        self.told, self.shown = (rows, zero, units), []

        def corrupt(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            self.shown.append(x)
            return x

        return corrupt


class TestRows:
    """Who trains on which rows, and how these are seen."""

    @pytest.mark.parametrize("share, n_drawn", [(1.0, 90), (0.5, 45), (0.001, 1)])
    def test_members_train_on_samples_of_the_core(
        self, rng: np.random.RandomState, share: float, n_drawn: int
    ) -> None:
        rows = Rows.of(rng.normal(size=(100, 3)), 0.9, rng)
        folds = rows.samples(2, share, torch.Generator().manual_seed(0))
        assert len(rows.tensors()["input"]) == 90
        assert len(folds.held_out_rows) == 0
        one, two = folds.training
        for drawn in (one, two):
            assert len(np.unique(drawn)) == len(drawn) == n_drawn
            assert drawn.max() < 90
        assert not np.array_equal(one, two)

    def test_max_samples_is_the_share_of_each_member(
        self, rng: np.random.RandomState
    ) -> None:
        """All batches of a training together show no other rows."""
        spy, X = Spy(), rng.normal(size=(90, 3))
        detector_of(X, noise=spy, max_samples=0.5)
        for shown in torch.cat(spy.shown, dim=1):
            assert len(shown.unique(dim=0)) == 45

    def test_only_the_core_is_trained_on_and_standardised_by(
        self, rng: np.random.RandomState
    ) -> None:
        X = rng.normal(size=(100, 3))
        X[75:] += 1e3
        soiled = X.copy()
        soiled[75:] *= 1e3
        clean_rows, soiled_rows = (
            Rows.of(table, 0.75, np.random.RandomState(0)) for table in (X, soiled)
        )
        assert clean_rows.core.tolist() == list(range(75))
        x = clean_rows.tensors()["input"]
        assert torch.equal(soiled_rows.tensors()["input"], x)
        np.testing.assert_allclose(x.mean(dim=0), np.zeros(3), atol=1e-6)
        np.testing.assert_allclose(x.std(dim=0, correction=0), np.ones(3), rtol=1e-5)
        experts = [
            MaskedNetworks(masked(3), rows.view) for rows in (clean_rows, soiled_rows)
        ]
        for expert, rows in zip(experts, (clean_rows, soiled_rows), strict=True):
            expert.fit_surprises(rows)
        errors, others = (expert.errors(X) for expert in experts)
        assert np.array_equal(others, errors)

    def test_noise_is_told_of_the_core_of_zero_and_of_units(
        self, rng: np.random.RandomState
    ) -> None:
        """As the networks see them: standardised, feature by feature."""
        spy = Spy()
        X = rng.normal([5, -3, 0], [1, 10, 0.1], size=(90, 3))
        detector_of(X, noise=spy)
        rows, zero, units = spy.told
        mean, scale = X.mean(axis=0), X.std(axis=0)
        close = {"rtol": 1e-5, "atol": 1e-5}
        np.testing.assert_allclose(rows, (X - mean) / scale, **close)
        np.testing.assert_allclose(zero, -mean / scale, **close)
        np.testing.assert_allclose(units.x, 1 / scale, **close)
        assert units.std == 1


def gaussian(n_features: int) -> Corruption:
    nothing = torch.zeros(n_features)
    return GaussianNoise(0.5).corruption(nothing[None], nothing, Units())


def hiding(corruption: Corruption | None = None) -> Objective:
    return Objective(LOSSES["squared_error"], HiddenFeatures(corruption))


def batch_of(x: torch.Tensor, target: torch.Tensor | None = None) -> dict:
    return {"input": x, "target": x if target is None else target}


class Recorder:
    """A network of no effect, which keeps what it is shown."""

    def __call__(self, batch: dict, generator: torch.Generator | None = None) -> dict:
        self.seen, self.visible = batch["input"], batch["visible"]
        return {"output": torch.zeros_like(self.seen)}


class TestHiddenFeatures:
    """What training shows of a row, and what counts."""

    @pytest.mark.parametrize("corruption", [None, gaussian(6)])
    def test_only_hidden_features_count(self, corruption: Corruption | None) -> None:
        """And never with their noise."""
        network, x, target = Recorder(), torch.randn(2, 50, 6), torch.randn(2, 50, 6)
        terms = hiding(corruption)(network, batch_of(x, target), torch.Generator())
        (term,) = terms.values()
        expected = (target.square() * (1 - network.visible)).sum(-1)
        torch.testing.assert_close(term, expected)

    def test_noise_reaches_what_is_shown_alone(self) -> None:
        network, x = Recorder(), torch.randn(1, 2000, 4)
        batch = batch_of(x)
        hiding(gaussian(4))(network, batch, torch.Generator())
        torch.testing.assert_close(
            (network.seen - x).std(), torch.tensor(0.5), rtol=0.05, atol=0
        )
        assert batch["input"] is batch["target"] is x

    def test_every_number_of_features_is_hidden_equally_often(self) -> None:
        network = Recorder()
        hiding()(network, batch_of(torch.zeros(1, 20_000, 4)), torch.Generator())
        counts = network.visible.sum(-1).flatten().long().bincount()
        assert len(counts) == 5
        assert (counts / 20_000 - 0.2).abs().max() < 0.02
        assert set(network.visible.unique().tolist()) == {0.0, 1.0}
        shares = network.visible.mean(dim=(0, 1))
        assert (shares - 0.5).abs().max() < 0.02

    def test_members_and_rows_hide_features_of_their_own(self) -> None:
        network = Recorder()
        hiding()(network, batch_of(torch.zeros(2, 50, 20)), torch.Generator())
        masks = network.visible.reshape(100, 20)
        assert len(masks.unique(dim=0)) > 80


class TestJudgedRows:
    """Nothing is drawn for rows that are judged: from no generator, no numbers."""

    @pytest.fixture
    def problem(self) -> Problem:
        """A network that is no longer zero, with noise, and rows held out from it."""
        generator = torch.Generator().manual_seed(0)
        module = MaskedAutoencoder.build(DenseNetwork((8,)), 5, 2, generator)
        for parameter in module.parameters():
            parameter.data.normal_(generator=generator)
        x = torch.randn(40, 5, generator=generator)
        halves = [np.arange(20), np.arange(20, 40)]
        folds = Folds(halves, halves[::-1])
        return Problem(module, hiding(gaussian(5)), {"input": x, "target": x}, folds)

    def test_have_the_same_errors_twice_and_leave_torch_alone(
        self, problem: Problem
    ) -> None:
        before = torch.get_rng_state()
        errors = held_out_error(problem)
        assert torch.equal(torch.get_rng_state(), before)
        # Other global numbers, the same errors.
        with torch.random.fork_rng():
            torch.manual_seed(1)
            assert np.array_equal(held_out_error(problem), errors)
        assert errors.shape == (40,)
        assert (errors > 0).all()

    def test_count_in_every_feature_without_its_noise(self, problem: Problem) -> None:
        """Each feature is predicted once, from others of the row as they are."""
        errors = held_out_error(problem)
        x = problem.tensors["input"].double().expand(2, -1, -1)
        residuals = problem.module.expect(x) - x
        every = residuals.square().mean(-1).detach().numpy()
        expected = np.concatenate([every[0, 20:], every[1, :20]])
        np.testing.assert_allclose(errors, expected, rtol=1e-12)
