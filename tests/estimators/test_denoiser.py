"""What DenoisingTransformer promises, for tables and images."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skae._restoration
from skae import DenoisingTransformer
from skae.networks import ConvolutionalNetwork
from skae.noise import GaussianNoise, MaskingNoise
from tests.laws._tables import few, small_tables

X = load_digits().data[:120] / 16
QUICK = {"max_iter": 2, "random_state": 0}
IMAGES = ConvolutionalNetwork((8, 8), channels=(4, 4))
GAPS = MaskingNoise(0.3, fill="nan")
CASES = {
    "dense": DenoisingTransformer(**QUICK),
    "images": DenoisingTransformer(network=IMAGES, **QUICK),
    "local": DenoisingTransformer(network=IMAGES, start="local", **QUICK),
    "dense gaps": DenoisingTransformer(noise=GAPS, **QUICK),
    "image gaps": DenoisingTransformer(
        noise=GAPS, network=IMAGES, start="local", **QUICK
    ),
}
each_case = pytest.mark.parametrize("case", CASES)


def halved(images: np.ndarray) -> np.ndarray:
    """Rows of 8 x 8 pixels as rows of 4 x 4."""
    return images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)


def with_gaps(rows: np.ndarray, share: float = 0.3) -> np.ndarray:
    hidden = np.random.RandomState(5).uniform(size=rows.shape) < share
    return np.where(hidden, np.nan, rows)


@pytest.fixture(scope="module")
def fitted() -> dict[str, DenoisingTransformer]:
    return {case: clone(estimator).fit(X) for case, estimator in CASES.items()}


@each_case
def test_the_start_at_worst(fitted: dict, case: str) -> None:
    """On the rows that were held out, and they chose the weight."""
    denoiser = fitted[case]
    assert denoiser.best_validation_score_ >= denoiser.start_validation_score_
    assert denoiser.uses_network_ == (denoiser.module_.weight > 0)


@each_case
def test_without_a_step_it_is_the_start(case: str) -> None:
    """Where nothing is held out, no network can prove its use."""
    denoiser = clone(CASES[case]).fit(X[:15])
    assert denoiser.n_iter_ == 0
    assert not denoiser.uses_network_
    assert denoiser.best_validation_score_ is None
    if case in {"dense", "images"}:
        assert denoiser.start_ == "identity"
        np.testing.assert_allclose(denoiser.transform(X), X, atol=1e-12)
    if case == "dense gaps":
        filled = np.where(np.isnan(with_gaps(X)), X[:15].mean(axis=0), X)
        np.testing.assert_allclose(denoiser.transform(with_gaps(X)), filled)


@pytest.mark.parametrize("case", ["dense gaps", "image gaps"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_gaps_are_replaced(fitted: dict, case: str, dtype: type) -> None:
    rows = with_gaps(X).astype(dtype)
    restored = fitted[case].transform(rows)
    visible = ~np.isnan(rows)
    assert restored.dtype == dtype
    assert np.isfinite(restored).all()
    assert np.array_equal(restored[visible], rows[visible])
    assert np.array_equal(fitted[case].transform(X.astype(dtype)), X.astype(dtype))


@pytest.mark.parametrize("case", ["dense gaps", "image gaps"])
def test_gaps_of_training_rows_leave_these_out(case: str) -> None:
    rows = X.copy()
    rows[::3, 20] = np.nan
    denoiser = clone(CASES[case]).fit(rows)
    complete = clone(CASES[case]).fit(np.delete(X, np.s_[::3], axis=0))
    degraded = with_gaps(X)
    assert np.array_equal(denoiser.transform(degraded), complete.transform(degraded))


@each_case
def test_pickle(fitted: dict, case: str) -> None:
    denoiser, rows = fitted[case], with_gaps(X) if "gaps" in case else X
    again = pickle.loads(pickle.dumps(denoiser))
    assert np.array_equal(again.transform(rows), denoiser.transform(rows))
    assert again.score(X) == denoiser.score(X)


@each_case
def test_score_is_that_of_rows_degraded_in_every_call_alike(
    fitted: dict, case: str
) -> None:
    score = fitted[case].score(X)
    assert isinstance(score, float)
    assert fitted[case].score(X) == score
    assert fitted[case].score(X) == pytest.approx(
        fitted[case].best_validation_score_, abs=4
    )


def test_score_of_pairs_is_the_mean_peak_signal_to_noise_ratio(fitted: dict) -> None:
    noisy = X + np.random.RandomState(0).normal(scale=0.1, size=X.shape)
    denoiser = fitted["dense"]
    error = np.square(denoiser.transform(noisy) - X).mean(axis=1)
    expected = (10 * np.log10(denoiser.data_range_**2 / error)).mean()
    assert denoiser.score(noisy, X_clean=X) == pytest.approx(expected)
    assert denoiser.data_range_ == X.max() - X.min()


def test_strength_is_in_the_units_of_x() -> None:
    one, thousand = (
        DenoisingTransformer(noise=GaussianNoise(0.1 * unit), **QUICK).fit(X * unit)
        for unit in (1, 1024)
    )
    noisy = X + np.random.RandomState(0).normal(scale=0.1, size=X.shape)
    np.testing.assert_allclose(
        thousand.transform(noisy * 1024) / 1024, one.transform(noisy), atol=0.01
    )
    assert thousand.score(X * 1024) == pytest.approx(one.score(X), abs=0.1)


def test_values_are_not_clipped() -> None:
    rows = X * 3 - 5
    restored = DenoisingTransformer(noise=GaussianNoise(0.1), **QUICK).fit_transform(
        rows
    )
    assert restored.min() < -4.5
    assert restored.max() > -2.5


class TestPairs:
    def test_another_width(self) -> None:
        for network in ("dense", IMAGES):
            denoiser = DenoisingTransformer(network=network, **QUICK)
            restored = denoiser.fit_transform(halved(X), X_clean=X)
            assert restored.shape == X.shape
            assert denoiser.n_features_in_ == 16
            assert denoiser.n_features_out_ == 64
            assert denoiser.start_ in {"linear", "local"}
            assert np.array_equal(denoiser.transform(halved(X)), restored)

    def test_other_units(self) -> None:
        """Identity is that of the values, whatever the two tables lie around."""
        denoiser = DenoisingTransformer(start="identity", **QUICK).fit(
            X[:15] + 4, X_clean=X[:15] * 2
        )
        np.testing.assert_allclose(denoiser.transform(X), X, atol=1e-12)

    def test_copies_of_a_clean_row_share_a_side(self) -> None:
        """Or the rows that are held out would have been trained on."""
        clean = np.repeat(X[:30], 4, axis=0)
        rng = np.random.RandomState(0)
        noisy = clean + rng.normal(scale=0.3, size=clean.shape)
        denoiser = DenoisingTransformer(random_state=0).fit(noisy, X_clean=clean)
        new = X[60:] + rng.normal(scale=0.3, size=X[60:].shape)
        measured = denoiser.score(new, X_clean=X[60:])
        assert denoiser.best_validation_score_ == pytest.approx(measured, abs=2)

    def test_y_is_ignored(self) -> None:
        denoiser = DenoisingTransformer(**QUICK)
        one = denoiser.fit_transform(X, X_clean=X**2)
        two = denoiser.fit_transform(X, np.arange(len(X)), X_clean=X**2)
        assert np.array_equal(one, two)

    def test_what_the_start_restores_needs_no_network(self) -> None:
        denoiser = DenoisingTransformer(start="identity", random_state=0)
        denoiser.fit(X, X_clean=X)
        assert denoiser.n_iter_ == 0
        np.testing.assert_allclose(denoiser.transform(X), X, atol=1e-12)


class TestNames:
    frame = pd.DataFrame(X, columns=[f"pixel {j}" for j in range(64)])

    def test_are_those_of_the_clean_table(self) -> None:
        denoiser = DenoisingTransformer(**QUICK).set_output(transform="pandas")
        small = pd.DataFrame(halved(X), columns=[f"small {j}" for j in range(16)])
        restored = denoiser.fit_transform(small, X_clean=self.frame)
        assert restored.columns.tolist() == self.frame.columns.tolist()
        assert denoiser.feature_names_in_.tolist() == small.columns.tolist()

    def test_are_those_of_x_where_the_clean_table_has_none(self) -> None:
        denoiser = DenoisingTransformer(**QUICK).fit(self.frame, X_clean=X)
        assert denoiser.get_feature_names_out().tolist() == list(self.frame)

    def test_are_numbered_where_nothing_else_fits(self) -> None:
        denoiser = DenoisingTransformer(**QUICK).fit(halved(X), X_clean=X)
        assert denoiser.get_feature_names_out().tolist() == [f"x{j}" for j in range(64)]


class TestImages:
    @pytest.mark.parametrize("case", ["local", "image gaps"])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_of_the_size_of_the_training_are_rows(
        self, fitted: dict, case: str, dtype: type
    ) -> None:
        rows = (with_gaps(X) if "gaps" in case else X).astype(dtype)
        images = np.stack(
            [fitted[case].restore_image(row.reshape(8, 8)) for row in rows]
        )
        assert images.dtype == dtype
        rounding = 1e-5 if dtype == np.float32 else 1e-12
        np.testing.assert_allclose(
            images.reshape(X.shape), fitted[case].transform(rows), atol=rounding
        )

    @pytest.mark.parametrize("case", ["local", "image gaps", "enlarged", "colour"])
    @pytest.mark.parametrize("shape", [(40, 33), (7, 50), (1, 1), (16, 16)])
    def test_tiles_leave_no_trace(
        self, fitted: dict, monkeypatch, case: str, shape: tuple[int, int]
    ) -> None:
        image = np.random.RandomState(0).uniform(size=shape)
        denoiser = fitted.get(case)
        if case == "enlarged":
            denoiser = DenoisingTransformer(network=IMAGES, start="local", **QUICK)
            denoiser.fit(halved(X), X_clean=X)
        if case == "colour":
            network = ConvolutionalNetwork((4, 8, 2), channels=(4, 4))
            denoiser = DenoisingTransformer(network=network, start="local", **QUICK)
            denoiser.fit(X)
            image = np.stack([image, 1 - image], axis=-1)
        if case == "image gaps":
            image = with_gaps(image)
        whole = denoiser.restore_image(image)
        factor = 2 if case == "enlarged" else 1
        assert whole.shape == (shape[0] * factor, shape[1] * factor, *image.shape[2:])
        assert np.isfinite(whole).all()
        monkeypatch.setattr(skae._restoration, "_TILE", 16)
        np.testing.assert_allclose(denoiser.restore_image(image), whole, atol=1e-12)

    def test_one_channel_may_be_said(self, fitted: dict) -> None:
        image = X[0].reshape(8, 8)
        restored = fitted["local"].restore_image(image[..., None])
        assert restored.shape == (8, 8, 1)
        plain = fitted["local"].restore_image(image)
        assert np.array_equal(restored[..., 0], plain)


class TestTools:
    def test_clean_rows_are_routed_through_a_pipeline(self) -> None:
        expected = DenoisingTransformer(**QUICK).fit(halved(X), X_clean=X)
        with sklearn.config_context(enable_metadata_routing=True):
            denoiser = DenoisingTransformer(**QUICK).set_fit_request(X_clean=True)
            pipeline = make_pipeline(FunctionTransformer(halved), denoiser)
            pipeline.fit(X, X_clean=X)
            np.testing.assert_array_equal(
                pipeline.transform(X), expected.transform(halved(X))
            )
            before = make_pipeline(clone(denoiser), LogisticRegression(max_iter=1000))
            before.fit(halved(X), load_digits().target[:120], X_clean=X)
            assert before.score(halved(X), load_digits().target[:120]) > 0.9

    def test_grid_search(self) -> None:
        search = GridSearchCV(
            DenoisingTransformer(noise=GaussianNoise(), network=IMAGES, **QUICK),
            {"network__channels": [(2,)], "noise__strength": [0.01, 0.5]},
            cv=2,
        ).fit(X)
        # Of little noise, little is left.
        assert search.best_params_["noise__strength"] == 0.01


@settings(few, max_examples=25)
@given(
    X=small_tables(),
    spec=st.sampled_from(["auto", MaskingNoise(0.5), GAPS]),
    start=st.sampled_from(["auto", "identity", "linear"]),
)
def test_small_and_degenerate_tables(X: np.ndarray, spec, start: str) -> None:
    denoiser = DenoisingTransformer(
        noise=spec, start=start, hidden_layer_sizes=(8,), **QUICK
    ).fit(X)
    restored = denoiser.transform(with_gaps(X) if spec is GAPS else X)
    assert restored.shape == X.shape
    assert np.isfinite(restored).all()
    assert np.isfinite(denoiser.score(X))
