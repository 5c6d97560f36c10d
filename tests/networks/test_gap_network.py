"""The encoding of values and the network of the imputer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skae.estimators.imputer._module import GapNetwork, QuantileEncoding


@pytest.fixture
def encoding() -> QuantileEncoding:
    x = torch.linspace(0, 4, 101, dtype=torch.float64)
    rows = torch.stack([x, torch.full_like(x, 7.0)], dim=1)
    return QuantileEncoding(rows, torch.ones(rows.shape, dtype=torch.bool), n_bins=4)


def test_bins_fill_from_left_to_right(encoding: QuantileEncoding) -> None:
    x = torch.tensor([[-1.0, 0.0], [1.5, 7.0], [9.0, 9.0]], dtype=torch.float64)
    constant = [0, 0, 0, 0]
    expected = [
        [0, 0, 0, 0, *constant],
        [1, 0.5, 0, 0, *constant],
        [1, 1, 1, 1, *constant],
    ]
    np.testing.assert_allclose(encoding(x), expected, atol=1e-12)


def test_gaps_do_not_count_in_the_quantiles() -> None:
    rows = torch.tensor([[0.0], [1.0], [99.0]], dtype=torch.float64)
    observed = torch.tensor([[True], [True], [False]])
    encoding = QuantileEncoding(rows, observed, n_bins=1)
    np.testing.assert_allclose(encoding(torch.tensor([[0.5]]).double()), [[0.5]])


def test_begins_at_no_correction(encoding: QuantileEncoding) -> None:
    network = GapNetwork(
        encoding, (5, 3), "silu", members=3, generator=torch.Generator().manual_seed(0)
    )
    x = torch.randn(1, 6, 2, dtype=torch.float64)
    output = network({"input": x, "observed": torch.ones_like(x)})["output"]
    np.testing.assert_array_equal(output.detach(), np.zeros((3, 6, 2)))


def test_weight_scales_the_correction(encoding: QuantileEncoding) -> None:
    generator = torch.Generator().manual_seed(0)
    network = GapNetwork(encoding, (5,), "tanh", members=1, generator=generator)
    torch.nn.init.ones_(network.layers[-1].weight)
    x = torch.randn(1, 6, 2, dtype=torch.float64)
    batch = {"input": x, "observed": torch.ones_like(x)}
    whole = network(batch)["output"]
    network.weight = 0.25
    torch.testing.assert_close(network(batch)["output"], 0.25 * whole)


def test_hidden_layer_sizes_are_checked(encoding: QuantileEncoding) -> None:
    with pytest.raises(ValueError, match="positive integers"):
        GapNetwork(encoding, (0,), "silu", members=1, generator=torch.Generator())
