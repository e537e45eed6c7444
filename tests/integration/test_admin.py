"""The admin on a real fleet: what two workers report, seen through either process of the gateway."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.admin_browser import Browser
from tests.support.samples import samples
from tests.support.system import System
from tests.support.waiting import wait_until

NAME, PASSWORD = "operator", "a long enough secret"
MADE = f"""
from django.contrib.auth.models import Group, User
User.objects.create_user("{NAME}", password="{PASSWORD}", is_staff=True).groups.add(Group.objects.get(name="{NAME}"))
"""
UPLOAD = "/admin/inference/network/upload/"


@pytest.fixture(scope="module")
def operator(system: System) -> Iterator[Browser]:
    """A member of the group that the migration made, logged in."""
    made = system.manage("shell", "--verbosity", "0", "-c", MADE)
    assert made.returncode == 0, made.stderr
    browser = Browser(system.url)
    assert browser.log_in(NAME, PASSWORD).status_code == 302
    yield browser
    browser.close()


def test_each_report_is_seen_while_another_worker_is_waited_for(system: System, operator: Browser) -> None:
    sample = samples()[0]
    stored = operator.post(UPLOAD, {"nn_id": sample.nn_id}, sample.file, json=True).json()
    stopped = system.workers[0].pid
    assert stopped is not None
    os.kill(stopped, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(1) as elsewhere:
            loading = elsewhere.submit(operator.post, stored["next"], json=True)

            def seen() -> str:
                page = operator.page(stored["progress"])
                return page if "1 of 2 workers have reported so far" in page else ""

            page = wait_until(seen, 10.0, "the report of the worker that runs is there")
            assert page.count('data-loaded="true"') == 1
            assert not loading.done()
            os.kill(stopped, signal.SIGCONT)
            ended = loading.result().json()
    finally:
        os.kill(stopped, signal.SIGCONT)

    activation = operator.page(ended["location"])
    assert activation.count('data-loaded="true"') == 2
    assert "Version 1 is active: 2 workers loaded it." in activation


def test_a_bad_file_leads_to_the_traces_of_all_workers(operator: Browser) -> None:
    sample = samples()[0]
    bad = sample.file.with_name("bad_tensors.b64")

    ended = operator.post(UPLOAD, {"nn_id": sample.nn_id}, bad)

    page = operator.page(ended.headers["Location"])
    assert page.count('data-loaded="false"') == 2
    assert page.count("WeightsError: the weights file cannot be read") >= 2


def test_the_workers_tell_their_programs_and_what_they_hold(system: System, operator: Browser) -> None:
    live, _, gone = operator.page("/admin/workers/").partition('id="gone"')

    assert len(set(re.findall(r'data-worker="([^"]+)"', live))) == 2
    assert re.search(r"<td>3\.\d+\.\d+</td>", live)
    assert "version 1" in live
    assert "data-worker" not in gone
    first = system.workers.pop(0)
    first.kill()
    system.wait_for_workers(1)
    live, _, gone = operator.page("/admin/workers/").partition('id="gone"')
    assert live.count("<tr data-worker=") == gone.count("<tr data-worker=") == 1
