"""Where the documentation of an estimator is, for its HTML representation."""

from __future__ import annotations

import functools
from importlib import metadata

_LABEL = "documentation, "  # in front of an address in the metadata of a package


@functools.cache
def page_template() -> str:
    """Address of the page of an estimator; empty as long as the package states none.

    It is the one that ``pyproject.toml`` gives for the documentation.
    """
    try:
        urls = metadata.metadata("skae").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:  # a source tree that is not installed
        urls = []
    for url in urls:
        if url.lower().startswith(_LABEL):
            site = url[len(_LABEL) :].strip().rstrip("/")
            return site + "/generated/skae.{estimator_name}.html"
    return ""
