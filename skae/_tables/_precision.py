"""Products of float32 are float32, whatever a user has allowed torch to make of them.

``torch.set_float32_matmul_precision("medium")`` lets a CPU multiply in bfloat16, in the
whole process.
"""

from __future__ import annotations

from typing import Any

import torch

from skae._tables._shared import SharedChange


class _Exact(SharedChange):
    """Makes operations of oneDNN exact, one by one."""

    def __init__(self, operations: list[Any]) -> None:
        super().__init__()
        self._operations = operations

    def change(self) -> None:
        self._before = []
        for operation in self._operations:
            allowed = operation.fp32_precision
            if allowed not in ("ieee", "none"):
                self._before.append((operation, allowed))
                operation.fp32_precision = "ieee"

    def put_back(self) -> None:
        for operation, allowed in reversed(self._before):
            operation.fp32_precision = allowed


class _ExactProducts(SharedChange):
    """Makes products of matrices exact."""

    def change(self) -> None:
        self._before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")

    def put_back(self) -> None:
        torch.set_float32_matmul_precision(self._before)


#: Inside of this, products of float32 are exact on the CPU.
exact_float32: SharedChange
try:
    onednn: Any = torch.backends.mkldnn
    # The first is what the others are if they are nothing of their own.
    exact_float32 = _Exact([torch.backends, onednn.matmul, onednn.conv, onednn.rnn])
except AttributeError:  # before torch 2.9, which has one setting for all
    exact_float32 = _ExactProducts()
