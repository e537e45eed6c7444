"""The page at the gateway's address: it tells how the gateway is, and leads on."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.end_to_end.browser.conftest import Visit
from tests.end_to_end.browser.test_every_page import LOOKS, looks_right
from tests.support.chromium import Watch, Window


@pytest.mark.parametrize(("window", "scheme"), LOOKS)
def test_it_fits_and_asks_no_other_host(visit: Visit, watch: Watch, window: Window, scheme: str) -> None:
    page = visit(None, window, scheme)
    page.goto("/")
    expect(page.locator("h2 .good")).to_have_text("ready")
    looks_right(page, window, scheme)
    assert watch.take() == []


@pytest.mark.parametrize(("link", "there"), [("Admin", "#id_username"), ("API docs", ".opblock >> nth=0")])
def test_it_leads_on(visit: Visit, link: str, there: str) -> None:
    page = visit(None)
    page.goto("/")
    page.get_by_role("link", name=link).click()
    expect(page.locator(there)).to_be_visible()
