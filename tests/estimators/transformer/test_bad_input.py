"""AutoencoderTransformer: refusals, extreme values, divergence, interruption."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

from skae import AutoencoderTransformer
from skae.networks import ConvolutionalNetwork, DenseNetwork
from skae.noise import GaussianNoise, MaskingNoise
from skae.penalties import Contraction, KullbackLeiblerSparsity, L1Sparsity

QUICK = {"hidden_layer_sizes": (16,), "max_iter": 3, "random_state": 0}


@pytest.fixture
def X(rng: np.random.RandomState) -> np.ndarray:
    return rng.normal(size=(40, 4))


def with_value(value: object, dtype: type = float) -> Callable[[np.ndarray], object]:
    def change(X: np.ndarray) -> np.ndarray:
        X = X.astype(dtype)
        X[3, 1] = value
        return X

    return change


BAD_ROWS = {
    "nan": (with_value(np.nan), ValueError, "contains NaN.*DenoisingImputer"),
    "infinite": (with_value(np.inf), ValueError, "contains infinity"),
    "complex": (with_value(1j, complex), ValueError, "Complex data not supported"),
    "string": (with_value("red", object), ValueError, "could not convert string"),
    "sparse": (sparse.csr_array, TypeError, "Sparse data was passed"),
    "empty": (lambda X: X[:0], ValueError, "Found array with 0 sample"),
    "no columns": (lambda X: X[:, :0], ValueError, r"0 feature\(s\)"),
    "one axis": (lambda X: X[0], ValueError, "Expected 2D array, got 1D"),
    "three axes": (lambda X: X[None], ValueError, "must be one row"),
}
METHODS = ["fit", "transform", "reconstruct", "reconstruction_error", "score"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", BAD_ROWS)
def test_bad_rows(X: np.ndarray, kind: str, method: str) -> None:
    make, error, message = BAD_ROWS[kind]
    fitted = AutoencoderTransformer(2, **QUICK).fit(X)
    with pytest.raises(error, match=message):
        getattr(fitted, method)(make(X))


@pytest.mark.parametrize("kind", sorted(BAD_ROWS.keys() - {"no columns"}))
def test_bad_codes(X: np.ndarray, kind: str) -> None:
    make, error, message = BAD_ROWS[kind]
    fitted = AutoencoderTransformer(4, **QUICK).fit(X)
    with pytest.raises(error, match=message if kind != "nan" else "contains NaN"):
        fitted.inverse_transform(make(fitted.transform(X)))


@pytest.mark.parametrize("method", METHODS[1:])
@pytest.mark.parametrize("width", [3, 5])
def test_wrong_number_of_columns(X: np.ndarray, method: str, width: int) -> None:
    fitted = AutoencoderTransformer(2, **QUICK).fit(X)
    message = f"X has {width} features, but AutoencoderTransformer is expecting 4"
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(np.ones((3, width)))


@pytest.mark.parametrize("width", [1, 3])
def test_wrong_number_of_codes(X: np.ndarray, width: int) -> None:
    fitted = AutoencoderTransformer(2, **QUICK).fit(X)
    with pytest.raises(ValueError, match=f"X has {width} .*2"):
        fitted.inverse_transform(np.ones((3, width)))


@pytest.mark.parametrize("method", [*METHODS[1:], "inverse_transform"])
def test_not_fitted(X: np.ndarray, method: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(AutoencoderTransformer(), method)(X)


@pytest.mark.parametrize(
    "params, message",
    [
        ({"loss": "log_loss"}, r"log_loss.*start=None"),
        ({"loss": "log_loss", "start": None}, r"log_loss.*\[0, 1\]"),
        ({"n_components": 0.5, "start": None}, "n_components.*start"),
        ({"n_components": None, "start": None}, "n_components=None .* pass an integer"),
        (
            {"network": DenseNetwork(), "hidden_layer_sizes": (4,)},
            "hidden_layer_sizes.*network",
        ),
        ({"network": DenseNetwork(), "activation": "relu"}, "activation.*network"),
        ({"network": DenseNetwork(activation="step")}, "activation must be one of"),
        ({"noise": GaussianNoise(-1)}, "strength must be a non-negative"),
        ({"hidden_layer_sizes": (4, 0)}, "hidden_layer_sizes must be"),
        ({"pretraining": "layerwise"}, "^pretraining='layerwise' .* start=None"),
        (
            {"pretraining": "layerwise", "start": None, "hidden_layer_sizes": ()},
            "^pretraining='layerwise' needs .* hidden_layer_sizes",
        ),
        (
            {"network": DenseNetwork(code_activation="tanh")},
            "^code_activation='tanh' .* start=None",
        ),
        (
            {"penalty": KullbackLeiblerSparsity(), "start": None},
            "^penalty=KullbackLeiblerSparsity.* code_activation='logistic'",
        ),
        ({"penalty": L1Sparsity(-1)}, "^strength"),
        ({"penalty": Contraction(np.nan)}, "^strength"),
        ({"noise": MaskingNoise(1.5)}, "^strength"),
        ({"network": ConvolutionalNetwork((3, 3))}, r"^image_shape=\(3, 3\)"),
        (
            {
                "network": ConvolutionalNetwork((2, 2), (2,), 2),
                "activation": "relu",
            },
            "activation.*network",
        ),
        ({"device": "warp"}, "device"),
        ({"device": "cuda:99"}, "device"),
    ],
    ids=str,
)
def test_contradicting_or_impossible_parameters(
    X: np.ndarray, params: dict, message: str
) -> None:
    estimator = AutoencoderTransformer(max_iter=1).set_params(**params)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X)
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)


@pytest.mark.parametrize("shape", [(40, 4), (3, 9)])
def test_more_components_than_pca_has(
    rng: np.random.RandomState, shape: tuple[int, int]
) -> None:
    X, least = rng.normal(size=shape), min(shape)
    message = rf"n_components={least + 1} must be between .* min\(n_samples.*={least} "
    for reducer in (
        PCA(least + 1, svd_solver="full"),
        AutoencoderTransformer(least + 1),
    ):
        with pytest.raises(ValueError, match=message):
            reducer.fit(X)


def test_failed_fit_leaves_the_fit_before(X: np.ndarray) -> None:
    estimator = AutoencoderTransformer(2, **QUICK).fit(X)
    codes, fitted = estimator.transform(X), dict(vars(estimator))
    with pytest.raises(ValueError):
        estimator.set_params(n_components=9).fit(X[:, :3] + 1)
    assert np.array_equal(estimator.transform(X), codes)
    assert vars(estimator).keys() == fitted.keys()
    for name, value in (fitted | {"n_components": 9}).items():
        assert getattr(estimator, name) is value


@pytest.mark.parametrize("fitted_before", [False, True])
@pytest.mark.parametrize("after", [0, 40])
def test_interrupted_fit_leaves_what_was(
    X: np.ndarray, monkeypatch: pytest.MonkeyPatch, fitted_before: bool, after: int
) -> None:
    """Nothing, or the fit before."""
    estimator = AutoencoderTransformer(2, noise=GaussianNoise(), **QUICK)
    if fitted_before:
        estimator.fit(2 * X)
    before = dict(vars(estimator))
    calls = []

    def interrupted(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        calls.append(x)
        if len(calls) > after:
            raise KeyboardInterrupt
        return x

    monkeypatch.setattr(GaussianNoise, "corruption", lambda *args: interrupted)
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(X)
    assert len(calls) == after + 1
    assert vars(estimator).keys() == before.keys()
    for name, value in before.items():
        assert getattr(estimator, name) is value
    monkeypatch.undo()
    if fitted_before:
        again = AutoencoderTransformer(2, noise=GaussianNoise(), **QUICK).fit(2 * X)
        assert np.array_equal(estimator.transform(X), again.transform(X))
    else:
        with pytest.raises(NotFittedError):
            estimator.transform(X)
    again = AutoencoderTransformer(2, noise=GaussianNoise(), **QUICK).fit(X)
    assert np.array_equal(estimator.fit(X).transform(X), again.transform(X))


class TestExtremeValues:
    @pytest.mark.parametrize("factor", [1e-30, 1e30])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_whole_table(self, curve: np.ndarray, factor: float, dtype: type) -> None:
        X = (curve * factor).astype(dtype)
        fitted = AutoencoderTransformer(1, random_state=0).fit(X)
        assert fitted.uses_network_
        assert np.isfinite(fitted.transform(X)).all()
        pca = PCA(1).fit(curve).explained_variance_ratio_.sum()
        assert 1 - fitted.score(X) < 0.1 * (1 - pca)
        errors = fitted.reconstruction_error(X).astype(np.float64)
        assert np.isfinite(errors).all()
        assert (errors > 0).all()

    @pytest.mark.parametrize("value", [1e-30, 1e30])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_one_column(self, curve: np.ndarray, value: float, dtype: type) -> None:
        X = np.column_stack([curve, value * curve[:, 0]]).astype(dtype)
        fitted = AutoencoderTransformer(1, **QUICK).fit(X)
        restored = fitted.reconstruct(X).astype(np.float64)
        X = X.astype(np.float64)
        pca = PCA(1).fit(X)
        theirs = np.linalg.norm(pca.inverse_transform(pca.transform(X)) - X)
        # A column that outweighs all others loses what its type cannot hold.
        rounding = np.finfo(dtype).eps * np.linalg.norm(X)
        assert np.linalg.norm(restored - X) <= 1.001 * theirs + rounding

    # PCA leaves so little that the first steps of a network look like divergence.
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    @pytest.mark.parametrize("value", [1e6, 1e30])
    def test_one_training_value(self, curve: np.ndarray, value: float) -> None:
        X = curve.copy()
        X[0, 0] = value
        fitted = AutoencoderTransformer(1, **QUICK).fit(X)
        assert np.isfinite(fitted.reconstruct(X)).all()
        pca = PCA(1, svd_solver="full").fit(X)
        theirs = pca.inverse_transform(pca.transform(X))
        lost = np.linalg.norm(fitted.reconstruct(X) - X)
        assert lost <= 1.001 * np.linalg.norm(theirs - X) + 1e-12 * value

    @pytest.mark.parametrize("value", [1e30, -1e30])
    @pytest.mark.parametrize("start", ["pca", None])
    def test_one_new_value(
        self, curve: np.ndarray, value: float, start: str | None
    ) -> None:
        fitted = AutoencoderTransformer(1, start=start, **QUICK).fit(curve)
        X = curve.copy()
        X[0, 0] = value
        assert np.isfinite(fitted.transform(X)).all()
        assert np.isfinite(fitted.reconstruct(X)).all()
        assert np.array_equal(fitted.transform(X)[1:], fitted.transform(curve)[1:])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("start", ["pca", None])
@pytest.mark.parametrize("value", [0.0, 7.0, 1e30])
@pytest.mark.parametrize("n", [1, 5, 30, 2500])
def test_rows_that_are_all_alike(
    dtype: type, start: str | None, value: float, n: int
) -> None:
    X = np.full((n, 3), value, dtype)
    fitted = AutoencoderTransformer(1, start=start, **QUICK).fit(X)
    assert np.isfinite(fitted.transform(X)).all()
    assert np.isfinite(fitted.reconstruct(X)).all()
    if start == "pca":
        assert not fitted.uses_network_
        np.testing.assert_allclose(fitted.reconstruct(X), X)
        assert fitted.score(X) == pytest.approx(1)


class TestDivergence:
    """A learning rate far too high costs the network, never the estimator."""

    @pytest.mark.parametrize("cv", ["auto", None])
    @pytest.mark.parametrize("rate", [1e3, 1e30])
    def test_falls_back_to_pca(self, curve: np.ndarray, cv, rate: float) -> None:
        estimator = AutoencoderTransformer(1, cv=cv, learning_rate_init=rate, **QUICK)
        with pytest.warns(ConvergenceWarning, match="learning_rate_init"):
            estimator.fit(curve)
        pca = PCA(1).fit(curve)
        explained = pca.explained_variance_ratio_.sum()
        assert estimator.score(curve) >= explained - 1e-6

    @pytest.mark.parametrize("cv", ["auto", None])
    def test_without_a_start_predictions_are_finite(
        self, curve: np.ndarray, cv
    ) -> None:
        estimator = AutoencoderTransformer(
            1, start=None, cv=cv, learning_rate_init=1e30, **QUICK
        )
        with pytest.warns(ConvergenceWarning, match="learning_rate_init"):
            estimator.fit(curve)
        assert np.isfinite(estimator.transform(curve)).all()
        assert np.isfinite(estimator.score(curve))
        best = estimator.best_validation_score_
        assert best is None if cv is None else np.isfinite(best)

    def test_rounds_before_the_divergence_are_kept(
        self, curve: np.ndarray, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The best of them, and the history ends with the one that failed."""
        calls = []

        def breaks_down(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
            calls.append(x)
            return x * torch.inf if len(calls) > 50 else x

        monkeypatch.setattr(GaussianNoise, "corruption", lambda *args: breaks_down)
        estimator = AutoencoderTransformer(
            1, noise=GaussianNoise(0.01), max_iter=20, random_state=0
        )
        with pytest.warns(ConvergenceWarning, match="round 4"):
            estimator.fit(curve)
        assert estimator.uses_network_
        pca = PCA(1).fit(curve).explained_variance_ratio_.sum()
        assert 1 - estimator.score(curve) < 0.9 * (1 - pca)

    @pytest.mark.parametrize("cv", ["auto", None])
    @pytest.mark.parametrize("seed", range(3))
    def test_rare_large_rows_are_no_divergence(self, cv, seed: int) -> None:
        """Batches with and without them differ, however small the steps are."""
        rng = np.random.RandomState(seed)
        X = rng.normal(size=(1000, 6)) * np.where(rng.rand(1000, 1) < 0.01, 100, 1)
        params = QUICK | {"learning_rate_init": 1e-9, "cv": cv}
        assert AutoencoderTransformer(2, **params).fit(X).n_iter_ == 3


@pytest.mark.parametrize("scaled", [False, True])
def test_one_gross_value_is_no_divergence(scaled: bool) -> None:
    """PCA is all but perfect then, and any network many times worse: no warning."""
    X = load_wine().data
    X = (X - X.mean(axis=0)) / X.std(axis=0) if scaled else X.copy()
    X[3, 0] = 1e6
    reducer = AutoencoderTransformer(5, max_iter=6, random_state=0).fit(X)
    assert reducer.best_validation_score_ >= reducer.start_validation_score_
