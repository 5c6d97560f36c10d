"""Starts, codec, score and layer-wise phases of a transformer, each by itself."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from skae._base import NoisyInput
from skae._tables import Coordinates
from skae._training import Folds, Objective, Problem, Settings, Tensors, all_rows, train
from skae.estimators.transformer._layerwise import layer_phases
from skae.estimators.transformer._prediction import Codec
from skae.estimators.transformer._score import HeldOutScore
from skae.estimators.transformer._start import FittedStart, PCAStart, RandomStart, Start
from skae.losses import LOSSES
from skae.networks import Autoencoder, ConvolutionalNetwork, DenseNetwork
from skae.networks._autoencoder import StackedAutoencoder
from skae.noise import GaussianNoise, Units

SQUARED = LOSSES["squared_error"]


class Doubling(nn.Module):
    """Keeps the first two inputs, in codes of twice the size."""

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x[..., :2]

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return nn.functional.pad(z / 2, (0, 1))


class TestCodec:
    """From features to components and back, around a module."""

    @pytest.fixture
    def X(self, rng: np.random.RandomState) -> np.ndarray:
        return rng.normal(size=(20, 3))

    def test_components_are_codes_in_their_units(self, X: np.ndarray) -> None:
        coordinates = Coordinates(np.array([1.0, 2, 3]), 10.0)
        unit = np.array([5.0, 7])
        codec = Codec(coordinates, unit, SQUARED, Doubling())
        expected = 2 * (X[:, :2] - [1, 2]) / 10 * unit
        np.testing.assert_allclose(codec.encode(X), expected)
        restored = codec.decode(expected)
        np.testing.assert_allclose(restored[:, :2], X[:, :2])
        np.testing.assert_allclose(restored[:, 2], 3)
        np.testing.assert_allclose(codec.reconstruct(X), restored)
        lost = np.pad(X[:, 2:] - 3, ((0, 0), (2, 0)))
        np.testing.assert_allclose(codec.residuals(X), lost, atol=1e-12)

    def test_link_is_applied_to_what_is_decoded(self, X: np.ndarray) -> None:
        coordinates = Coordinates(np.zeros(3), 1.0)
        codec = Codec(coordinates, np.ones(2), LOSSES["log_loss"], Doubling())
        kept = np.column_stack([X[:, :2], np.zeros(len(X))])
        np.testing.assert_allclose(codec.reconstruct(X), 1 / (1 + np.exp(-kept)))


class TestScore:
    """The scale on which held-out errors are reported."""

    @pytest.fixture
    def X(self, rng: np.random.RandomState) -> np.ndarray:
        return rng.uniform(size=(50, 4)) ** [1, 2, 3, 4]

    @pytest.mark.parametrize("n_coordinates", [2, 4])
    @pytest.mark.parametrize("shift", [0.0, 3.0])
    def test_squared_error_is_the_share_of_variance_in_all_features(
        self, X: np.ndarray, n_coordinates: int, shift: float
    ) -> None:
        """Also in the coordinates of another table, with another mean."""
        mean = X.mean(axis=0) + 0.1
        basis = np.linalg.qr(np.random.RandomState(1).normal(size=(4, 4)))[0]
        coordinates = Coordinates(mean + shift, 2.5, basis[:n_coordinates])
        Y = coordinates.transform(X)
        output = 0.7 * Y
        score = HeldOutScore(mean, coordinates, SQUARED).fit(X, np.arange(50))
        restored = coordinates.inverse_transform(output)
        expected = 1 - ((X - restored) ** 2).sum() / ((X - mean) ** 2).sum()
        assert score(((Y - output) ** 2).mean()) == pytest.approx(expected)

    @pytest.mark.parametrize("name", LOSSES)
    def test_mean_has_zero(self, X: np.ndarray, name: str) -> None:
        loss, mean = LOSSES[name], X.mean(axis=0)
        coordinates = Coordinates(np.zeros(4), 1.0)
        output = np.broadcast_to(
            np.log(mean / (1 - mean)) if name == "log_loss" else mean, X.shape
        )
        error = loss.pointwise(torch.tensor(output), torch.tensor(X)).mean()
        score = HeldOutScore(mean, coordinates, loss).fit(X, np.arange(50))
        assert score(float(error)) == pytest.approx(0, abs=1e-12)
        assert score(0.0) == 1
        assert type(score(0.0)) is float

    def test_nothing_to_explain(self) -> None:
        X = np.full((5, 2), 3.0)
        coordinates = Coordinates(X[0], 1.0)
        assert HeldOutScore(X[0], coordinates, SQUARED).fit(X, np.arange(5))(0.0) == 1


NETWORK = DenseNetwork((8,))
#: A member that trains on the first 40 of 60 rows, and one that trains on all.
FOLDS = Folds([np.arange(40), np.arange(60)], [np.arange(40, 60), np.arange(0)])


def pca_start(n_components: int, *, rotated: bool) -> PCAStart:
    return PCAStart(n_components, NETWORK, SQUARED, rotated=rotated)


def compose(start: Start, X: np.ndarray, folds: Folds = FOLDS) -> Autoencoder:
    inputs = start.coordinates.training_tensor(X)
    generator = torch.Generator().manual_seed(0)
    return start.compose(inputs, None, folds, generator)


class TestStarts:
    """Coordinates, units and the module to train."""

    @pytest.fixture
    def X(self, rng: np.random.RandomState) -> np.ndarray:
        return rng.normal(loc=5, size=(60, 6)) * [9, 6, 4, 2, 1, 0.01]

    @pytest.mark.parametrize("rotated", [False, True])
    @pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
    def test_of_pca_begins_as_pca(
        self, X: np.ndarray, rotated: bool, weight: float
    ) -> None:
        start, pca = pca_start(2, rotated=rotated).fit(X), PCA(2).fit(X)
        module = compose(start, X)
        module.weight = weight
        codec, codes = start.codec(module), pca.transform(X)
        np.testing.assert_allclose(codec.encode(X), codes, atol=1e-8)

    @pytest.mark.parametrize("rotated", [False, True])
    def test_a_fold_member_begins_as_the_pca_of_its_rows(
        self, X: np.ndarray, rotated: bool
    ) -> None:
        start = pca_start(2, rotated=rotated).fit(X)
        seen = torch.from_numpy(start.coordinates.transform(X))
        module = compose(start, X).requires_grad_(False)
        restored = module({"input": seen.expand(2, -1, -1)})["output"][0]
        pca = PCA(2).fit(X[:40])
        expected = pca.inverse_transform(pca.transform(X))
        # What the coordinates leave out is not much, but not nothing.
        np.testing.assert_allclose(
            start.coordinates.inverse_transform(restored.numpy()), expected, atol=0.05
        )

    @pytest.mark.parametrize("rotated", [False, True])
    def test_rotation_drops_what_hardly_counts(
        self, X: np.ndarray, rotated: bool
    ) -> None:
        coordinates = pca_start(2, rotated=rotated).fit(X).coordinates
        assert coordinates.n_coordinates == (5 if rotated else 6)
        seen = coordinates.transform(X)
        assert (seen**2).sum() / len(X) == pytest.approx(6, rel=0.05)

    @pytest.mark.parametrize("rotated", [False, True])
    def test_nothing_is_left_to_improve(self, X: np.ndarray, rotated: bool) -> None:
        assert pca_start(5, rotated=rotated).fit(X).improvable
        assert not pca_start(6, rotated=rotated).fit(X).improvable

    def test_random_weights_see_centred_features_in_one_unit(
        self, X: np.ndarray
    ) -> None:
        coordinates = RandomStart(2, NETWORK, SQUARED).fit(X).coordinates
        seen = coordinates.transform(X)
        np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-12)
        assert seen.var(axis=0).mean() == pytest.approx(1)
        unit = 1 / coordinates.scale
        np.testing.assert_allclose(seen.std(axis=0) / X.std(axis=0), unit)

    def test_log_loss_sees_the_features_themselves(
        self, rng: np.random.RandomState
    ) -> None:
        X = rng.uniform(size=(30, 4))
        start = RandomStart(2, NETWORK, LOSSES["log_loss"]).fit(X)
        assert np.array_equal(start.coordinates.transform(X), X)

    @pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
    def test_of_another_fit_keeps_units_and_codes(
        self, X: np.ndarray, weight: float
    ) -> None:
        first = pca_start(2, rotated=True).fit(X)
        fitted = first.codec(compose(first, X))
        Y = 3 + X[:30]
        start = FittedStart(fitted, SQUARED).fit(Y)
        np.testing.assert_allclose(start.mean, Y.mean(axis=0))
        module = compose(start, Y)
        module.weight = weight
        ours = start.codec(module)
        np.testing.assert_allclose(ours.encode(Y), fitted.encode(Y), atol=1e-10)
        # The last feature is not among the coordinates: its new mean is what is known.
        expected = fitted.reconstruct(Y)
        expected[:, -1] += 3
        np.testing.assert_allclose(ours.reconstruct(Y), expected, atol=0.02)

    def test_noise_does_not_fade_what_the_network_adds(self, X: np.ndarray) -> None:
        start, generator = pca_start(2, rotated=False).fit(X), torch.Generator()
        inputs = start.coordinates.training_tensor(X)
        corruption = GaussianNoise(0.1).corruption(inputs, torch.zeros(6), Units())
        module = start.compose(inputs, corruption, all_rows(len(X)), generator)
        assert inputs.std(dim=0).min() < 0.01  # where the noise is far from all rows
        noisy = corruption(inputs[None], generator).double()
        assert module.encoder.fade(noisy).mean() > 0.9

    def test_what_is_kept_is_the_last_member_alone(self, X: np.ndarray) -> None:
        """It predicts as it did among the others, and nothing of these is pickled."""
        start = pca_start(2, rotated=False).fit(X)
        module = compose(start, X)
        generator = torch.Generator().manual_seed(1)
        for parameter in module.parameters():
            if parameter.requires_grad:
                parameter.data.normal_(generator=generator)
        x = torch.from_numpy(start.coordinates.transform(X)).expand(2, -1, -1)
        codes = module.encode(x)[-1].detach().numpy() * start.latent_scale
        codec = start.codec(module)
        np.testing.assert_allclose(codec.encode(X), codes)
        tensors = [*codec.module.parameters(), *codec.module.buffers()]
        for tensor in tensors:
            assert len(tensor) == 1
            assert not tensor.requires_grad
            # Memory of its own: the other members are not pickled along.
            assert tensor.untyped_storage().nbytes() == tensor.numel() * 8
        assert len(tensors) > len(list(codec.module.buffers())) > 0
        assert not codec.module.training


N_ROWS, N_INPUTS = 60, 6


def build(members: int = 1, **params) -> StackedAutoencoder:
    return DenseNetwork((5, 4), "tanh", **params).build_autoencoder(
        N_INPUTS, 2, members=members, generator=torch.Generator().manual_seed(0)
    )


def settings(batch_size: int = 1000) -> Settings:
    return Settings(
        batch_size,
        steps=20,
        learning_rate=0.01,
        max_iter=4,
        tol=0.0,
        n_iter_no_change=100,
        device=torch.device("cpu"),
    )


def train_layerwise(
    module: Autoencoder,
    x: torch.Tensor,
    folds: Folds,
    objective: Objective | None = None,
    batch_size: int = 1000,
) -> list[tuple[str, list[dict]]]:
    """Names of the phases and their histories."""
    objective = objective or Objective(SQUARED)
    problem = Problem(module, objective, {"input": x, "target": x}, folds)
    generator = torch.Generator().manual_seed(0)
    return [
        (phase, train(part, settings(batch_size), generator).history)
        for phase, part in layer_phases(problem)
    ]


def assert_close(one: nn.Module, two: nn.Module, atol: float) -> None:
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=atol, rtol=0)


def member(module: nn.Module, j: int) -> nn.Module:
    """One member of a module, alone."""
    alone = copy.deepcopy(module)
    for parameter in alone.parameters():
        parameter.data = parameter.data[j : j + 1].clone()
    return alone


class TestLayers:
    """Layer-wise pretraining: each layer as an autoencoder of the codes below it."""

    @pytest.fixture
    def x(self) -> torch.Tensor:
        generator = torch.Generator().manual_seed(1)
        return torch.randn(N_ROWS, N_INPUTS, generator=generator).cumsum(1)

    def test_phases_are_the_layers_in_their_order(self, x: torch.Tensor) -> None:
        phases = train_layerwise(build(), x, all_rows(N_ROWS))
        assert [(phase, row["round"]) for phase, rows in phases for row in rows] == [
            (f"layer {layer}", n) for layer in (1, 2, 3) for n in (1, 2, 3, 4)
        ]

    @pytest.mark.parametrize("tied_weights", [False, True])
    def test_every_layer_learns(self, x: torch.Tensor, tied_weights: bool) -> None:
        module = build(tied_weights=tied_weights)
        before = copy.deepcopy(module)
        phases = train_layerwise(module, x, all_rows(N_ROWS))
        assert len(phases) == 3
        for _, history in phases:
            assert history[-1]["loss"] < history[0]["loss"]
        codes = x[None].double()
        for stage, drawn in zip(module.stages(), before.stages(), strict=True):
            error = (stage({"input": codes})["output"] - codes).square().mean()
            at_first = (drawn({"input": codes})["output"] - codes).square().mean()
            assert error < 0.9 * at_first
            codes = stage.encode(codes)

    def test_is_one_training_after_the_other(self, x: torch.Tensor) -> None:
        ours, theirs = build(), build()
        train_layerwise(ours, x, all_rows(N_ROWS), batch_size=16)
        codes, generator = x, torch.Generator().manual_seed(0)
        for stage in theirs.stages():
            tensors = {"input": codes, "target": codes}
            problem = Problem(stage, Objective(SQUARED), tensors, all_rows(N_ROWS))
            train(problem, settings(batch_size=16), generator)
            codes = stage.encode(codes.double()[None])[0].detach().float()
        assert_close(ours, theirs, atol=0)

    def test_every_member_learns_its_own_codes(self, x: torch.Tensor) -> None:
        """As if alone: with full batches, the order of the rows does not count."""
        rows = np.arange(N_ROWS)
        training, held_out = [rows[:40], rows[20:]], [rows[40:], rows[:20]]
        together = build(members=2)
        train_layerwise(together, x, Folds(training, held_out))
        for j in range(2):
            alone = member(build(members=2), j)
            train_layerwise(alone, x, Folds([training[j]], [held_out[j]]))
            assert_close(member(together, j), alone, atol=1e-5)

    def test_only_the_first_layer_sees_the_noise(self, x: torch.Tensor) -> None:
        widths = []

        def corrupt(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            widths.append(batch.shape[-1])
            return batch

        noisy = Objective(SQUARED, NoisyInput(corrupt))
        train_layerwise(build(), x, all_rows(N_ROWS), noisy)
        assert set(widths) == {N_INPUTS}

    def test_terms_beside_the_loss_are_for_none_of_them(self, x: torch.Tensor) -> None:
        """But for the code of the last layer, when all are trained together."""

        def term(module: nn.Module, batch: Tensors, outputs: Tensors) -> torch.Tensor:
            raise AssertionError

        plain, penalised = build(), build()
        expected = train_layerwise(plain, x, all_rows(N_ROWS))
        objective = Objective(SQUARED, terms={"penalty": term})
        phases = train_layerwise(penalised, x, all_rows(N_ROWS), objective)
        assert len(phases) == len(expected) == 3
        assert_close(penalised, plain, atol=0)

    def test_layers_of_images(self) -> None:
        rows = torch.randn(40, 35, generator=torch.Generator().manual_seed(1))
        network = ConvolutionalNetwork((7, 5), (3, 4), 3, 2, hidden_size=6)
        module = network.build_autoencoder(
            35, 2, members=4, generator=torch.Generator().manual_seed(0)
        )
        every, fold = np.arange(40), np.arange(40) % 3
        held_out = [every[fold == j] for j in range(3)]
        training = [every[fold != j] for j in range(3)]
        folds = Folds([*training, every], [*held_out, every[:0]])
        phases = train_layerwise(module, rows, folds)
        assert [phase for phase, _ in phases] == [f"layer {j}" for j in (1, 2, 3, 4)]
        errors = [row["validation_loss"] for _, rows in phases for row in rows]
        assert len(errors) == 16
        assert np.isfinite(errors).all()
