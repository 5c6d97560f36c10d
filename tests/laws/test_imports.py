"""A process imports no more than it needs: every worker of a search pays for it."""

from __future__ import annotations

import json
import subprocess
import sys

# scikit-learn and torch come first, with what they import themselves.
SCRIPT = """
import json, sys
import sklearn.ensemble, sklearn.model_selection, sklearn.pipeline, torch
from sklearn.datasets import load_iris

known = set(sys.modules)
import skae

X = load_iris().data
gaps = X.copy()
gaps[::5, 0] = float("nan")
for name in dir(skae):
    kind = getattr(skae, name)
    if isinstance(kind, type):
        kind(max_iter=1).fit(gaps if name == "DenoisingImputer" else X)
print(json.dumps(sorted(set(sys.modules) - known)))
"""
NEEDED = {"skae", "sklearn", "tqdm"}


def test_import_and_fits_add_nothing_but_the_package() -> None:
    """No compiler of torch, no computer algebra, no library of tables or plots."""
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        check=True,
        capture_output=True,
        text=True,
    )
    imported = json.loads(process.stdout)
    packages = {name.partition(".")[0] for name in imported}
    assert packages - NEEDED - sys.stdlib_module_names == set()
    assert sum(not name.startswith("skae") for name in imported) < 20
