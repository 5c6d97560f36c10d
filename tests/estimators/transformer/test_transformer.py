"""AutoencoderTransformer: what it shares with PCA and what its attributes mean."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skae import AutoencoderTransformer
from skae.networks import DenseNetwork
from skae.noise import GaussianNoise

QUICK = {"hidden_layer_sizes": (16,), "max_iter": 3, "random_state": 0}


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    """Rows in which there is nothing to learn beyond PCA."""
    return np.random.RandomState(0).normal(scale=np.arange(1, 9), size=(200, 8))


@pytest.fixture(scope="module")
def on_curve(curve: np.ndarray) -> AutoencoderTransformer:
    return AutoencoderTransformer(1, random_state=0).fit(curve)


@pytest.fixture(scope="module")
def refused(noise: np.ndarray) -> AutoencoderTransformer:
    fitted = AutoencoderTransformer(3, random_state=0).fit(noise)
    assert not fitted.uses_network_
    return fitted


class TestRefusedNetwork:
    """Where held-out rows do not prove a gain, the estimator is PCA."""

    @pytest.mark.parametrize("distance", [1, 10, 1e6])
    def test_is_pca_with_signs(
        self, refused: AutoencoderTransformer, noise: np.ndarray, distance: float
    ) -> None:
        pca = PCA(3).fit(noise)
        X = distance * noise
        codes = pca.transform(X)
        np.testing.assert_allclose(
            refused.transform(X), codes, atol=1e-8 * distance, rtol=1e-8
        )
        np.testing.assert_allclose(
            refused.inverse_transform(codes),
            pca.inverse_transform(codes),
            atol=1e-8 * distance,
            rtol=1e-8,
        )

    def test_scores_are_those_of_pca(
        self, refused: AutoencoderTransformer, noise: np.ndarray
    ) -> None:
        explained = PCA(3).fit(noise).explained_variance_ratio_.sum()
        assert refused.score(noise) == pytest.approx(explained)

    def test_training_was_recorded(self, refused: AutoencoderTransformer) -> None:
        assert len(refused.validation_scores_) == refused.n_iter_ > 0


def test_far_rows_get_pca(on_curve: AutoencoderTransformer, curve: np.ndarray) -> None:
    assert on_curve.uses_network_
    pca, far = PCA(1).fit(curve), 1e3 * curve
    far = far[np.abs(pca.transform(far)[:, 0]) > 100]
    np.testing.assert_allclose(on_curve.transform(far), pca.transform(far))
    np.testing.assert_allclose(
        on_curve.reconstruct(far), pca.inverse_transform(pca.transform(far)), rtol=1e-7
    )


def test_components_are_in_units_and_signs_of_pca(
    on_curve: AutoencoderTransformer, curve: np.ndarray
) -> None:
    ours = on_curve.transform(curve)[:, 0]
    theirs = PCA(1).fit_transform(curve)[:, 0]
    assert np.corrcoef(ours, theirs)[0, 1] > 0.8
    assert ours.std() == pytest.approx(theirs.std(), rel=0.5)


class TestNumberOfComponents:
    @pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.999])
    @pytest.mark.parametrize("name", ["wine", "diabetes"])
    def test_share_of_the_variance(self, standardised, share: float, name: str) -> None:
        X = standardised(name)
        fitted = AutoencoderTransformer(share, **QUICK).fit(X)
        expected = PCA(share, svd_solver="full").fit(X).n_components_
        assert fitted.n_components_ == expected
        assert fitted.transform(X).shape == (len(X), expected)

    def test_more_than_there_are_without_a_start(self, noise: np.ndarray) -> None:
        fitted = AutoencoderTransformer(11, start=None, **QUICK).fit(noise)
        assert fitted.n_components_ == 11
        assert fitted.transform(noise).shape == (200, 11)

    @pytest.mark.parametrize("shape", [(60, 5), (15, 30)])
    def test_none_is_all_that_pca_has(self, shape: tuple[int, int]) -> None:
        X = np.random.RandomState(0).normal(size=shape)
        fitted, pca = AutoencoderTransformer(None, **QUICK).fit(X), PCA().fit(X)
        assert fitted.n_components_ == pca.n_components_ == min(shape)
        np.testing.assert_allclose(fitted.transform(X), pca.transform(X), atol=1e-9)
        assert not fitted.uses_network_

    def test_none_is_the_number_that_another_fit_has(self) -> None:
        X = np.random.RandomState(0).normal(size=(60, 5))
        start = AutoencoderTransformer(3, **QUICK).fit(X)
        tuned = AutoencoderTransformer(None, start=FrozenEstimator(start), max_iter=1)
        assert tuned.fit(X).n_components_ == 3

    def test_all_components_lose_nothing(self, noise: np.ndarray) -> None:
        fitted = AutoencoderTransformer(8, **QUICK).fit(noise)
        assert fitted.score(noise) == pytest.approx(1)


class TestScores:
    def test_score_is_the_share_of_the_variance_that_comes_back(
        self, on_curve: AutoencoderTransformer, curve: np.ndarray
    ) -> None:
        X = curve[:50] + 0.1
        lost = ((X - on_curve.reconstruct(X)) ** 2).sum()
        total = ((X - on_curve.mean_) ** 2).sum()
        score = on_curve.score(X)
        assert type(score) is float
        assert score == pytest.approx(1 - lost / total)

    def test_mean_is_that_of_the_training_rows(
        self, on_curve: AutoencoderTransformer, curve: np.ndarray
    ) -> None:
        np.testing.assert_allclose(on_curve.mean_, curve.mean(axis=0), atol=1e-12)

    def test_nothing_lost_of_nothing_is_one(self) -> None:
        X = np.full((30, 3), 0.7)
        score = AutoencoderTransformer(1, **QUICK).fit(X).score(X)
        assert type(score) is float
        assert score == 1.0

    def test_reconstruction_error_is_the_mean_square_of_a_row(
        self, on_curve: AutoencoderTransformer, curve: np.ndarray
    ) -> None:
        errors = on_curve.reconstruction_error(curve)
        expected = ((curve - on_curve.reconstruct(curve)) ** 2).mean(axis=1)
        assert errors.shape == (len(curve),)
        np.testing.assert_allclose(errors, expected)

    def test_reconstruct_is_transform_and_back(
        self, on_curve: AutoencoderTransformer, curve: np.ndarray
    ) -> None:
        np.testing.assert_allclose(
            on_curve.reconstruct(curve),
            on_curve.inverse_transform(on_curve.transform(curve)),
        )

    def test_explained_variance_ratio_is_that_of_pca(self, noise: np.ndarray) -> None:
        fitted = AutoencoderTransformer(3, **QUICK).fit(noise)
        np.testing.assert_allclose(
            fitted.explained_variance_ratio_,
            PCA(3).fit(noise).explained_variance_ratio_,
        )

    def test_explained_variance_ratio_is_there_with_the_pca_start_alone(
        self, curve: np.ndarray
    ) -> None:
        """Where there is none, the error says which start has it."""
        fitted = AutoencoderTransformer(1, start=None, **QUICK).fit(curve)
        assert not hasattr(fitted, "explained_variance_ratio_")
        with pytest.raises(AttributeError, match="start='pca'"):
            _ = fitted.explained_variance_ratio_


class TestHistory:
    @pytest.mark.parametrize(
        "params", [{}, {"start": None}, {"cv": None}, {"cv": 2}], ids=str
    )
    def test_attributes_tell_one_story(self, curve: np.ndarray, params: dict) -> None:
        fitted = AutoencoderTransformer(1, **QUICK, **params).fit(curve)
        assert 1 <= fitted.n_iter_ <= 3
        assert len(fitted.history_) == fitted.n_iter_
        assert fitted.loss_curve_ == [row["loss"] for row in fitted.history_]
        # Twelve steps are two passes over 300 rows, or more.
        assert [row["steps"] for row in fitted.history_] == [12] * fitted.n_iter_
        assert all(row["duration"] > 0 for row in fitted.history_)
        held_out = ["validation_loss" in row for row in fitted.history_]
        assert held_out == [params.get("cv", "auto") is not None] * fitted.n_iter_

    @pytest.mark.parametrize("centre", [0.0, 1e-17, 3.0])
    def test_score_of_zeros(self, centre: float) -> None:
        """Which have no unit of their own."""
        X = load_iris().data - load_iris().data.mean(axis=0) + centre
        reducer = AutoencoderTransformer(max_iter=2, random_state=0).fit(X)
        zeros = np.zeros((3, 4))
        lost = np.square(reducer.reconstruct(zeros)).sum()
        total = 3 * np.square(reducer.mean_).sum()
        assert reducer.score(zeros) == pytest.approx(1 - lost / total)

    @pytest.mark.parametrize("unit", [1e-170, 1e90])
    def test_score_is_the_same_in_any_unit(self, unit: float) -> None:
        """Squares of the values would be zero, or not finite."""
        X = load_iris().data
        plain, other = (
            AutoencoderTransformer(max_iter=1, random_state=0).fit(table).score(table)
            for table in (X, X * unit)
        )
        assert 0.9 < other <= 1
        assert other == pytest.approx(plain, abs=0.01)

    def test_validation_scores_are_on_the_scale_of_score(
        self, on_curve: AutoencoderTransformer, curve: np.ndarray
    ) -> None:
        """The loss is a multiple of the lost share of the variance."""
        lost = 1 - np.array(on_curve.validation_scores_)
        loss = np.array([row["validation_loss"] for row in on_curve.history_])
        np.testing.assert_allclose(lost / lost[-1], loss / loss[-1], rtol=1e-4)
        assert on_curve.best_validation_score_ == pytest.approx(
            max(on_curve.validation_scores_), abs=1e-6
        )

    def test_best_validation_score_foretells_the_score_of_new_rows(self) -> None:
        rng = np.random.RandomState(0)
        t = rng.uniform(-1, 1, 800)
        X = np.stack([t, t**2, np.sin(3 * t)], axis=1)
        X += rng.normal(scale=0.1, size=X.shape)
        fitted = AutoencoderTransformer(1, random_state=0).fit(X[:400])
        assert fitted.uses_network_
        lost = 1 - fitted.score(X[400:])
        assert 1 - fitted.best_validation_score_ == pytest.approx(lost, rel=0.2)
        pca = PCA(1).fit(X[:400])
        restored = pca.inverse_transform(pca.transform(X[400:]))
        lost = ((X[400:] - restored) ** 2).sum() / ((X[400:] - pca.mean_) ** 2).sum()
        assert 1 - fitted.start_validation_score_ == pytest.approx(lost, rel=0.2)

    def test_start_validation_score_is_cross_validated_pca(
        self, noise: np.ndarray
    ) -> None:
        """Every row is scored by components that were found without it."""
        fitted = AutoencoderTransformer(3, cv=len(noise), **QUICK).fit(noise)
        lost = 0.0
        for i in range(len(noise)):
            pca = PCA(3).fit(np.delete(noise, i, axis=0))
            row = noise[i : i + 1]
            lost += ((row - pca.inverse_transform(pca.transform(row))) ** 2).sum()
        total = ((noise - noise.mean(axis=0)) ** 2).sum()
        assert fitted.start_validation_score_ == pytest.approx(1 - lost / total)

    def test_single_split_of_many_rows(self) -> None:
        t = np.random.RandomState(0).uniform(-1, 1, 2500)
        X = np.stack([t, t**2, np.sin(3 * t)], axis=1)
        fitted = AutoencoderTransformer(
            1, validation_fraction=0.3, batch_size=50, **QUICK
        ).fit(X)
        # Two passes over the rows that are not held out.
        steps = {row["steps"] for row in fitted.history_}
        assert len(steps) == 1
        assert steps.pop() == pytest.approx(2 * 0.7 * 2500 / 50, rel=0.1)
        assert fitted.uses_network_
        lost = 1 - fitted.score(X)
        assert 1 - fitted.best_validation_score_ == pytest.approx(lost, rel=0.2)
        pca = 1 - PCA(1).fit(X).explained_variance_ratio_.sum()
        assert 1 - fitted.start_validation_score_ == pytest.approx(pca, rel=0.2)

    def test_without_held_out_rows_there_is_nothing_to_report(
        self, noise: np.ndarray
    ) -> None:
        fitted = AutoencoderTransformer(3, cv=None, **QUICK).fit(noise)
        assert fitted.uses_network_
        assert fitted.validation_scores_ is None
        assert fitted.best_validation_score_ is None

    def test_a_plateau_ends_the_training_early(self, noise: np.ndarray) -> None:
        params = QUICK | {"max_iter": 50}
        eager = AutoencoderTransformer(3, tol=0.9, n_iter_no_change=1, **params)
        patient = AutoencoderTransformer(3, tol=0.9, n_iter_no_change=20, **params)
        assert eager.fit(noise).n_iter_ < 5
        assert 20 < patient.fit(noise).n_iter_ < 50

    @pytest.mark.parametrize("max_iter", [1, 2, 6, 20])
    def test_max_iter_is_never_exceeded(self, curve: np.ndarray, max_iter: int) -> None:
        params = QUICK | {"max_iter": max_iter, "tol": 0.0, "n_iter_no_change": 100}
        fitted = AutoencoderTransformer(1, cv=None, **params).fit(curve)
        assert fitted.n_iter_ == max_iter


class TestInSearches:
    def test_grid_swaps_pca_and_ours(self) -> None:
        X, y = load_iris(return_X_y=True)
        pipeline = Pipeline(
            [
                ("scale", StandardScaler()),
                ("reduce", PCA()),
                ("classify", LogisticRegression()),
            ]
        )
        reducers = [PCA(), AutoencoderTransformer(**QUICK)]
        grid = {"reduce": reducers, "reduce__n_components": [1, 2]}
        search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(X, y)
        assert len(search.cv_results_["params"]) == 4
        assert search.best_score_ > 0.85
        assert search.predict(X).shape == y.shape

    def test_own_score_selects(self, noise: np.ndarray) -> None:
        grid = {"n_components": [1, 3, 7]}
        search = GridSearchCV(AutoencoderTransformer(**QUICK), grid, cv=2).fit(noise)
        scores = search.cv_results_["mean_test_score"]
        assert scores[0] < scores[1] < scores[2] <= 1

    def test_grid_reaches_into_the_parts(self, curve: np.ndarray) -> None:
        estimator = AutoencoderTransformer(
            1,
            network=DenseNetwork(),
            noise=GaussianNoise(),
            cv=None,
            max_iter=2,
            random_state=0,
        )
        grid = {
            "network__hidden_layer_sizes": [(3,), (5, 4)],
            "noise__strength": [0.0, 0.5],
        }
        search = GridSearchCV(estimator, grid, cv=2, error_score="raise").fit(curve)
        assert len(set(search.cv_results_["mean_test_score"])) == 4
        chosen = search.best_params_["network__hidden_layer_sizes"]
        widths = [p.shape[-1] for p in search.best_estimator_.module_.parameters()]
        assert set(widths) == {*chosen, 1, 3}

    def test_shorthand_and_specification_are_one(self, curve: np.ndarray) -> None:
        shorthand = AutoencoderTransformer(
            1, hidden_layer_sizes=(5,), activation="tanh", max_iter=2, random_state=0
        )
        spec = AutoencoderTransformer(
            1, network=DenseNetwork((5,), "tanh"), max_iter=2, random_state=0
        )
        codes = shorthand.fit_transform(curve)
        assert np.array_equal(spec.fit_transform(curve), codes)
