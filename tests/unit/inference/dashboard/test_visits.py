"""Who sees the dashboard, what a look at it costs, and that it waits for no worker and runs nobody's text."""

from __future__ import annotations

import threading
from dataclasses import replace
from time import monotonic

import pytest
from django.contrib.auth.models import User
from django.test import Client

from inference.dashboard import last_answer
from inference.versions.asking import Answers
from tests.unit.admin_samples import past, person, queries, text
from tests.unit.dashboard_samples import PAGE, PARTS, showing
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import activated
from workers.messages.protocol import WorkerStatus

pytestmark = pytest.mark.django_db
#: Those of the session, the user and permissions among them.
QUERIES_MAX = 14
EVIL = "<script>alert(1)</script>"


def test_workers_that_hang_hold_nothing_up(
    viewer: Client, running: PretendedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(last_answer, "FRESH_SECONDS", 0.0)
    text(viewer, PAGE)
    answers = running.fleet.statuses

    def hang(*_: object) -> Answers[WorkerStatus]:
        assert go_on.wait(30)
        assert isinstance(answers, Answers)
        return answers

    monkeypatch.setattr(running.fleet, "status", hang)
    started = monotonic()
    pages = [text(viewer, PARTS) for _ in range(3)]
    took = monotonic() - started
    go_on.set()

    assert took < 2
    assert all('data-worker="w2" data-state="connected"' in page for page in pages)


def test_more_networks_and_workers_take_no_more_queries(viewer: Client, running: PretendedGateway) -> None:
    few = {path: queries(lambda path=path: text(viewer, path)) for path in (PAGE, PARTS)}
    for number in range(1, 200):
        activated(past(f"{number:032x}")[1])
    running.fleet.statuses = Answers([showing(f"w{number}") for number in range(50)], 0)

    assert {path: queries(lambda path=path: text(viewer, path)) for path in few} == few
    assert max(few.values()) <= QUERIES_MAX


def test_who_may_not_look_is_told_why(running: PretendedGateway) -> None:
    nobody = person(None)

    page = text(nobody, PAGE)

    assert 'id="no-dashboard"' in page
    assert 'id="fleet"' not in page
    text(nobody, PARTS, 403)


def test_a_stranger_is_sent_to_the_login(client: Client, gateway: PretendedGateway) -> None:
    for path in (PAGE, PARTS):
        response = client.get(path)
        assert (response.status_code, response.headers["Location"].partition("?")[0]) == (302, "/admin/login/")


def test_nothing_is_posted(gateway: PretendedGateway) -> None:
    admin = Client(raise_request_exception=False)
    admin.force_login(User.objects.create_superuser("root"))

    assert {admin.post(path).status_code for path in (PAGE, PARTS)} == {405}


def test_text_of_others_stays_text(viewer: Client, running: PretendedGateway) -> None:
    evil = replace(showing(EVIL), address=[EVIL], number=1)
    running.fleet.statuses = Answers([evil], 0)

    for path in (PAGE, PARTS, f'{PARTS}?range="{EVIL}'):
        page = text(viewer, path)
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page
