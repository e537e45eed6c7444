"""Debian's Chromium without a window, which reaches this machine only; and what goes wrong in its pages, noted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL
from typing import NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Request,
    Response,
    StorageState,
    WebError,
    expect,
    sync_playwright,
)

from inference.supervision.addresses import LOOPBACK

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
#: Every other host is unknown to it, and no proxy is asked.
ARGUMENTS = (f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {LOOPBACK}", "--no-proxy-server")
#: A click or a condition that takes longer fails its test.
WAIT_SECONDS = 20.0
BROKEN_OFF = "net::ERR_ABORTED"  # what was being asked for when the page was left, and downloads


class Window(NamedTuple):
    """How large a window is, and whether it is a phone's."""

    width: int
    height: int
    phone: bool = False


DESKTOP, PHONE = Window(1440, 900), Window(390, 844, phone=True)


def program() -> str | None:
    """Where Chromium is."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def missing() -> list[str]:
    """Debian's packages that have to be installed before: Chromium, and what Playwright's own program is linked to."""
    packages = [] if program() else ["chromium"]
    try:
        CDLL("libatomic.so.1")
    except OSError:
        packages.append("libatomic1")
    return packages


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A browser of its own, with a profile that is gone afterwards."""
    expect.set_options(timeout=WAIT_SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def new_context(
    browser: Browser, url: str, window: Window = DESKTOP, scheme: str = "light", cookies: StorageState | None = None
) -> BrowserContext:
    """A person's cookies and pages; paths are of `url`."""
    context = browser.new_context(
        base_url=url,
        viewport={"width": window.width, "height": window.height},
        is_mobile=window.phone,
        has_touch=window.phone,
        color_scheme="dark" if scheme == "dark" else "light",
        storage_state=cookies,
    )
    context.set_default_timeout(WAIT_SECONDS * 1000)
    return context


class Watch:
    """What pages ask for, and what goes wrong in them."""

    def __init__(self, url: str) -> None:
        self.asked: list[str] = []
        self._place = urlsplit(url).netloc
        self._faults: list[str] = []

    def follow(self, context: BrowserContext) -> None:
        """Watch all pages of a context."""
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfailed", self._failed)
        context.on("console", self._console)
        context.on("weberror", self._error)

    def take(self) -> list[str]:
        """What went wrong since this was asked last: other hosts, answers of 400 and more, errors of scripts."""
        faults, self._faults = self._faults, []
        return faults

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)
        scheme, place = urlsplit(request.url)[:2]
        if scheme not in ("data", "blob") and place != self._place:
            self._faults.append(f"{request.url} is asked for, which is another host")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._faults.append(f"{response.status} {urlsplit(response.url).path}")

    def _failed(self, request: Request) -> None:
        if request.failure != BROKEN_OFF:
            self._faults.append(f"{request.url}: {request.failure}")

    def _console(self, message: ConsoleMessage) -> None:
        # That a file was not loaded is noted as its answer or failure already.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self._faults.append(f"console: {message.text} ({message.location.get('url')})")

    def _error(self, error: WebError) -> None:
        self._faults.append(f"script: {error.error}")
