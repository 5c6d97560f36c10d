"""scikit-learn's checks once more, with its array dispatch made possible."""

import os
import subprocess
import sys
from pathlib import Path


def test_checks_hold_with_scipy_array_api() -> None:
    # scipy reads the variable while it is imported, so another process has to.
    root = Path(__file__).parents[2]
    checks = Path(__file__).with_name("test_estimator_checks.py")
    # Those that set max_iter: defaults take longer, but no other path. Nor do strips.
    quick = [str(checks), "-k", "max_iter and not Strips"]
    command = [sys.executable, "-m", "pytest", "-q", "-x", *quick]
    result = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-p", "no:xdist"],
        cwd=root,
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
