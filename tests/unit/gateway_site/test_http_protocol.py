"""What of a client's bytes is taken for a request, and what it is answered."""

from __future__ import annotations

import gc
import logging

import httptools
import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway_site import http_parsing, http_protocol
from gateway_site.http_parsing import PIPELINED_MAX
from gateway_site.http_protocol import DISCARDED_BYTES_MAX
from inference.http.exchange import EXCHANGE
from inference.http.security_headers import NO_PAGE
from inference.monitoring import observations
from tests.fuzz.http.answers import read_answers
from tests.unit.gateway_site.pretended_clients import (
    CHUNKED,
    GET,
    HEAD,
    HIGH_WATER,
    LARGE,
    LAST,
    POST,
    Gateway,
    with_header,
)


def test_a_refusal_is_an_answer_as_all_others_are(server: Gateway) -> None:
    observations.requests.clear()
    client = server.connect().sends(with_header(b"X-Request-ID: mine\r\nbad header"))

    (answer,) = client.answers
    assert set(answer.json()) == {"status", "message"}
    assert answer.headers["content-type"] == "application/json"
    assert {name.lower(): value for name, value in NO_PAGE.items()}.items() <= answer.headers.items()
    assert answer.request_id not in ("", "mine")
    assert list(observations.requests) == [("other", "other", "400", None)]


def test_what_a_client_says_of_itself_is_not_believed_here(server: Gateway) -> None:
    said = b"X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\nForwarded: for=10.0.0.1\r\nX-A: 1\r\nx-a: \xe9"
    server.connect().sends(with_header(said))

    (asked,) = server.application.asked
    assert (asked["client"], asked["server"], asked["scheme"]) == (("192.0.2.7", 40001), ("192.0.2.1", 54321), "http")
    assert asked["headers"][-2:] == [(b"x-a", b"1"), (b"x-a", b"\xe9")]


@pytest.mark.parametrize("logs_access", [False, True])
def test_an_answer_that_is_there_at_once_is_as_others_are(server: Gateway, logs_access: bool) -> None:
    server.logs_access, server.application.refuses = logs_access, "not here"
    server.state.default_headers = [(b"date", b"today")]
    head = with_header(b"X-Request-ID: head", GET.replace(b"GET", b"HEAD"))
    answers = read_answers(server.connect().sends(GET + head + LAST).received, heads_only=["head"])

    assert [answer.status for answer in answers] == [404, 404, 404]
    assert [answer.is_last for answer in answers] == [False, False, True]
    assert answers[0].headers | {"x-request-id": "head"} == answers[1].headers
    assert answers[2].json() == {"status": False, "message": "not here"}
    assert {(name.lower(), value) for name, value in NO_PAGE.items()} <= set(answers[2].headers.items())
    assert answers[2].headers["date"] == "today"


@pytest.mark.parametrize("logs_access", [False, True])
def test_answers_wait_for_their_reader_however_many_are_asked_for(server: Gateway, logs_access: bool) -> None:
    server.logs_access, server.application.refuses = logs_access, "x" * 1000
    client = server.connect().reads_nothing().sends(*[GET * 10] * 100)
    assert client.transport.unread < HIGH_WATER + 2000
    while client.transport.unread:
        client.reads(HIGH_WATER)

    assert client.statuses == [404] * 1000


@pytest.mark.parametrize("logs_access", [False, True])
def test_an_answered_request_leaves_nothing_to_the_garbage_collector(server: Gateway, logs_access: bool) -> None:
    server.logs_access, server.application.refuses = logs_access, "not here"
    client = server.connect()
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            client.sends(GET, POST[:-1], POST[-1:])
        left = sum(isinstance(each, RequestResponseCycle) for each in gc.get_objects())
    finally:
        gc.enable()

    assert len(client.statuses) == 20
    assert left <= 1


def test_requests_that_come_at_once_are_answered_in_order_and_a_broken_one_behind_them_last(server: Gateway) -> None:
    server.application.hold()
    first, second = (with_header(b"X-Request-ID: %d" % number, POST) for number in (1, 2))
    client = server.connect().sends(first + second + with_header(b"X-Request-ID: 3\r\nbad header") + GET)
    assert client.received == b""
    server.application.release()
    server.turn()

    answers = client.answers
    assert [answer.status for answer in answers] == [200, 200, 400]
    assert [answer.request_id for answer in answers[:2]] == ["1", "2"]
    assert answers[2].request_id not in ("", "3")
    assert [answer.is_last for answer in answers] == [False, False, True]
    assert len(server.application.asked) == 2


def test_one_client_has_no_more_than_so_many_requests_waiting(server: Gateway) -> None:
    server.application.hold()
    client = server.connect().sends(GET * (10 * PIPELINED_MAX))
    server.application.release()
    server.turn()

    *answers, refused = client.answers
    assert [answer.status for answer in answers] == [200] * (PIPELINED_MAX + 1)
    assert (refused.status, refused.headers["retry-after"], refused.is_last) == (503, "1", True)


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (b"", []),
        (GET, [200]),
        (GET[:10], [400]),
        (POST[:-1], [400]),
        (CHUNKED + b"3\r\nab", [400]),
        (GET + POST[:-1], [200, 400]),
        (GET + GET[:-1], [200, 400]),
    ],
)
def test_a_client_that_ends_its_side_gets_its_answers(server: Gateway, sent: bytes, statuses: list[int]) -> None:
    client = server.connect()
    client.sends(sent) if sent else None
    client.ends()

    assert client.statuses == statuses
    assert client.transport.is_lost


def test_a_client_that_ends_its_side_while_it_is_answered_gets_all_answers(server: Gateway) -> None:
    server.application.hold()
    client = server.connect().sends(GET + POST)
    client.ends()
    assert server.application.asked[0]["state"][EXCHANGE].client_has_ended()
    server.application.release()
    server.turn()

    assert client.statuses == [200, 200]
    assert client.answers[-1].is_last
    assert client.transport.is_lost


@pytest.mark.parametrize("sent", [GET[:10], POST[:-1], GET, GET + GET])
def test_a_client_that_goes_is_noted_nowhere(server: Gateway, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    server.application.hold()
    client = server.connect().sends(sent)
    client.resets()
    server.application.release()
    server.turn()

    assert client.received == b""
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


def test_a_client_that_asks_before_it_sends_its_body_is_told_to_go_on(server: Gateway) -> None:
    head, body = with_header(b"Expect: 100-continue", POST)[:-3], POST[-3:]
    client = server.connect().sends(head)
    assert client.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sends(body)

    assert [answer.json()["body"] for answer in client.answers] == ["abc"]
    assert client.is_there


def test_after_a_client_was_not_told_to_go_on_nothing_is_taken_for_its_body_or_its_next_request(
    server: Gateway,
) -> None:
    server.application.reads = False
    client = server.connect().sends(with_header(b"Expect: 100-continue", POST)[:-3], GET)

    assert client.statuses == [200]
    assert client.transport.has_ended


def test_of_a_body_that_nobody_wants_some_is_thrown_away_and_the_connection_goes_on(server: Gateway) -> None:
    server.application.reads = False
    size = 1024 * 1024
    client = server.connect().sends(POST[:-3].replace(b": 3", b": %d" % size), bytes(size // 2), bytes(size // 2), GET)

    assert client.statuses == [200, 200]
    assert client.is_there


def test_of_a_body_that_nobody_wants_no_more_than_so_much_is_read(server: Gateway) -> None:
    server.application.reads = False
    client = server.connect().sends(POST[:-3].replace(b": 3", b": %d" % 10**12))
    assert client.statuses == [200]
    piece, sent = bytes(1024 * 1024), 0
    while not client.transport.is_lost:
        client.sends(piece)
        sent += len(piece)
        assert sent <= DISCARDED_BYTES_MAX + len(piece)

    assert sent > DISCARDED_BYTES_MAX


@pytest.mark.parametrize(("sent", "lines"), [(b"nonsense\r\n\r\n", 1), (CHUNKED + b"g\r\n", 1), (GET * 100, 0)])
def test_what_is_no_request_is_noted_in_the_log(
    server: Gateway, sent: bytes, lines: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol.logger, "filters", [])  # however many tests there are in a second
    server.application.hold()
    server.connect().sends(sent)

    noted = [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]
    assert len(noted) == lines
    assert all(line.startswith("Invalid request from 192.0.2.7: this is no HTTP request: ") for line in noted)


def test_a_defect_while_a_request_is_read_is_not_taken_for_the_clients(
    server: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_parsing, "check_head", lambda *_: 1 / 0)
    with pytest.raises(httptools.HttpParserCallbackError) as error:
        server.connect().sends(GET)

    assert isinstance(error.value.__context__, ZeroDivisionError)


def test_a_body_that_is_all_there_may_be_had_at_once_and_only_once(server: Gateway) -> None:
    server.application.reads = False
    server.application.hold()
    client = server.connect().sends(POST[:-1])
    exchange = server.application.asked[0]["state"][EXCHANGE]
    assert exchange.take_body() is None
    client.sends(POST[-1:])

    assert exchange.take_body() == POST.partition(b"\r\n\r\n")[2]
    assert exchange.take_body() is None


@pytest.mark.parametrize("sent", [POST, HEAD % LARGE + b"x" * LARGE, POST + POST], ids=["small", "large", "pipelined"])
def test_that_a_client_has_ended_is_known_once_its_request_has_been_read(server: Gateway, sent: bytes) -> None:
    server.application.hold()
    client = server.connect().sends(sent)
    assert client.transport.reading
    client.ends()

    assert server.application.asked[0]["state"][EXCHANGE].client_has_ended()


def test_what_one_request_had_thrown_away_does_not_count_for_the_next(server: Gateway) -> None:
    server.application.reads, server.application.refuses = False, "not wanted"
    client = server.connect().sends(HEAD % DISCARDED_BYTES_MAX, *[b"x" * LARGE] * (DISCARDED_BYTES_MAX // LARGE))
    client.sends(CHUNKED + b"no chunk\r\n", *[b"x" * LARGE] * 4)

    assert client.statuses == [404, 404]
    assert not client.transport.is_aborted
