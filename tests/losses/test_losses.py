"""Losses: values computed by hand, links and domains."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skae import AutoencoderTransformer, DenoisingImputer, DenoisingTransformer
from skae.losses import LOSSES, Loss
from skae.losses._named import resolve_loss


@pytest.mark.parametrize(
    "name, output, target, expected",
    [
        ("squared_error", 3.0, 1.0, 4.0),
        ("absolute_error", -1.0, 1.5, 2.5),
        ("log_loss", 0.0, 1.0, math.log(2)),
        ("log_loss", 2.0, 0.25, math.log1p(math.exp(2.0)) - 0.25 * 2.0),
    ],
)
def test_value(name: str, output: float, target: float, expected: float) -> None:
    loss = LOSSES[name].pointwise(torch.tensor([output]), torch.tensor([target]))
    assert loss.item() == pytest.approx(expected)


@pytest.mark.parametrize("name", LOSSES)
def test_neither_reduced_nor_weighted(name: str) -> None:
    output, target = torch.randn(2, 5, 3), torch.rand(2, 5, 3)
    pointwise = LOSSES[name].pointwise
    loss = pointwise(output, target)
    assert loss.shape == output.shape
    one = pointwise(output[1, 4, 2], target[1, 4, 2])
    torch.testing.assert_close(loss[1, 4, 2], one)


@pytest.mark.parametrize("name", LOSSES)
def test_least_where_the_linked_output_is_the_target(name: str) -> None:
    loss = LOSSES[name]
    outputs = torch.linspace(-4, 4, 8001)
    target = torch.tensor(0.3)
    best = outputs[loss.pointwise(outputs, target.expand_as(outputs)).argmin()]
    assert loss.link(best).item() == pytest.approx(0.3, abs=1e-3)


def test_only_log_loss_is_bound_to_the_unit_interval() -> None:
    assert [name for name in LOSSES if LOSSES[name].unit_interval] == ["log_loss"]


def test_log_loss_is_finite_for_certain_outputs() -> None:
    logits = torch.tensor([-1e4, 1e4, -1e4, 1e4])
    targets = torch.tensor([0.0, 1.0, 1.0, 0.0])
    loss = LOSSES["log_loss"].pointwise(logits, targets)
    torch.testing.assert_close(loss, torch.tensor([0.0, 0.0, 1e4, 1e4]))


@pytest.mark.parametrize("name", LOSSES)
def test_a_name_stands_for_its_loss(name: str) -> None:
    assert resolve_loss(name) is LOSSES[name]


def test_a_loss_of_ones_own_stands_for_itself() -> None:
    """By default it bounds nothing, and may see neither rotated nor bounded rows."""
    own = Loss(lambda output, target: (output - target).abs() ** 1.5)
    assert resolve_loss(own) is own
    x = torch.randn(5)
    assert torch.equal(own.link(x), x)
    assert torch.equal(own.inverse_link(x), x)
    assert not own.rotation_invariant
    assert not own.unit_interval


POISSON = Loss(
    partial(torch.nn.functional.poisson_nll_loss, log_input=True, reduction="none"),
    link=torch.exp,
    inverse_link=torch.log,
)


class TestLink:
    """Where the output of a network is not on the scale of the features."""

    def test_counts_are_learned_on_their_own_scale(self) -> None:
        rng = np.random.RandomState(0)
        rates = np.exp(np.outer(rng.normal(size=300), [1, -1, 0.5, 1]))
        X = rng.poisson(3 * rates).astype(float)
        reducer = AutoencoderTransformer(
            2, start=None, loss=POISSON, max_iter=30, random_state=0
        ).fit(X)
        expected = reducer.reconstruct(X)
        assert expected.min() > 0
        assert reducer.score(X) > 0.6

    @pytest.mark.parametrize("loss", [POISSON, LOSSES["log_loss"]])
    def test_pca_cannot_be_the_start(self, loss: Loss) -> None:
        X = np.random.RandomState(0).uniform(size=(40, 4))
        with pytest.raises(ValueError, match="set start=None"):
            AutoencoderTransformer(2, loss=loss).fit(X)

    @pytest.mark.parametrize("estimator", [DenoisingImputer, DenoisingTransformer])
    @pytest.mark.parametrize("loss", [POISSON, LOSSES["log_loss"]])
    def test_is_refused_where_fills_are_added_to(
        self, estimator: type, loss: Loss
    ) -> None:
        X = np.random.RandomState(0).uniform(size=(40, 4))
        with pytest.raises(ValueError, match="must not have a link"):
            estimator(loss=loss).fit(X)


def test_a_loss_of_ones_own_is_minimised() -> None:
    """The same as the named one that it is a copy of."""
    X = np.random.RandomState(0).normal(size=(60, 5)) ** 3
    own = Loss(partial(torch.nn.functional.l1_loss, reduction="none"))
    for estimator in (
        AutoencoderTransformer(2, max_iter=3, random_state=0),
        DenoisingTransformer(max_iter=2, random_state=0),
        DenoisingImputer(max_iter=2, random_state=0),
    ):
        rows = X
        if isinstance(estimator, DenoisingImputer):
            gaps = np.random.RandomState(1).uniform(size=X.shape) < 0.2
            rows = np.where(gaps, np.nan, X)
        one, two = (
            clone(estimator).set_params(loss=loss).fit_transform(rows)
            for loss in (own, "absolute_error")
        )
        np.testing.assert_array_equal(one, two)
