"""Where training runs."""

from __future__ import annotations

import pytest
import torch

from skae._training import available_device


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_one_that_is_there(device: str | torch.device) -> None:
    assert available_device(device) == torch.device("cpu")


@pytest.mark.parametrize("device", ["nowhere", "cuda:99", "meta"])
def test_one_that_is_not_there_is_told_before_any_work(device: str) -> None:
    message = f"device='{device}' is not available; set device='cpu'"
    with pytest.raises(ValueError, match=message):
        available_device(device)
