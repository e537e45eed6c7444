"""A gateway process makes so many weight changes at once and no more; what else is asked of it goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from pytest_django.fixtures import Settings

from inference.errors import NotFoundError, NoWorkersError
from inference.http.bodies import upload_files
from inference.models import Activation, Network, Version
from inference.versions.switch import SwitchResult, VersionSwitch
from tests.support.waiting import wait_until
from tests.unit import asking
from tests.unit.asking import Asked, answer_all
from tests.unit.pretended_gateway import PretendedGateway
from tests.unit.samples import NN_ID, answer_with, loaded

AT_MOST = 3
WAYS = ["upload", "activate", "rollback"]


class SlowSwitches:
    """Stands in for the three switches: each waits until it may end, or ends with `error`."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.entered = threading.Semaphore(0)
        self.error: BaseException | None = None

    def __call__(self, *arguments: Any) -> SwitchResult:
        self.entered.release()
        if self.error is not None:
            raise self.error
        assert self.may_end.wait(30)
        version = Version(network=Network(nn_id=NN_ID), number=4)
        return SwitchResult(Activation(version=version, workers_asked=1, workers_answered=1), [loaded("w1")])


@pytest.fixture
def switches(gateway: PretendedGateway, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> SlowSwitches:
    settings.PIPELINE_WEIGHT_CHANGES_MAX = AT_MOST
    slow = SlowSwitches()
    monkeypatch.setattr(VersionSwitch, "set_weights", slow)
    monkeypatch.setattr(VersionSwitch, "activate", slow)
    monkeypatch.setattr(VersionSwitch, "rollback", slow)
    return slow


def ask(way: str) -> Any:
    """Ask for a weight change, as a client of its own."""
    client = Client(raise_request_exception=False)
    if way == "upload":
        data = SimpleUploadedFile("w.b64", b"QUJD\n", "application/octet-stream")
        form = encode_multipart(BOUNDARY, {"nn_id": NN_ID, "data": data})
        return client.put("/set_weights", form, content_type=MULTIPART_CONTENT)
    body = {"version": 1} if way == "activate" else {}
    return client.post(f"/networks/{NN_ID}/{way}", body, content_type="application/json")


@contextmanager
def as_many_as_may(switches: SlowSwitches) -> Iterator[list[Future[Any]]]:
    """One slow weight change of each kind runs, as many as may."""
    with ThreadPoolExecutor(AT_MOST) as clients:
        try:
            running = [clients.submit(ask, way) for way in WAYS]
            for _ in running:
                assert switches.entered.acquire(timeout=30)
            yield running
        finally:
            switches.may_end.set()


@pytest.mark.parametrize("way", WAYS)
def test_one_more_is_503_until_another_has_ended(way: str, switches: SlowSwitches) -> None:
    with as_many_as_may(switches) as running:
        refused = ask(way)

        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.json()["status"] is False
        assert f"already makes {AT_MOST} weight changes" in refused.json()["message"]
        assert not any(one.done() for one in running)
    assert [one.result().status_code for one in running] == [200] * AT_MOST
    assert ask(way).status_code == 200


def test_of_an_upload_that_is_refused_nothing_is_read_and_nothing_stored(
    switches: SlowSwitches, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    open_spool = upload_files.open_spool
    headers = {"Content-Type": MULTIPART_CONTENT, "Content-Length": "1000000"}
    upload = Asked("/set_weights", method="PUT", pieces=[b"x"] * 9, headers=headers)
    with as_many_as_may(switches):
        monkeypatch.setattr(upload_files, "open_spool", lambda: opened.append(None) or open_spool())
        answer_all(upload)

    assert upload.answered.status_code == 503
    assert len(upload.pieces) == 9
    assert opened == []


def test_predictions_are_answered_meanwhile(switches: SlowSwitches, gateway: PretendedGateway) -> None:
    gateway.dispatcher.outcome = answer_with({"sum": np.array([[1.5]], np.float32)})
    with as_many_as_may(switches):
        response = asking.ask("/predict", b'{"vector": [0.5, 1.0]}')

    assert response.json()["result"] == 1.5


@pytest.mark.parametrize("error", [NoWorkersError("none"), NotFoundError("none"), RuntimeError("a defect")], ids=repr)
def test_what_fails_makes_room_again(error: Exception, switches: SlowSwitches) -> None:
    switches.error = error
    for way in WAYS * AT_MOST:
        assert ask(way).status_code in (404, 500, 503)

    switches.error = None
    switches.may_end.set()
    assert [ask(way).status_code for way in WAYS] == [200] * len(WAYS)


def test_what_is_no_upload_makes_room_again(switches: SlowSwitches, client: Client) -> None:
    for _ in range(AT_MOST * 2):
        assert client.put("/set_weights", b"nonsense", content_type=MULTIPART_CONTENT).status_code == 400
        assert client.post(f"/networks/{NN_ID}/activate", b"nonsense", content_type="text/plain").status_code == 400

    switches.may_end.set()
    assert ask("upload").status_code == 200


def test_the_count_is_right_however_many_ask_at_once(switches: SlowSwitches) -> None:
    at_once = 24
    with ThreadPoolExecutor(at_once) as clients:
        answers = [clients.submit(ask, WAYS[number % 3]) for number in range(at_once)]
        for _ in range(AT_MOST):
            assert switches.entered.acquire(timeout=30)
        wait_until(lambda: sum(one.done() for one in answers) == at_once - AT_MOST, 30, "the others are answered")
        switches.may_end.set()
    statuses = [one.result().status_code for one in answers]
    assert (statuses.count(200), statuses.count(503)) == (AT_MOST, at_once - AT_MOST)


def test_while_the_database_is_away_an_upload_is_refused_before_its_body_is_read(gateway: PretendedGateway) -> None:
    gateway.versions._away.set()
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "1000000"}
    upload = Asked("/set_weights", method="PUT", pieces=[b"x"] * 9, headers=headers)
    answer_all(upload)

    assert (upload.answered.status_code, upload.answered.headers["Retry-After"]) == (503, "1")
    assert "the database does not answer" in upload.answered.json()["message"]
    assert len(upload.pieces) == 9
