"""What classical methods expect in the gaps of a row."""

from __future__ import annotations

from collections.abc import Callable

import torch

from skae._starts import ConditionalGaussian, NearestMean

_WORTH = 200  # hidden values of a column that count as much as all other columns

_SHARES = torch.linspace(0, 1, 11, dtype=torch.float64)


class ConditionalStart:
    """Conditional mean of a Gaussian, mixed with the mean of the nearest rows.

    Each column has its own share of the nearest rows: the one with the least loss on
    values that are known and were hidden, or on those of all columns where few were.

    Attributes
    ----------
    gaussian : ConditionalGaussian
    nearest : NearestMean
    share : tensor of shape (n_features,)
        Share of the nearest rows in the fill of each column, in [0, 1].
    """

    def __init__(self, gaussian: ConditionalGaussian, nearest: NearestMean) -> None:
        self.gaussian = gaussian
        self.nearest = nearest
        self.share = torch.zeros_like(gaussian.mean_)

    def fit_share(
        self,
        gaussian_fill: torch.Tensor,
        nearest_fill: torch.Tensor,
        truth: torch.Tensor,
        hidden: torch.Tensor,
        pointwise: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    ) -> ConditionalStart:
        """Find the shares from two fills of the same hidden values."""
        loss = torch.stack(
            [
                (
                    pointwise(gaussian_fill.lerp(nearest_fill, share), truth) * hidden
                ).sum(0)
                for share in _SHARES
            ]
        )
        of_all = loss.sum(1, keepdim=True) / hidden.sum().clamp(min=1)
        self.share = _SHARES[(loss + _WORTH * of_all).argmin(0)]
        return self

    def fill(self, rows: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
        """Return rows whose gaps hold what is expected there."""
        expected = self.gaussian.fill(rows, observed)
        return self.mix(expected, self.nearest.fill(rows, observed))

    def mix(
        self, gaussian_fill: torch.Tensor, nearest_fill: torch.Tensor
    ) -> torch.Tensor:
        return torch.lerp(gaussian_fill, nearest_fill, self.share)
