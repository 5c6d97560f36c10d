"""What a user has set for all of torch changes no fit and no prediction.

The laws hold for all estimators and for all that a fitted one returns, bit for bit, and
the settings are afterwards what they were.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from torch import nn

from skae import (
    AutoencoderTransformer,
    DenoisingImputer,
    DenoisingTransformer,
    ReconstructionOutlierDetector,
)
from skae.networks import TorchNetwork
from tests.laws._estimators import EVERY_INSTANCE, QUICK, each, rows
from tests.laws._recorder import assert_equal, results, with_gaps


class Shifted(nn.Linear):
    """A layer whose forward makes a tensor of no dtype, as those of users do."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x + torch.linspace(0, 1 / 3, x.shape[-1]))


SHIFTED = {"network": TorchNetwork(Shifted, Shifted), "hidden_layer_sizes": "auto"}
every_instance = each(
    EVERY_INSTANCE
    | {
        f"{kind.__name__}-Shifted": kind(**QUICK | SHIFTED)
        for kind in (AutoencoderTransformer, ReconstructionOutlierDetector)
    }
)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def default_device(device: str) -> Iterator[None]:
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextmanager
def matmul_precision(precision: str) -> Iterator[None]:
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision("highest")


#: What users of torch set, several at a time where they do not hide each other.
SETTINGS: dict[str, Callable[[], list[Any]]] = {
    "inference mode and medium": lambda: [
        torch.inference_mode(),
        matmul_precision("medium"),  # on some CPUs, products are in bfloat16
    ],
    "device context and float64": lambda: [
        torch.device("meta"),
        default_dtype(torch.float64),
    ],
    "default device, autocast and bfloat16": lambda: [
        default_device("meta"),
        torch.autocast("cpu", dtype=torch.bfloat16),
        default_dtype(torch.bfloat16),
    ],
    "no gradients, deterministic and float16": lambda: [
        torch.no_grad(),
        deterministic(),
        default_dtype(torch.float16),
    ],
}


@contextmanager
def changed(setting: str) -> Iterator[None]:
    with ExitStack() as stack:
        for context in SETTINGS[setting]():
            stack.enter_context(context)
        yield


def state() -> dict[str, object]:
    return {
        "numbers": torch.get_rng_state().tolist(),
        "dtype": torch.get_default_dtype(),
        "products": torch.get_float32_matmul_precision(),
        "device": torch.get_default_device(),
        "new tensors": torch.empty(0).device,
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "autocast to": torch.get_autocast_dtype("cpu"),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "anomalies": torch.is_anomaly_enabled(),
    }


def table(estimator: BaseEstimator) -> np.ndarray:
    return with_gaps(rows()) if isinstance(estimator, DenoisingImputer) else rows()


def everything(fitted: BaseEstimator) -> dict[str, Any]:
    """All that a fitted estimator returns."""
    X = table(fitted)
    returned = results(fitted, X)
    match fitted:
        case AutoencoderTransformer():
            returned["inverse_transform"] = fitted.inverse_transform(
                fitted.transform(X)
            )
            returned["score"] = fitted.score(X)
            if fitted.start is None and not isinstance(fitted.network, TorchNetwork):
                returned["filters"] = fitted.filters()
        case DenoisingTransformer():
            # In the precision that autocast would lower.
            X = X.astype(np.float32)
            returned["score"] = fitted.score(X)
            if fitted.start_ == "local":
                returned["restore_image"] = fitted.restore_image(X)
        case DenoisingImputer():
            returned["sample"] = fitted.sample(X, n_draws=2, random_state=0)
        case ReconstructionOutlierDetector():
            returned["predict"] = fitted.predict(X)
            returned["threshold"] = fitted.threshold(0.3)
    return returned


def fit(estimator: BaseEstimator) -> BaseEstimator:
    return clone(estimator).fit(table(estimator))


@pytest.fixture(scope="module")
def outside() -> Callable[[BaseEstimator], tuple[BaseEstimator, dict[str, Any]]]:
    """A fit where nothing is set, and what it returns."""
    known: dict[str, tuple[BaseEstimator, dict[str, Any]]] = {}

    def of(estimator: BaseEstimator) -> tuple[BaseEstimator, dict[str, Any]]:
        name = str(estimator)
        if name not in known:
            fitted = fit(estimator)
            known[name] = fitted, everything(fitted)
        return known[name]

    return of


@pytest.mark.parametrize("setting", SETTINGS)
@every_instance
def test_fit_and_predict(
    estimator: BaseEstimator, outside: Callable, setting: str
) -> None:
    """Both inside, and one outside of what is set."""
    fitted, expected = outside(estimator)  # before anything is set
    with changed(setting):
        before = state()
        fitted_inside = fit(estimator)
        assert state() == before
        all_inside, predicted_inside = everything(fitted_inside), everything(fitted)
        assert state() == before
    assert_equal(all_inside, expected)
    assert_equal(predicted_inside, expected)
    assert_equal(everything(fitted_inside), expected)


@every_instance
def test_what_was_learned_in_inference_mode_is_like_any_other(
    estimator: BaseEstimator, outside: Callable
) -> None:
    """It can be pickled, copied and trained on."""
    _, expected = outside(estimator)
    with torch.inference_mode():
        fitted = fit(estimator)
    tensors = [*fitted.module_.parameters(), *fitted.module_.buffers()]
    assert tensors
    assert not any(tensor.is_inference() for tensor in tensors)
    for same in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        assert_equal(everything(same), expected)
    assert_equal(everything(fitted.fit(table(estimator))), expected)


def test_pickles_are_read_under_another_default_device(outside: Callable) -> None:
    for estimator in EVERY_INSTANCE.values():
        fitted, expected = outside(estimator)
        kept = pickle.dumps(fitted)
        with torch.device("meta"):
            assert_equal(everything(pickle.loads(kept)), expected)


@pytest.mark.filterwarnings("ignore:Anomaly Detection:UserWarning")
def test_detection_of_anomalies() -> None:
    """It takes longer, and finds none."""
    plain = fit(reducer := AutoencoderTransformer(**QUICK, start=None))
    with torch.autograd.detect_anomaly():
        before = state()
        watched = fit(reducer)
        assert state() == before
    assert_equal(everything(watched), everything(plain))


def test_a_fit_that_fails_leaves_the_settings() -> None:
    for setting in SETTINGS:
        with changed(setting):
            before = state()
            with pytest.raises(ValueError, match="NaN"):
                AutoencoderTransformer().fit(np.full((30, 3), np.nan))
            assert state() == before
