"""What the benchmarks share: their command line, their tables, their threads."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import torch
from threadpoolctl import threadpool_limits


def command_line(description: str) -> argparse.ArgumentParser:
    """Return a parser with the option that every benchmark has."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="also write the tables to FOLDER, as reStructuredText",
    )
    return parser


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Hold torch and the linear algebra under numpy to `count` threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        torch.set_num_threads(before)


def publish(
    name: str, sections: list[tuple[str, pd.DataFrame]], output: Path | None
) -> None:
    """Print tables, each below the text that explains it, and write them to a file."""
    parts = [f"{text}\n\n{_table(frame)}" for text, frame in sections]
    report = "\n\n".join([*parts, _machine()]) + "\n"
    print(f"\n{report}")
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        path = output / f"{name}.rst"
        path.write_text(report, encoding="utf-8")
        print(f"Written to {path}.")


def _table(frame: pd.DataFrame) -> str:
    is_number = [pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]
    return frame.map(_cell).to_markdown(
        index=False,
        tablefmt="rst",
        disable_numparse=True,
        colalign=["right" if number else "left" for number in is_number],
    )


def _cell(value: object) -> str:
    if not isinstance(value, Real):
        return str(value)
    if np.isnan(value):
        return ""
    if isinstance(value, Integral):
        return f"{value:,}"
    decimals = 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value:,.{decimals}f}"


def _machine() -> str:
    return (
        f"Measured on {os.cpu_count()} {platform.machine()} cores with Python "
        f"{platform.python_version()}, scikit-learn {sklearn.__version__} and torch "
        f"{torch.__version__}."
    )
