"""Dates and durations are refused in one sentence, in whatever they come."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator

from skae import DenoisingTransformer
from skae.networks import ConvolutionalNetwork
from tests.laws._estimators import ESTIMATORS, QUICK, rows

DAYS = pd.Series(pd.date_range("2020-01-01", periods=60))
NUMBERS = np.arange(60.0)
METHODS = ["fit", "transform", "inverse_transform", "score", "predict", "explain"]
METHODS += ["reconstruct", "imputation_std", "sample", "score_samples", "fit_predict"]


def beside_numbers(dates: Any) -> pd.DataFrame:
    return pd.DataFrame({"size": NUMBERS, "sent": dates})


def with_missing(dates: pd.Series) -> pd.Series:
    return dates.where(NUMBERS != 7)


def in_polars(dates: Any) -> pl.DataFrame:
    return pl.DataFrame({"size": NUMBERS, "sent": dates})


ONE_DAY = DAYS.dt.to_pydatetime().tolist()
#: Name of a form: a table, and how the columns that hold dates are named.
FORMS: dict[str, tuple[Any, str]] = {
    "dates": (pd.DataFrame({"sent": DAYS}), "column 'sent'"),
    "missing date": (pd.DataFrame({"sent": with_missing(DAYS)}), "column 'sent'"),
    "two": (pd.DataFrame({"a": DAYS, "b": DAYS}), "columns 'a', 'b'"),
    "date beside numbers": (beside_numbers(DAYS), "column 'sent'"),
    "duration": (beside_numbers(DAYS - DAYS[0]), "column 'sent'"),
    "time zone": (beside_numbers(DAYS.dt.tz_localize("UTC")), "column 'sent'"),
    "period": (beside_numbers(DAYS.dt.to_period("D")), "column 'sent'"),
    "arrow": (beside_numbers(DAYS.astype("timestamp[s][pyarrow]")), "column 'sent'"),
    "arrow day": (beside_numbers(DAYS.astype("date32[day][pyarrow]")), "column 'sent'"),
    "arrow table": (pa.Table.from_pandas(beside_numbers(DAYS)), "column 'sent'"),
    "arrow dictionary": (
        pa.table({"size": NUMBERS, "sent": pa.array(DAYS).dictionary_encode()}),
        "column 'sent'",
    ),
    "category": (beside_numbers(DAYS.astype("category")), "column 'sent'"),
    "object": (beside_numbers(DAYS.astype(object)), "column 'sent'"),
    "NaT among numbers": (
        beside_numbers([pd.NaT, *NUMBERS[1:]]).astype(object),
        "column 'sent'",
    ),
    "numbered columns": (pd.DataFrame({0: NUMBERS, 1: DAYS}), "column 1"),
    "polars date": (in_polars(DAYS.dt.date), "column 'sent'"),
    "polars datetime": (in_polars(ONE_DAY), "column 'sent'"),
    "polars duration": (in_polars((DAYS - DAYS[0]).tolist()), "column 'sent'"),
    "polars time": (in_polars([datetime.time(9)] * 60), "column 'sent'"),
    "polars dates alone": (pl.DataFrame({"sent": ONE_DAY}), "column 'sent'"),
    "polars object": (
        pl.DataFrame({"sent": pl.Series(ONE_DAY, dtype=pl.Object)}),
        "column 'sent'",
    ),
    "numpy dates": (DAYS.to_numpy().reshape(30, 2), "columns 0, 1"),
    "numpy durations": ((DAYS - DAYS[0]).to_numpy()[:, None], "column 0"),
    "numpy object": (beside_numbers(DAYS).to_numpy(), "column 1"),
    "numpy values": (
        np.array([[1.0, np.datetime64("2020-01-01", "ns")]] * 60, dtype=object),
        "column 1",
    ),
    "numpy periods": (DAYS.dt.to_period("D").to_numpy()[:, None], "column 0"),
    "list": ([[1.0, day] for day in ONE_DAY], "column 1"),
    "list of dates": ([[np.datetime64("2020-01-01", "ns")]] * 60, "column 0"),
}

each_estimator = pytest.mark.parametrize("kind", ESTIMATORS)


@cache
def fitted(kind: type) -> BaseEstimator:
    return kind(**QUICK).fit(rows())


@pytest.mark.parametrize("form", FORMS)
@each_estimator
def test_every_method_says_what_to_do(kind: type, form: str) -> None:
    X, columns = FORMS[form]
    estimator = fitted(kind)
    for name in METHODS:
        method: Callable | None = getattr(estimator, name, None)
        if method is None:
            continue
        with pytest.raises(ValueError, match="has dates or durations in the") as error:
            method(X)
        assert f"in the {columns}; convert them to numbers" in str(error.value)


@pytest.mark.parametrize("form", FORMS)
def test_clean_rows(form: str) -> None:
    X, columns = FORMS[form]
    degraded = np.zeros((len(X), 1))
    message = f"X_clean has dates or durations in the {columns};"
    with pytest.raises(ValueError, match=message):
        DenoisingTransformer(noise=None).fit(degraded, X_clean=X)


def test_images() -> None:
    image = np.zeros((4, 7), dtype="datetime64[ns]")
    network = ConvolutionalNetwork((4, 7), channels=(4,))
    restorer = DenoisingTransformer(network=network, start="local", max_iter=1)
    with pytest.raises(ValueError, match="image has dates or durations"):
        restorer.fit(rows()).restore_image(image)


def test_of_many_columns_the_first_are_named() -> None:
    X = np.zeros((60, 8), dtype="timedelta64[s]")
    with pytest.raises(ValueError, match="columns 0, 1, 2, 3, 4 and 3 more;"):
        fitted(DenoisingTransformer).transform(X)


@each_estimator
def test_the_remedy_works(kind: type) -> None:
    """A missing date becomes a missing value."""
    dates = with_missing(DAYS)
    days = (dates - dates.min()) / np.timedelta64(1, "D")
    assert days.isna().sum() == 1
    table = beside_numbers(days.fillna(0.0))
    table["more"] = rows()[:, 5]
    kind(**QUICK).fit(table)


@each_estimator
def test_other_objects_are_none_of_its_business(kind: type) -> None:
    """Numbers in columns of objects, and what is no table at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind(**QUICK).fit(rows().astype(object))
        kind(**QUICK).fit(pd.DataFrame(rows()).astype(object))
        kind(**QUICK).fit(pl.DataFrame(rows()))
    for X in ([[1.0], [1.0, 2.0]], [["a"], ["b"]], None, 3.0, np.empty((0, 3))):
        with pytest.raises((TypeError, ValueError)) as error:
            kind(**QUICK).fit(X)
        assert "dates" not in str(error.value)
