"""What the browser tests share: one system with two workers, one Chromium, and people who have logged in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, StorageState

from inference.supervision import rabbitmq
from tests.end_to_end.browser.content import make_content, new_weights
from tests.support import chromium as chromium_programs
from tests.support.chromium import DESKTOP, Watch, Window, new_context, running_chromium
from tests.support.own_node import running_system
from tests.support.people import OPERATOR, SUPERUSER, VIEWER, log_in, make_people
from tests.support.requirement import require
from tests.support.system import System

Visit = Callable[..., Page]


@pytest.fixture(scope="session", autouse=True)
def _environment_is_set_up() -> None:
    """These tests run no script, so none has to set anything up first."""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A running browser."""
    missing = chromium_programs.missing()
    require(not missing, " ".join(missing))
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def system() -> Iterator[System]:
    """A gateway of two processes and two workers on a RabbitMQ of its own, with content and people."""
    require(rabbitmq.installed(), "rabbitmq-server")
    with running_system(2) as system:
        make_content(system)
        make_people(system)
        yield system


@pytest.fixture(scope="package")
def cookies(chromium: Browser, system: System) -> dict[str, StorageState]:
    """Those of each person, who has logged in by the form."""
    kept = {}
    for name in (OPERATOR, VIEWER, SUPERUSER):
        context = new_context(chromium, system.url)
        log_in(context.new_page(), name)
        kept[name] = context.storage_state()
        context.close()
    return kept


@pytest.fixture
def watch(system: System) -> Iterator[Watch]:
    """What goes wrong in the pages of a test, which fails by it unless it takes it as expected."""
    one = Watch(system.url)
    yield one
    assert one.take() == []


@pytest.fixture
def visit(chromium: Browser, system: System, cookies: dict[str, StorageState], watch: Watch) -> Iterator[Visit]:
    """Opens an empty page in which a person has logged in, or nobody, in a window of a size and a colour scheme."""
    contexts = []

    def open_page(person: str | None, window: Window = DESKTOP, scheme: str = "light") -> Page:
        context = new_context(chromium, system.url, window, scheme, cookies[person] if person else None)
        contexts.append(context)
        watch.follow(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(visit: Visit) -> Page:
    """An operator's."""
    return visit(OPERATOR)


@pytest.fixture
def network(system: System) -> str:
    """A network of two versions, of which the second is active."""
    nn_id = uuid4().hex
    for number in (1, 2):
        assert system.client.set_weights(nn_id, f"{number}.weights.h5", new_weights())["version"] == number
    return nn_id
