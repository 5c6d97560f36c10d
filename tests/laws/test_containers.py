"""Data frames in, data frames out, and names on the way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skae import (
    AutoencoderTransformer,
    DenoisingImputer,
    ReconstructionOutlierDetector,
)
from tests.laws._estimators import (
    METHODS,
    QUICK,
    each_instance,
    each_reducer,
    each_transformer,
    rows,
)

NAMES = [f"pixel {j}" for j in range(rows().shape[1])]
INDEX = [f"digit {i}" for i in range(len(rows()))]


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(rows(), columns=NAMES, index=INDEX)


@each_transformer
def test_pandas(estimator: BaseEstimator, frame: pd.DataFrame) -> None:
    fitted = clone(estimator).fit(frame)
    plain = fitted.transform(frame)
    named = fitted.set_output(transform="pandas").transform(frame)
    assert isinstance(plain, np.ndarray)
    assert isinstance(named, pd.DataFrame)
    assert np.array_equal(named.to_numpy(), plain)
    assert named.index.tolist() == INDEX
    assert named.columns.tolist() == fitted.get_feature_names_out().tolist()


@each_transformer
def test_polars(estimator: BaseEstimator, frame: pd.DataFrame) -> None:
    polars = pl.DataFrame(rows(), schema=NAMES)
    fitted = clone(estimator).set_output(transform="polars")
    named = fitted.fit_transform(polars)
    assert isinstance(named, pl.DataFrame)
    assert np.array_equal(named.to_numpy(), clone(estimator).fit_transform(rows()))
    assert named.columns == fitted.get_feature_names_out().tolist()
    assert fitted.feature_names_in_.tolist() == NAMES


@each_reducer
def test_names_are_numbered_like_those_of_pca(estimator: BaseEstimator) -> None:
    fitted = clone(estimator).set_params(n_components=3).fit(rows())
    prefix = type(estimator).__name__.lower()
    assert fitted.get_feature_names_out().tolist() == [f"{prefix}{j}" for j in range(3)]


@each_transformer
def test_names_pass_through_a_pipeline(
    estimator: BaseEstimator, frame: pd.DataFrame
) -> None:
    pipeline = make_pipeline(MinMaxScaler(), clone(estimator))
    named = pipeline.set_output(transform="pandas").fit(frame).transform(frame)
    assert pipeline[-1].feature_names_in_.tolist() == NAMES
    assert named.columns.tolist() == pipeline.get_feature_names_out().tolist()


#: What has a value for each feature of X: by the kind of estimator, methods.
TABLES = {
    AutoencoderTransformer: ["reconstruct"],
    ReconstructionOutlierDetector: ["explain", "reconstruct"],
    DenoisingImputer: ["imputation_std"],
}
each_table = pytest.mark.parametrize(
    "kind, method", [(kind, method) for kind in TABLES for method in TABLES[kind]]
)


@each_table
@pytest.mark.parametrize("how", ["set_output", "set_output before", "config"])
def test_pandas_table_of_features(
    kind: type, method: str, how: str, frame: pd.DataFrame
) -> None:
    """With the names and the index of X."""
    plain = getattr(kind(**QUICK).fit(frame), method)(frame)
    assert isinstance(plain, np.ndarray)
    estimator, asked = kind(**QUICK), "pandas" if how == "config" else None
    if how == "set_output before":
        estimator = clone(estimator.set_output(transform="pandas"))
    fitted = estimator.fit(frame)
    if how == "set_output":
        fitted.set_output(transform="pandas")
    with sklearn.config_context(transform_output=asked or "default"):
        named = getattr(fitted, method)(frame)
    assert isinstance(named, pd.DataFrame)
    assert np.array_equal(named.to_numpy(), plain)
    assert named.columns.tolist() == NAMES
    assert named.index.tolist() == INDEX
    back = fitted.set_output(transform="default")
    assert isinstance(getattr(back, method)(frame), np.ndarray)
    assert back.set_output() is back


@each_table
def test_polars_table_of_features(kind: type, method: str) -> None:
    """Also of an array, whose columns have no names."""
    fitted = kind(**QUICK).fit(rows()).set_output(transform="polars")
    named = getattr(fitted, method)(rows())
    assert isinstance(named, pl.DataFrame)
    assert named.columns == [f"x{j}" for j in range(rows().shape[1])]


def test_a_table_of_features_has_the_columns_that_are_kept(frame: pd.DataFrame) -> None:
    frame["pixel 0"] = np.nan
    imputer = DenoisingImputer(**QUICK).set_output(transform="pandas").fit(frame)
    assert imputer.imputation_std(frame).columns.tolist() == NAMES[1:]


@each_instance
def test_other_names_are_refused(estimator: BaseEstimator, frame: pd.DataFrame) -> None:
    fitted = clone(estimator).fit(frame)
    renamed = frame.rename(columns={"pixel 0": "pixel zero"})
    for name in METHODS[type(estimator).__name__]:
        for other in (renamed, frame[NAMES[::-1]]):
            with pytest.raises(ValueError, match="feature names should match"):
                getattr(fitted, name)(other)
