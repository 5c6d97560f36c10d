"""Which of scikit-learn's checks run in which process."""

import os

import pytest


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    # Without the variable, the checks of array dispatch would skip themselves: they
    # run in the process that test_array_api.py starts.
    if os.environ.get("SCIPY_ARRAY_API"):
        return
    dispatch = [item for item in items if "check_array_api" in item.name]
    config.hook.pytest_deselected(items=dispatch)
    items[:] = [item for item in items if item not in dispatch]
