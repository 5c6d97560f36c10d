"""``fit(noisy, clean)``: a table in the place of y is the clean rows."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skae import DenoisingTransformer
from skae.noise import GaussianNoise
from tests.estimators.denoiser._denoisers import QUICK, X, halved

SMALL = halved(X)
TRAIN, TEST = np.arange(80), np.arange(80, 120)


def denoiser(**params) -> DenoisingTransformer:
    return DenoisingTransformer(**QUICK | params)


@pytest.mark.parametrize("form", [np.asarray, pd.DataFrame, np.ndarray.tolist])
@pytest.mark.parametrize("degraded", [X**2, SMALL], ids=["same width", "smaller"])
def test_in_every_method(degraded: np.ndarray, form: Callable) -> None:
    by_name, by_place, clean = denoiser(), denoiser(), form(X)
    expected = by_name.fit_transform(degraded, X_clean=X)
    assert np.array_equal(by_place.fit(degraded, clean).transform(degraded), expected)
    assert np.array_equal(by_place.fit_transform(degraded, y=clean), expected)
    score = by_name.score(degraded, X_clean=X)
    assert by_place.score(degraded, clean) == score
    assert by_name.score(degraded, y=clean) == score


def test_its_names_are_those_of_restored_rows() -> None:
    clean = pd.DataFrame(X).add_prefix("pixel ")
    fitted = denoiser().fit(SMALL, clean)
    assert fitted.get_feature_names_out().tolist() == clean.columns.tolist()


def test_equal_to_the_degraded_rows_leaves_nothing_to_learn() -> None:
    fitted = denoiser(start="identity").fit(X, X)
    assert fitted.n_iter_ == 0
    np.testing.assert_allclose(fitted.transform(X), X, atol=1e-12)


def test_a_single_column_is_a_target_and_ignored() -> None:
    expected = denoiser().fit(X).transform(X)
    of_pairs = denoiser().fit(X, X_clean=X**2).transform(X)
    for y in (np.arange(len(X)), pd.DataFrame({"price": np.arange(len(X))})):
        fitted = denoiser().fit(X, y)
        assert np.array_equal(fitted.transform(X), expected)
        assert fitted.score(X, y) == fitted.score(X)
        assert np.array_equal(denoiser().fit_transform(X, y, X_clean=X**2), of_pairs)


def test_targets_beside_clean_rows_are_ignored() -> None:
    one = denoiser().fit_transform(X, X_clean=X**2)
    assert np.array_equal(denoiser().fit_transform(X, X[:, :3], X_clean=X**2), one)


def test_in_a_pipeline_and_a_search() -> None:
    """They split it as they split X, and pass it on."""
    alone = denoiser().fit(SMALL[TRAIN], X_clean=X[TRAIN])
    expected = alone.score(SMALL[TEST], X_clean=X[TEST])
    pipeline = make_pipeline(FunctionTransformer(), denoiser())
    pipeline.fit(SMALL[TRAIN], X[TRAIN])
    assert pipeline.score(SMALL[TEST], X[TEST]) == expected
    folds = [(TRAIN, TEST)]
    assert cross_val_score(denoiser(), SMALL, X, cv=folds).tolist() == [expected]
    search = GridSearchCV(denoiser(), {"max_iter": [2]}, cv=folds).fit(SMALL, X)
    assert search.best_score_ == expected
    assert search.score(SMALL[TEST], X[TEST]) > 0


def test_a_search_that_loses_the_clean_rows_says_what_to_do() -> None:
    """Without metadata routing, it passes X_clean to fit and not to score."""
    search = GridSearchCV(denoiser(), {"max_iter": [2]}, cv=2)
    with pytest.warns(UserWarning) as warned:
        search.fit(SMALL, X_clean=X)
    remedy = r"X_clean is missing.* to a search, as y: search\.fit\(noisy, clean\)"
    assert any(re.search(remedy, str(warning.message)) for warning in warned)


class TestRefused:
    def test_beside_clean_rows(self) -> None:
        for method in (
            denoiser().fit,
            denoiser().fit_transform,
            denoiser().fit(X).score,
        ):
            with pytest.raises(ValueError, match=r"y is a table .* pass one of them"):
                method(X, X, X_clean=X)

    def test_of_fewer_columns(self) -> None:
        with pytest.raises(ValueError, match=r"y has 3 columns, .* 64 .*FrozenEstimat"):
            denoiser().fit(X, X[:, :3])

    def test_of_another_number_of_rows(self) -> None:
        with pytest.raises(ValueError, match="X_clean has 8 rows, but X has 9"):
            denoiser().fit(X[:9], X[:8])

    def test_beside_a_noise(self) -> None:
        with pytest.raises(ValueError, match=r"noise=.* or a table as y, .*noise=None"):
            denoiser(noise=GaussianNoise()).fit(X, X)
