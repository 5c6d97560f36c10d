"""The rows that are nearest in what is observed, and what they hold in the gaps."""

from __future__ import annotations

import torch

_UNIT = 0.3  # of the least squared distance
_ROUNDING = 1e-2  # squared distance below which rows are as good as equal
_FAR = 1e30
_NEGLIGIBLE = 50.0  # exp(-50) beside a weight of at least exp(-4)
_BLOCK = 2**18  # distances that are worked on at a time


class NearestMean:
    """Fills gaps with a weighted mean of the rows that are nearest to a row.

    Distances are those of the observed values. A weight falls exponentially with the
    squared distance, in units of 0.3 times that of the nearest row. Weights are smooth,
    so that rows at equal distances need no order.

    References
    ----------
    .. [1] O. Troyanskaya et al., "Missing value estimation methods for DNA
       microarrays", Bioinformatics 17, 2001.
    """

    def fit(self, rows: torch.Tensor) -> NearestMean:
        """Store complete rows ``(n_rows, n_features)``, standardised."""
        self.rows = rows
        self._keys = torch.cat([-2 * rows, rows.square()], dim=1).T.contiguous()
        # The column of ones sums the weights up in the product that takes the means.
        self._values = torch.cat([rows, torch.ones_like(rows[:, :1])], dim=1)
        return self

    def fill(
        self,
        rows: torch.Tensor,
        observed: torch.Tensor,
        own: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return rows whose gaps hold the weighted means.

        Parameters
        ----------
        rows : tensor of shape (n_samples, n_features)
            Rows that hold any finite number in their gaps.
        observed : tensor of shape (n_samples, n_features)
            Where they are no gaps.
        own : tensor of shape (n_samples,) or None
            Which of the stored rows is the row itself and must not fill its own gaps;
            -1 if none is.
        """
        if own is None:
            own = torch.full((len(rows),), -1)
        filled = torch.empty_like(rows)
        size = max(1, _BLOCK // len(self.rows))
        for part in (slice(i, i + size) for i in range(0, len(rows), size)):
            weights = self._weights(rows[part], observed[part], own[part])
            sums, total = (weights @ self._values).split((rows.shape[1], 1), dim=1)
            filled[part] = torch.where(observed[part], rows[part], sums / total)
        return filled

    def _weights(
        self, rows: torch.Tensor, observed: torch.Tensor, own: torch.Tensor
    ) -> torch.Tensor:
        known = rows * observed
        queries = torch.cat([known, observed.to(rows.dtype)], dim=1)
        size = known.square().sum(1, keepdim=True)
        distance = torch.addmm(size, queries, self._keys)
        stored = (own >= 0).nonzero()[:, 0]
        distance[stored, own[stored]] = _FAR
        # Rounding may leave a distance of less than nothing.
        unit = _UNIT * distance.amin(1, keepdim=True).clamp_(min=0) + _ROUNDING
        # Weights too small to matter would be slow to compute with.
        return distance.mul_(-1 / unit).clamp_(-_NEGLIGIBLE, 0).exp_()
