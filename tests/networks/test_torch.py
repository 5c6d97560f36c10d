"""Modules of a user's own: as if each were trained alone, and as reproducible."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from torch import nn

from skae import (
    AutoencoderTransformer,
    DenoisingTransformer,
    ReconstructionOutlierDetector,
)
from skae.networks import DenseNetwork, TorchNetwork
from tests.laws._recorder import Recorder


class Coder(nn.Sequential):
    """A hidden layer of tanh."""

    def __init__(self, n_in: int, n_out: int, width: int = 16) -> None:
        super().__init__(nn.Linear(n_in, width), nn.Tanh(), nn.Linear(width, n_out))


class Drawing(nn.Sequential):
    """A layer that draws in training, and one that remembers its batches."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(
            nn.Linear(n_in, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, n_out)
        )


class TooWide(nn.Linear):
    """Returns one value more than it should."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out + 1)


CODERS = TorchNetwork(Coder, Coder, encoder__width=12)
DRAWING = TorchNetwork(Drawing, Drawing)


def reducer(network: TorchNetwork = CODERS, **params) -> AutoencoderTransformer:
    defaults = {"n_components": 1, "max_iter": 12, "random_state": 0}
    return AutoencoderTransformer(network=network, **defaults | params)


@pytest.mark.parametrize("start", ["pca", None])
def test_learns_what_is_bent(curve: np.ndarray, start: str | None) -> None:
    fitted = reducer(start=start, learning_rate_init=0.02).fit(curve)
    pca = PCA(1).fit(curve).explained_variance_ratio_.sum()
    assert fitted.uses_network_
    assert 1 - fitted.score(curve) < 0.6 * (1 - pca)


def test_beside_pca_it_begins_at_pca(curve: np.ndarray) -> None:
    fitted = reducer(learning_rate_init=1e-12, cv=None, max_iter=1).fit(curve)
    pca = PCA(1).fit(curve)
    np.testing.assert_allclose(
        fitted.transform(curve), pca.transform(curve), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("network", [CODERS, DRAWING], ids=["coders", "drawing"])
@pytest.mark.parametrize("start", ["pca", None])
def test_same_seed_same_bits(
    curve: np.ndarray, network: TorchNetwork, start: str | None
) -> None:
    """Whatever torch's global random numbers are, which stay as they were."""
    results = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        fitted = reducer(network, start=start, cv=2).fit(curve)
        assert torch.equal(torch.get_rng_state(), before)
        results.append([fitted.transform(curve), fitted.loss_curve_])
    np.testing.assert_equal(*results)


def test_fits_in_threads_are_those_of_a_fit_alone(curve: np.ndarray) -> None:
    """One waits for the other, because torch's global numbers are of the process."""
    alone = reducer(DRAWING, max_iter=3).fit(curve).transform(curve)
    before = torch.get_rng_state()
    fits = Parallel(n_jobs=4, backend="threading")(
        delayed(reducer(DRAWING, max_iter=3).fit)(curve) for _ in range(6)
    )
    assert torch.equal(torch.get_rng_state(), before)
    for fitted in fits:
        np.testing.assert_array_equal(fitted.transform(curve), alone)


def test_what_a_callback_draws_changes_nothing(curve: np.ndarray) -> None:
    pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")

    class Drawer(Recorder):
        def on_fit_task_end(
            self, estimator, context, *, X=None, y=None, fitted_estimator=None
        ) -> bool:
            torch.rand(3)
            return False

    plain = reducer(DRAWING).fit(curve)
    watched = reducer(DRAWING).set_callbacks(Drawer()).fit(curve)
    np.testing.assert_array_equal(watched.transform(curve), plain.transform(curve))


@pytest.mark.parametrize("network", [CODERS, DRAWING], ids=["coders", "drawing"])
def test_rows_are_judged_one_by_one(curve: np.ndarray, network: TorchNetwork) -> None:
    """In evaluation mode: nothing is dropped, nor does a batch matter."""
    fitted = reducer(network, cv=None).fit(curve)
    codes = fitted.transform(curve)
    np.testing.assert_allclose(fitted.transform(curve[5:6]), codes[5:6], rtol=1e-12)
    np.testing.assert_array_equal(fitted.transform(curve), codes)


def test_what_a_module_remembers_is_kept(curve: np.ndarray) -> None:
    """Moving averages are those after the best round, not those before the first."""
    fitted = reducer(DRAWING, start=None).fit(curve)
    norms = [m for m in fitted.module_.modules() if isinstance(m, nn.BatchNorm1d)]
    assert len(norms) == 2
    assert all(int(norm.num_batches_tracked) > 0 for norm in norms)
    assert all(norm.running_mean.abs().max() > 0.01 for norm in norms)
    assert fitted.score(curve) > 0.5


def test_one_module_for_each_fold_and_one_is_kept(curve: np.ndarray) -> None:
    built: list[int] = []

    def counted(n_in: int, n_out: int) -> nn.Module:
        built.append(n_in)
        return nn.Linear(n_in, n_out)

    fitted = reducer(TorchNetwork(counted, Coder), cv=3).fit(curve)
    assert built == [3] * (3 + 1)
    kept = [m for m in fitted.module_.modules() if isinstance(m, Coder)]
    assert len(kept) <= 1


def test_trains_as_the_same_dense_network_does(curve: np.ndarray) -> None:
    """From the same weights, in batches of all rows, whose order does not matter."""
    seed = np.random.RandomState(0).randint(2**31 - 1)
    drawn = DenseNetwork((16,), "tanh").build_autoencoder(
        3, 1, members=1, generator=torch.Generator().manual_seed(seed)
    )
    dense_layers = [
        block[0] for stack in (drawn.encoder, drawn.decoder) for block in stack
    ]

    def copied(n_in: int, n_out: int) -> nn.Module:
        coder = Coder(n_in, n_out)
        parts = dense_layers[:2] if n_in == 3 else dense_layers[2:]
        for own, dense in zip((coder[0], coder[2]), parts, strict=True):
            own.weight.data = dense.weight.data[0].T.clone()
            own.bias.data = dense.bias.data[0, 0].clone()
        return coder

    dense, own = (
        reducer(network, start=None, cv=None, batch_size=1000, max_iter=3).fit(curve)
        for network in (
            DenseNetwork((16,), "tanh"),
            TorchNetwork(copied, copied),
        )
    )
    np.testing.assert_allclose(own.loss_curve_, dense.loss_curve_, rtol=1e-4)
    np.testing.assert_allclose(own.transform(curve), dense.transform(curve), atol=1e-3)


def test_clone_pickle_and_repr() -> None:
    network = TorchNetwork(Coder, nn.Linear, encoder__width=5, decoder__bias=False)
    for twin in (clone(network), pickle.loads(pickle.dumps(network))):
        assert twin.get_params() == network.get_params()
        assert twin is not network
    assert network.get_params() == {
        "encoder": Coder,
        "decoder": nn.Linear,
        "encoder__width": 5,
        "decoder__bias": False,
    }
    assert "encoder__width=5" in repr(network)


def test_parameters_reach_the_modules(curve: np.ndarray) -> None:
    search = GridSearchCV(
        reducer(max_iter=1), {"network__encoder__width": [3, 7]}, cv=2
    ).fit(curve)
    width = search.best_params_["network__encoder__width"]
    fitted = reducer(TorchNetwork(Coder, Coder, encoder__width=width), cv=None)
    fitted.fit(curve)
    widths = {
        m.out_features
        for m in fitted.module_.encoder.modules()
        if isinstance(m, nn.Linear)
    }
    assert width in widths


def test_copies_of_a_fit(curve: np.ndarray) -> None:
    fitted = reducer(cv=None).fit(curve)
    expected = fitted.transform(curve)
    for twin in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(twin.transform(curve), expected)


def test_as_the_start_of_another_fit(curve: np.ndarray) -> None:
    from sklearn.frozen import FrozenEstimator

    first = reducer(cv=None).fit(curve)
    before = first.transform(curve)
    second = AutoencoderTransformer(
        1, start=FrozenEstimator(first), max_iter=3, cv=2, random_state=0
    ).fit(curve[::2])
    assert second.best_validation_score_ >= second.start_validation_score_
    np.testing.assert_array_equal(first.transform(curve), before)


@pytest.mark.parametrize(
    "estimator", [ReconstructionOutlierDetector, DenoisingTransformer]
)
def test_without_a_code(estimator: type, curve: np.ndarray) -> None:
    """The encoder alone maps what is known of a row to all of it."""
    fitted = estimator(network=TorchNetwork(Coder), max_iter=2, random_state=0).fit(
        curve
    )
    coders = [m for m in fitted.module_.modules() if isinstance(m, Coder)]
    assert coders
    assert all(coder[-1].out_features == curve.shape[1] for coder in coders)


class TestMistakes:
    def test_no_decoder(self, curve: np.ndarray) -> None:
        with pytest.raises(ValueError, match="has no decoder"):
            reducer(TorchNetwork(Coder)).fit(curve)

    @pytest.mark.parametrize("part", ["encoder", "decoder"])
    def test_wrong_width(self, curve: np.ndarray, part: str) -> None:
        network = TorchNetwork(Coder, Coder).set_params(**{part: TooWide})
        with pytest.raises(ValueError, match=f"^{part} makes a batch of shape"):
            reducer(network).fit(curve)

    @pytest.mark.parametrize("name", ["width", "encoder__", "middle__width"])
    def test_unknown_parameter(self, name: str) -> None:
        with pytest.raises(ValueError, match="Invalid parameter"):
            TorchNetwork(Coder, Coder, **{name: 3})
        with pytest.raises(ValueError, match="Invalid parameter"):
            TorchNetwork(Coder, Coder).set_params(**{name: 3})

    def test_layers_cannot_be_trained_one_by_one(self, curve: np.ndarray) -> None:
        with pytest.raises(
            ValueError, match=r"one by one; in the place of network=Torch"
        ):
            reducer(start=None, pretraining="layerwise").fit(curve)
