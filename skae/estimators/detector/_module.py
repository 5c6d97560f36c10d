"""Networks that predict features of a row from its other features."""

from __future__ import annotations

from typing import Any

import torch

from skae._training import Tensors
from skae.networks import Network, NetworkModule
from skae.networks._pullback import Differentiable, Gradients

_BLOCKS = 4


class MaskedAutoencoder(Differentiable):
    """A network that sees the visible features of a row, and which ones these are.

    For judging a row, the features are dealt into blocks, anew for each member; a block
    is predicted from those before it and the first from nothing. So a row is judged on
    every feature once, given some, many or none of the others, which adds up to its
    joint plausibility. A bottleneck is not needed: what is hidden cannot be copied.

    Parameters
    ----------
    network : NetworkModule
        From visible features and where they are, ``2 * n_features``, to all features.
    blocks : tensor of int of shape (members, n_features)
        The block of each feature.
    """

    network: Any
    hidden: torch.Tensor
    visible: torch.Tensor

    def __init__(self, network: NetworkModule, blocks: torch.Tensor) -> None:
        super().__init__()
        self.network = network
        each = torch.arange(int(blocks.max()) + 1)[:, None]
        hidden, visible = blocks[:, None] == each, blocks[:, None] < each
        self.register_buffer("hidden", hidden[:, :, None].double())
        self.register_buffer("visible", visible[:, :, None].double())

    @classmethod
    def build(
        cls, network: Network, n_features: int, members: int, generator: torch.Generator
    ) -> MaskedAutoencoder:
        """Build the networks of all members and deal the features."""
        stack = network.build_map(
            (2 * n_features,), (n_features,), members=members, generator=generator
        ).double()
        stack.zero_output_()
        # float32 whatever torch's default is.
        draws = torch.empty(members, n_features, dtype=torch.float32)
        orders = draws.uniform_(generator=generator).argsort(dim=1)
        return cls(stack, orders * min(_BLOCKS, n_features) // n_features)

    def forward(
        self, batch: Tensors, generator: torch.Generator | None = None
    ) -> Tensors:
        """Predict all features from the ``visible`` ones.

        A batch that does not tell them is judged.
        """
        if "visible" not in batch:
            return {"output": self.expect(batch["input"])}
        return {"output": self._predict(batch["input"], batch["visible"])}

    def record(self, batch: Tensors) -> tuple[torch.Tensor, Any]:
        return self.network.record(_seen(batch["input"], batch["visible"]))

    def collect(self, gradient: torch.Tensor, kept: Any, gradients: Gradients) -> None:
        self.network.collect(gradient, kept, gradients)

    def expect(self, x: torch.Tensor) -> torch.Tensor:
        """Return every feature as it is predicted from the blocks before its own."""
        hidden, visible = self.hidden.unbind(1), self.visible.unbind(1)
        nothing = torch.zeros_like(visible[0])
        expected = hidden[0] * self._predict(nothing, nothing)
        expected = expected.repeat(1, x.shape[-2], 1)
        for block, before in zip(hidden[1:], visible[1:], strict=True):
            expected.addcmul_(block, self._predict(x, before))
        return expected

    def _predict(self, x: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.network(_seen(x, visible))
        return output


def _seen(x: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """Visible features, zeros elsewhere, and where they are."""
    seen = x * visible
    return torch.cat([seen, visible.expand_as(seen)], dim=-1)
