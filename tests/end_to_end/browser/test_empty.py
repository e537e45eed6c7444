"""An empty Pipeline tells an operator what to do next, and what it tells works."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from inference.supervision import rabbitmq
from tests.end_to_end.browser.content import PAGES
from tests.support.chromium import Watch, new_context
from tests.support.own_node import running_system
from tests.support.people import OPERATOR, log_in, make_people
from tests.support.requirement import require
from tests.support.system import System
from workers.settings import ROOT

FOLLOWS_MS = 60_000


@pytest.fixture(scope="module")
def empty() -> Iterator[System]:
    """A gateway with a broker, and nothing else but people."""
    require(rabbitmq.installed(), "rabbitmq-server")
    with running_system(0) as system:
        make_people(system)
        yield system


@pytest.fixture
def page(chromium: Browser, empty: System) -> Iterator[Page]:
    """An operator's, who has logged in; nothing may go wrong in it."""
    context = new_context(chromium, empty.url)
    watch = Watch(empty.url)
    watch.follow(context)
    page = context.new_page()
    log_in(page, OPERATOR)
    yield page
    context.close()
    assert watch.take() == []


def test_pages_without_records_show_a_command(page: Page) -> None:
    commands = {"networks": "manage.py load_weights", "workers": "celery -A workers worker", "requests": "/predict"}
    for name, command in commands.items():
        page.goto(PAGES[name])
        expect(page.locator("#empty pre")).to_contain_text(command)


def run(shown: str) -> None:
    """Run a command as a terminal in the project's folder does."""
    done = subprocess.run(["/bin/bash", "-c", shown], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert '"status":true' in done.stdout, (shown, done.stdout, done.stderr)


def test_who_follows_the_empty_dashboard_sees_it_fill_without_a_reload(page: Page, empty: System) -> None:
    page.evaluate("window.loadedOnce = true")
    for missing in ("no-worker", "no-network"):
        expect(page.locator(f"#problems [data-problem={missing}]")).to_have_count(1)
    expect(page.locator("#no-worker pre")).to_contain_text("celery -A workers worker")
    upload, predict = (page.locator(f"{each} pre").inner_text() for each in ("#no-network", "#no-requests"))

    empty.add_worker()
    expect(page.locator("#fleet")).to_have_attribute("data-count", "1", timeout=FOLLOWS_MS)
    expect(page.locator("#no-worker")).to_have_count(0)
    run(upload)
    expect(page.locator("#active-version")).to_have_attribute("data-version", "1", timeout=FOLLOWS_MS)
    run(predict)
    expect(page.locator("#count")).to_have_text("1", timeout=FOLLOWS_MS)
    expect(page.locator("#rate-chart")).to_be_visible()
    expect(page.locator("#health")).to_have_attribute("data-level", "ok", timeout=FOLLOWS_MS)
    assert page.evaluate("window.loadedOnce")
