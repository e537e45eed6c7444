"""Every page of the admin, on a desk and a phone, light and dark: it fits, asks no other host, and nothing is wrong."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Page

from tests.end_to_end.browser.conftest import Visit
from tests.end_to_end.browser.content import PAGES, REFUSALS
from tests.support.chromium import DESKTOP, PHONE, Watch, Window
from tests.support.people import SUPERUSER, VIEWER
from tests.support.system import System

LOOKS = [
    pytest.param(window, scheme, id=f"{name}-{scheme}")
    for name, window in (("desktop", DESKTOP), ("phone", PHONE))
    for scheme in ("light", "dark")
]
#: What sticks out of the page, where nothing around it can be scrolled.
STICKING_OUT = """width => [...document.querySelectorAll('body *')].filter(element => {
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || (box.right <= width + 1 && box.left >= -1)) return false;
    if (!element.checkVisibility({visibilityProperty: true, opacityProperty: true})) return false;
    for (let around = element; around; around = around.parentElement)
        if (getComputedStyle(around).overflowX !== 'visible') return false;
    return true;
}).map(element => `${element.tagName} ${element.className} ${element.textContent.trim().slice(0, 40)}`)"""
#: How light the page's ground is, from 0 to 1.
LIGHTNESS = """() => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
    return Math.max(...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)) / 255;
}"""


def looks_right(page: Page, window: Window, scheme: str) -> None:
    """Whether a page that is shown fits its window, and has the colours that were asked for."""
    assert page.evaluate("document.documentElement.scrollWidth") <= window.width
    assert page.evaluate(STICKING_OUT, window.width) == []
    lightness = page.evaluate(LIGHTNESS)
    assert lightness > 0.9 if scheme == "light" else lightness < 0.2


@pytest.mark.parametrize(("window", "scheme"), LOOKS)
def test_every_page_fits_and_asks_no_other_host(visit: Visit, watch: Watch, window: Window, scheme: str) -> None:
    page = visit(SUPERUSER, window, scheme)
    for name, path in PAGES.items():
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, name
        looks_right(page, window, scheme)
        assert watch.take() == [], name


@pytest.mark.parametrize(("window", "scheme"), LOOKS)
def test_refusals_fit_and_ask_no_other_host(visit: Visit, watch: Watch, window: Window, scheme: str) -> None:
    refusals = {SUPERUSER: REFUSALS, VIEWER: {"not allowed": (PAGES["upload"], 403)}}
    for person, their_refusals in refusals.items():
        page = visit(person, window, scheme)
        for path, status in their_refusals.values():
            page.goto(path)
            looks_right(page, window, scheme)
            assert watch.take() == [f"{status} {path}"]


@pytest.mark.parametrize(("window", "scheme"), LOOKS)
def test_the_login_fits_and_asks_no_other_host(visit: Visit, window: Window, scheme: str) -> None:
    page = visit(None, window, scheme)
    page.goto("/admin/")
    assert urlsplit(page.url).path == "/admin/login/"
    looks_right(page, window, scheme)


def test_the_watch_notices_what_goes_wrong(visit: Visit, watch: Watch, system: System) -> None:
    page = visit(SUPERUSER)
    page.goto("/admin/")
    page.evaluate("fetch('http://example.com/').catch(() => 0)")  # which the page's policy forbids
    page.evaluate("fetch('/static/nothing.js')")
    page.evaluate("setTimeout(() => { throw new Error('a broken script') })")
    page.wait_for_function("true")
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://example.com/")
    faults = "\n".join(watch.take())
    assert "Connecting to 'http://example.com/' violates the following Content Security Policy" in faults
    assert "http://example.com/ is asked for, which is another host" in faults
    assert "net::ERR_NAME_NOT_RESOLVED" in faults
    assert "404 /static/nothing.js" in faults
    assert "a broken script" in faults
    assert len([address for address in watch.asked if not address.startswith(system.url)]) == 1
