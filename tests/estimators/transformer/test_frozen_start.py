"""AutoencoderTransformer: the weights of one fit as the start of another."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from skae import AutoencoderTransformer
from skae.networks import DenseNetwork
from skae.noise import GaussianNoise, MaskingNoise

QUICK = {"hidden_layer_sizes": (16,), "max_iter": 5, "random_state": 0}


def bent(n: int, bend: float, seed: int) -> np.ndarray:
    """Rows near a line in space that is more or less bent."""
    rng = np.random.RandomState(seed)
    t = rng.uniform(-1, 1, n)
    X = np.stack([t, bend * t**2, np.sin(3 * t), rng.normal(scale=0.3, size=n)], axis=1)
    return X + rng.normal(scale=0.02, size=X.shape)


@pytest.fixture(scope="module", params=["pca", None], ids="start={}".format)
def fitted(request: pytest.FixtureRequest) -> AutoencoderTransformer:
    return AutoencoderTransformer(
        2, start=request.param, hidden_layer_sizes=(32,), random_state=0
    ).fit(bent(500, 1.0, seed=0))


@pytest.fixture(scope="module")
def rotated() -> AutoencoderTransformer:
    return AutoencoderTransformer(2, **QUICK).fit(bent(100, 1.0, seed=0))


def tune(fitted: AutoencoderTransformer, X: np.ndarray, **params):
    quick = {"max_iter": 5, "random_state": 0}
    start = FrozenEstimator(fitted)
    return AutoencoderTransformer(2, start=start, **(quick | params)).fit(X)


@pytest.mark.parametrize("n", [40, 100])
@pytest.mark.parametrize("bend", [1.0, 0.8, 0.0])
def test_is_not_worse_than_before_on_new_rows(
    fitted: AutoencoderTransformer, n: int, bend: float
) -> None:
    tuned, test = tune(fitted, bent(n, bend, seed=1)), bent(2000, bend, seed=2)
    before, after = (e.reconstruction_error(test) for e in (fitted, tuned))
    excess = after - before
    assert excess.mean() <= 3 * excess.std() / np.sqrt(len(test)) + 1e-12


def test_learns_another_table_from_few_rows(fitted: AutoencoderTransformer) -> None:
    tuned, test = tune(fitted, bent(100, 0.5, seed=1)), bent(2000, 0.5, seed=2)
    assert tuned.uses_network_
    errors = [e.reconstruction_error(test).mean() for e in (fitted, tuned)]
    assert errors[1] < 0.9 * errors[0]


def test_what_is_not_proved_leaves_the_fit_as_it_was(
    fitted: AutoencoderTransformer,
) -> None:
    """Too few rows are never split; the old weights, codes and units are kept."""
    X = bent(19, 0.0, seed=1)
    tuned = tune(fitted, X)
    assert not tuned.uses_network_
    assert tuned.history_ == []
    codes = fitted.transform(X)
    np.testing.assert_allclose(tuned.transform(X), codes, atol=1e-12)
    np.testing.assert_allclose(
        tuned.inverse_transform(codes), fitted.inverse_transform(codes), atol=1e-12
    )
    np.testing.assert_allclose(tuned.mean_, X.mean(axis=0))


def test_before_the_first_step_it_is_the_old_fit(
    fitted: AutoencoderTransformer,
) -> None:
    """A learning rate near zero leaves what was there, but for float32."""
    X = bent(60, 0.0, seed=1)
    tuned = tune(fitted, X, cv=None, learning_rate_init=1e-30, noise=None)
    assert tuned.uses_network_
    np.testing.assert_allclose(tuned.transform(X), fitted.transform(X), atol=1e-5)
    np.testing.assert_allclose(tuned.reconstruct(X), fitted.reconstruct(X), atol=1e-5)


def test_the_start_never_changes(fitted: AutoencoderTransformer) -> None:
    X, before = bent(100, 0.5, seed=1), pickle.dumps(fitted)
    state = copy.deepcopy(fitted.module_.state_dict())
    tuned = tune(fitted, X)
    for tensor in tuned.module_.state_dict().values():
        tensor.zero_()
    for name, tensor in fitted.module_.state_dict().items():
        assert np.array_equal(tensor, state[name])
    assert pickle.dumps(fitted) == before


def test_start_validation_score_is_that_of_the_old_fit(
    fitted: AutoencoderTransformer,
) -> None:
    """On one fold after the other, which together are the table."""
    X = bent(100, 0.5, seed=1)
    tuned = tune(fitted, X, cv=5)
    assert tuned.start_validation_score_ == pytest.approx(
        1 - ((X - fitted.reconstruct(X)) ** 2).sum() / ((X - X.mean(axis=0)) ** 2).sum()
    )
    assert tuned.best_validation_score_ >= tuned.start_validation_score_


def test_columns_that_were_left_out_have_their_new_mean() -> None:
    """The fit knows nothing of how they vary, but they may lie elsewhere now."""
    rng = np.random.RandomState(0)
    X = np.column_stack([bent(200, 1.0, seed=0), rng.normal(scale=1e-3, size=200)])
    fitted = AutoencoderTransformer(2, **QUICK).fit(X)
    X[:, -1] += 7
    tuned = tune(fitted, X[:50], max_iter=1)
    np.testing.assert_allclose(tuned.reconstruct(X)[:, -1], 7, atol=0.01)
    assert tuned.score(X) > 0.5


def test_history_is_of_fine_tuning(fitted: AutoencoderTransformer) -> None:
    tuned = tune(fitted, bent(100, 0.5, seed=1))
    assert {row["phase"] for row in tuned.history_} == {"fine-tuning"}
    assert tuned.n_iter_ == len(tuned.history_) == len(tuned.loss_curve_)
    assert tuned.start_ is None
    assert not hasattr(tuned, "explained_variance_ratio_")


def test_a_dropped_network_leaves_pca_to_tune() -> None:
    X = np.random.RandomState(0).normal(scale=[5, 3, 1, 1], size=(200, 4))
    fitted = AutoencoderTransformer(2, **QUICK).fit(X)
    assert not fitted.uses_network_
    turned = np.ascontiguousarray(X[:, [0, 2, 1, 3]])
    tuned = tune(fitted, turned, max_iter=20)
    errors = [e.reconstruction_error(turned).mean() for e in (fitted, tuned)]
    best = PCA(2).fit(turned)
    least = ((turned - best.inverse_transform(best.transform(turned))) ** 2).mean()
    assert least <= errors[1] < 0.9 * errors[0]


def test_tuned_fit_can_be_tuned_again(fitted: AutoencoderTransformer) -> None:
    first = tune(fitted, bent(100, 0.5, seed=1))
    second, test = tune(first, bent(100, 0.0, seed=2)), bent(500, 0.0, seed=3)
    errors = [e.reconstruction_error(test).mean() for e in (first, second)]
    assert errors[1] < errors[0]


def test_survives_clone_pickle_and_deepcopy(fitted: AutoencoderTransformer) -> None:
    X = bent(100, 0.5, seed=1)
    tuned = tune(fitted, X)
    codes = tuned.transform(X)
    for twin in (pickle.loads(pickle.dumps(tuned)), copy.deepcopy(tuned)):
        assert np.array_equal(twin.transform(X), codes)
    unfitted = clone(tuned)
    with pytest.raises(NotFittedError):
        unfitted.transform(X)
    assert np.array_equal(unfitted.fit(X).transform(X), codes)


def test_in_a_search(fitted: AutoencoderTransformer) -> None:
    """Beside PCA and random weights."""
    grid = {"start": [FrozenEstimator(fitted), "pca", None]}
    search = GridSearchCV(
        AutoencoderTransformer(2, max_iter=2, random_state=0),
        grid,
        cv=2,
        error_score="raise",
    ).fit(bent(100, 1.0, seed=1))
    assert search.best_params_["start"].estimator is fitted


def test_log_loss_follows_log_loss() -> None:
    X = np.random.RandomState(0).beta(0.5, 0.5, size=(100, 5))
    fitted = AutoencoderTransformer(2, start=None, loss="log_loss", **QUICK).fit(X)
    tuned = tune(fitted, X[:50], loss="log_loss")
    assert ((tuned.reconstruct(X) >= 0) & (tuned.reconstruct(X) <= 1)).all()
    with pytest.raises(ValueError, match="set the loss that start was fitted with"):
        tune(fitted, X)


class TestRefusals:
    @pytest.mark.parametrize(
        "params, message",
        [
            ({"n_components": 3}, "n_components=3 .* set n_components=2"),
            ({"n_components": 0.5}, "n_components=0.5 .* set n_components=2"),
            ({"network": DenseNetwork()}, "^network, hidden_layer_sizes and"),
            ({"hidden_layer_sizes": (4,)}, "^network, hidden_layer_sizes and"),
            ({"hidden_layer_sizes": np.array([4])}, "^network, hidden_layer_sizes and"),
            ({"activation": "relu"}, "^network, hidden_layer_sizes and"),
            ({"loss": "log_loss"}, "set the loss that start was fitted with"),
            ({"loss": "absolute_error"}, "^loss and noise .* fit start with the same"),
            (
                {"noise": MaskingNoise(0.1)},
                "^loss and noise .* fit start with the same",
            ),
            ({"noise": GaussianNoise(-1)}, "^strength"),
            ({"pretraining": "layerwise"}, "^pretraining=.* start=None"),
        ],
        ids=str,
    )
    def test_what_does_not_go_with_it(
        self, rotated: AutoencoderTransformer, params: dict, message: str
    ) -> None:
        X = np.random.RandomState(0).uniform(size=(50, 4))
        estimator = AutoencoderTransformer(2, start=FrozenEstimator(rotated))
        with pytest.raises(ValueError, match=message):
            estimator.set_params(**params).fit(X)
        with pytest.raises(NotFittedError):
            estimator.transform(X)

    def test_another_number_of_features(self, rotated: AutoencoderTransformer) -> None:
        with pytest.raises(ValueError, match=r"^start was fitted to 4 features.* 3;"):
            tune(rotated, bent(50, 1.0, seed=1)[:, :3])

    def test_another_estimator(self) -> None:
        X = bent(50, 1.0, seed=1)
        with pytest.raises(ValueError, match=r"^start must .* got PCA\.$"):
            AutoencoderTransformer(2, start=FrozenEstimator(PCA(2).fit(X))).fit(X)

    def test_not_fitted(self) -> None:
        unfitted = FrozenEstimator(AutoencoderTransformer())
        with pytest.raises(NotFittedError, match=r"^start .* not fitted"):
            AutoencoderTransformer(2, start=unfitted).fit(bent(50, 1.0, seed=1))

    def test_bare_estimator(self, rotated: AutoencoderTransformer) -> None:
        """``clone`` would take its weights away."""
        with pytest.raises(ValueError, match=r"start=Autoenc.*FrozenEstimator"):
            AutoencoderTransformer(2, start=rotated).fit(bent(50, 1.0, seed=1))

    def test_columns_in_another_order(self) -> None:
        X = pd.DataFrame(bent(100, 1.0, seed=0), columns=list("abcd"))
        fitted = AutoencoderTransformer(2, **QUICK).fit(X)
        assert tune(fitted, X).n_components_ == 2
        assert tune(fitted, X.to_numpy()).n_components_ == 2
        with pytest.raises(ValueError, match=r"^X has other feature names"):
            tune(fitted, X[list("abdc")])
