"""The HTML representation of an estimator links to its page."""

from __future__ import annotations

from email.message import Message
from importlib import metadata

import pytest

from skae import AutoencoderTransformer, ReconstructionOutlierDetector
from skae._base._documentation import page_template

SITE = "https://docs.example.org/skae"


@pytest.fixture
def stated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Message()
    for url in request.param:
        told["Project-URL"] = url
    monkeypatch.setattr(metadata, "metadata", lambda name: told)
    page_template.cache_clear()
    yield
    page_template.cache_clear()


@pytest.mark.parametrize("stated", [[f"Documentation, {SITE}/"]], indirect=True)
@pytest.mark.usefixtures("stated")
@pytest.mark.parametrize(
    "estimator", [AutoencoderTransformer, ReconstructionOutlierDetector]
)
def test_leads_to_the_page_of_the_estimator(estimator: type) -> None:
    page = f"{SITE}/generated/skae.{estimator.__name__}.html"
    assert f'href="{page}"' in estimator()._repr_html_()


@pytest.mark.parametrize("stated", [[], ["Source, https://example.org"]], indirect=True)
@pytest.mark.usefixtures("stated")
def test_without_an_address_there_is_no_link() -> None:
    assert "generated/skae." not in AutoencoderTransformer()._repr_html_()
