"""Large bodies of predictions: who has room for one, what others are told; and how a request's thread ends."""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import ConfigurationProblem
from gunicorn.http.unreader import IterUnreader
from gunicorn.workers.base_async import AsyncWorker

from gateway_site.http_worker import SMALL_BODY_BYTES, HttpWorker
from gateway_site.large_bodies import LargeBodies
from gateway_site.observed import Observed
from gateway_site.silent_clients import ClientTimeoutError, SilentClients
from inference.dispatch.server_loop import CLIENT_HAS_ENDED
from workers.messages.request_id import REQUEST_ID

SIZE = SMALL_BODY_BYTES + 1


@pytest.fixture(autouse=True)
def _a_connection_of_its_own() -> Iterator[None]:
    """What a connection's greenlet knows is gone with it."""
    known = [(REQUEST_ID, REQUEST_ID.get()), (CLIENT_HAS_ENDED, CLIENT_HAS_ENDED.get())]
    yield
    for variable, value in known:
        variable.set(value)  # type: ignore[arg-type]  # each its own


class Client:
    """What it has been sent."""

    def __init__(self) -> None:
        self.answer = b""

    def sendall(self, data: bytes) -> None:
        self.answer += data

    def cut_off(self) -> None:
        """Nobody waits for it."""

    def has_ended(self) -> bool:
        return False


def prediction(expects: bool = False, authorization: str = "Token good") -> Any:
    unreader = IterUnreader(iter([bytes(SIZE)]))
    return SimpleNamespace(
        method="POST", path="/predict", headers=[("AUTHORIZATION", authorization)],
        body=Body(LengthReader(unreader, SIZE)),
        _expected_100_continue=expects,
    )  # fmt: skip


def worker_with_room(size: int) -> HttpWorker:
    worker = HttpWorker.__new__(HttpWorker)
    worker._body_bytes_max, worker._large_bodies = SIZE, LargeBodies(size)
    worker._is_full = lambda: False
    worker._lets_in = lambda authorization: authorization == "Token good"
    worker.wsgi = Observed(lambda *_: [])
    return worker


@pytest.mark.parametrize(("expects", "unread"), [(False, 0), (True, SIZE)])
def test_without_room_only_a_body_that_comes_unasked_is_waited_for(expects: bool, unread: int) -> None:
    client, request = Client(), prediction(expects)
    ended = worker_with_room(0)._answer(None, request, client, None)  # type: ignore[arg-type]

    assert isinstance(ended, StopIteration)
    assert client.answer.startswith(b"HTTP/1.1 503 ")
    assert request.body.reader.length == unread


def test_who_has_no_good_token_or_no_place_is_refused_as_usual_and_given_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker, held = worker_with_room(SIZE), []
    monkeypatch.setattr(AsyncWorker, "handle_request", lambda *_: held.append(worker._large_bodies.held_bytes))

    for authorization in ("Token made up", "Token good"):
        worker._answer(None, prediction(authorization=authorization), Client(), None)  # type: ignore[arg-type]
    worker._is_full = lambda: True
    worker._answer(None, prediction(), Client(), None)  # type: ignore[arg-type]

    assert held == [0, SIZE, 0]


@pytest.mark.parametrize(
    "error", [StopIteration(), ConnectionResetError(), ClientTimeoutError(), ConfigurationProblem("x"), ValueError()]
)
def test_whatever_ends_a_request_is_handed_on_and_printed_by_nobody(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise error

    monkeypatch.setattr(AsyncWorker, "handle_request", broken)
    worker, request = HttpWorker.__new__(HttpWorker), SimpleNamespace(method="GET", path="/healthz")

    assert worker._answer("", request, SimpleNamespace(has_ended=None), ("127.0.0.1", 1)) is error  # type: ignore[arg-type]


@pytest.mark.parametrize(("free", "idle", "cut", "ends"), [(1, 2, [], False), (0, 2, [0], False), (0, 0, [], True)])
def test_when_all_connections_are_taken_the_longest_idle_one_makes_room_or_this_one_does(
    free: int, idle: int, cut: list[int], ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, was_cut = HttpWorker.__new__(HttpWorker), []

    class Idle:
        def cut_off(self) -> None:
            was_cut.append(others.index(self))

    others = [Idle() for _ in range(idle)]
    worker._connections = SimpleNamespace(free_count=lambda: free)
    worker._idle = SilentClients(10)
    for other in others:
        worker._idle.add(other)
    monkeypatch.setattr(worker, "_answer_in_thread", lambda *_: None)
    request = prediction()
    request.version, request.unreader = (1, 1), SimpleNamespace(buf=io.BytesIO())
    request.body.reader.length = 0
    client: Any = SimpleNamespace(has_arrived=lambda: None, await_request=lambda **_: None)
    request.path = "/status"

    ended = False
    try:
        worker.handle_request("", request, client, ("127.0.0.1", 1))
    except StopIteration:
        ended = True
    assert (was_cut, ended) == (cut, ends)
