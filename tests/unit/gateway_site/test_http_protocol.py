"""What of a client's bytes is taken for a request, and what it is answered."""

from __future__ import annotations

import gc
import logging

import httptools
import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway_site import http_protocol
from gateway_site.http_protocol import DISCARDED_BYTES_MAX, HEAD_BYTES_MAX, PIPELINED_MAX
from inference.http.security_headers import NO_PAGE
from inference.monitoring import observations
from tests.fuzz.http.answers import read_answers
from tests.unit.gateway_site.pretended_clients import HIGH_WATER, Gateway

GET = b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def with_header(header: bytes, request: bytes = GET) -> bytes:
    return request.replace(b"Host: h\r\n", b"Host: h\r\n" + header + b"\r\n")


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (GET, ""),
        (POST, "abc"),
        (CHUNKED + b"2\r\nab\r\n1;ext=1\r\nc\r\n" + LAST_CHUNK, "abc"),
        (b"\r\n\r\n" + GET, ""),
        (POST.replace(b"/x", b"http://h:54321/x"), "abc"),
        (with_header(b"\r\n".join(b"X-%d: 1" % number for number in range(99))), ""),
        (with_header(b"X-Long: " + b"a" * 8000), ""),
        (b"GET /x?" + b"a" * 8000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", ""),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_request_is_answered_and_another_one_may_follow(
    server: Gateway, sent: bytes, body: str, at_once: bool
) -> None:
    client = server.connect()
    client.sends(*[sent] if at_once else [sent[at : at + 1] for at in range(len(sent))])
    client.sends(GET)

    first, second = client.answers
    assert (first.status, first.json()["path"], first.json()["body"]) == (200, "/x", body)
    assert second.status == 200
    assert client.is_there


def test_a_request_of_http_1_0_is_its_connections_last(server: Gateway) -> None:
    client = server.connect().sends(with_header(b"Expect: 100-continue", POST).replace(b"1.1", b"1.0"))

    (answer,) = client.answers
    assert (answer.status, answer.is_last, answer.json()["body"]) == (200, True, "abc")
    assert client.received.startswith(b"HTTP/1.1 200")
    assert not client.is_there


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (GET.replace(b"1.1", b"0.9"), 400),
        (GET.replace(b"1.1", b"1.9"), 400),
        (GET.replace(b"1.1", b"2.0"), 400),
        (b"GET /x\r\n\r\n", 400),
        (GET.replace(b"/x", b"x"), 400),
        (GET.replace(b"/x", b"*"), 400),
        (GET.replace(b"/x", b"ftp://h/x"), 400),
        (GET.replace(b"/x", b"http://h"), 400),
        (GET.replace(b"/x", b"http://h:0/x"), 400),
        (GET.replace(b"/x", b"http://h:x/x"), 400),
        (GET.replace(b"/x", b"http:///x"), 400),
        (GET.replace(b"/x", b"/\xff"), 400),
        (b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (GET.replace(b"/x", b"/" + b"a" * 8191), 414),
        (with_header(b"X-Long: " + b"a" * 8191), 431),
        (with_header(b"\r\n".join(b"X-%d: 1" % number for number in range(100))), 431),
        (with_header(b"bad header"), 400),
        (with_header(b"X : spaced"), 400),
        (with_header(b"X: folded\r\n into two"), 400),
        (with_header(b"Host: another"), 400),
        (with_header(b"Content-Type: a\r\nContent-Type: a"), 400),
        (with_header(b"Expect: 200-ok"), 417),
        (with_header(b"Content-Length: 3", POST), 400),
        (with_header(b"Transfer-Encoding: chunked", POST), 400),
        (with_header(b"Content-Length: -1"), 400),
        (with_header(b"Content-Length: some"), 400),
        (with_header(b"Transfer-Encoding: odd"), 501),
        (with_header(b"Transfer-Encoding: gzip, chunked"), 501),
        (CHUNKED.replace(b"1.1", b"1.0"), 501),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_no_request_or_could_be_read_as_two_is_refused_and_nothing_behind_it_is_read(
    server: Gateway, sent: bytes, status: int, at_once: bool
) -> None:
    client = server.connect()
    client.sends(sent + GET) if at_once else client.sends(
        *[sent[at : at + 100] for at in range(0, len(sent), 100)], GET
    )

    (answer,) = client.answers
    assert (answer.status, answer.is_last, answer.json()["status"]) == (status, True, False)
    assert answer.json()["message"]
    assert server.application.asked == []
    assert not client.is_there


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


def test_an_answered_request_leaves_nothing_to_the_garbage_collector(server: Gateway) -> None:
    server.application.refuses = "not here"
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


def test_a_head_without_an_end_is_refused(server: Gateway) -> None:
    client = server.connect().sends(GET[:-2])
    for number in range(HEAD_BYTES_MAX // 4000 + 2):
        client.sends(b"x" * 4000 if number else b"X: ")

    assert client.statuses == [431]


@pytest.mark.parametrize("begun", [b"3;ext=", b"0\r\nX: "])
@pytest.mark.parametrize(("size", "told"), [(0, "more between the chunks than in"), (10**6, "too much between two")])
def test_what_stands_between_chunks_or_behind_them_has_an_end(
    server: Gateway, begun: bytes, size: int, told: str
) -> None:
    client = server.connect().sends(CHUNKED + b"%x\r\n%b\r\n" % (size, b"x" * size) if size else CHUNKED, begun)
    for _ in range(HEAD_BYTES_MAX // 4000 + 1):
        client.sends(b"x" * 4000)

    (answer,) = client.answers
    assert (answer.status, answer.is_last) == (400, True)
    assert told in answer.json()["message"]


def test_a_body_in_the_smallest_chunks_is_read(server: Gateway) -> None:
    client = server.connect().sends(CHUNKED, *[b"1\r\na\r\n" * 1000] * 30, LAST_CHUNK)

    assert client.answers[0].json()["body"] == "a" * 30_000


@pytest.mark.parametrize("chunk", [b"g\r\n", b"-1\r\n", b"2\r\nabc\r\n", b"2\nab\n", b"f" * 300 + b"\r\n"])
def test_a_body_whose_chunks_are_none_is_refused(server: Gateway, chunk: bytes) -> None:
    client = server.connect().sends(CHUNKED + b"2\r\nab\r\n", chunk, GET)

    (answer,) = client.answers
    assert (answer.status, answer.is_last) == (400, True)
    assert not client.is_there


def test_headers_behind_a_body_are_none_of_the_requests(server: Gateway) -> None:
    trailers = b"0\r\nAuthorization: Token x\r\nHost: another\r\nContent-Type: x\r\n\r\n"
    client = server.connect().sends(CHUNKED + b"2\r\nab\r\n" + trailers + GET)

    assert client.statuses == [200, 200]
    assert [name for name, _ in server.application.asked[0]["headers"]] == [b"host", b"transfer-encoding"]


def test_a_header_with_an_underscore_is_passed_over(server: Gateway) -> None:
    server.connect().sends(with_header(b"X-Request_ID: a\r\nSCRIPT_NAME: /x\r\nContent_Length: 5\r\nX-Good: b"))

    (asked,) = server.application.asked
    assert asked["headers"] == [(b"host", b"h"), (b"x-good", b"b")]


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


def test_a_large_body_and_the_next_requests_beginning_may_come_at_once(server: Gateway) -> None:
    body = b"x" * 2 * HEAD_BYTES_MAX
    client = server.connect()
    client.sends(POST.replace(b": 3", b": %d" % len(body)).replace(b"abc", body) + GET[:10], GET[10:])

    assert client.statuses == [200, 200]


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
    assert server.application.asked[0]["state"]["client_has_ended"]()
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


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c", b"TLS/1.0"])
@pytest.mark.parametrize("at_once", [True, False])
def test_nothing_is_upgraded_and_the_body_is_read_all_the_same(server: Gateway, upgrade: bytes, at_once: bool) -> None:
    asked = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + upgrade
    inner = GET.replace(b"/x", b"/inner")
    requests = [
        with_header(asked),
        with_header(asked, POST),
        with_header(asked, CHUNKED) + b"3\r\nabc\r\n" + LAST_CHUNK,
        with_header(asked, POST).replace(b": 3", b": %d" % len(inner)).replace(b"abc", inner),
        with_header(asked + b"\r\nContent-Length: 0"),
        POST,
    ]
    sent = b"".join(requests)
    client = server.connect().sends(*[sent] if at_once else [sent[at : at + 1] for at in range(len(sent))])

    assert [answer.json()["body"] for answer in client.answers] == ["", "abc", "abc", inner.decode(), "", "abc"]
    assert [asked["path"] for asked in server.application.asked] == ["/x"] * len(requests)
    assert client.is_there


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
    monkeypatch.setattr(http_protocol, "check_head", lambda *_: 1 / 0)
    with pytest.raises(httptools.HttpParserCallbackError) as error:
        server.connect().sends(GET)

    assert isinstance(error.value.__context__, ZeroDivisionError)
