"""What of a client's bytes is taken for a request."""

from __future__ import annotations

import pytest

from gateway_site.request_head import HEAD_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX
from tests.unit.gateway_site.pretended_clients import (
    CHUNKED,
    GET,
    LAST_CHUNK,
    POST,
    Gateway,
    with_header,
)


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
        (with_header(b"\r\n".join(b"X-%d: " % number + b"a" * 1000 for number in range(90))), 431),
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


def test_a_head_with_headers_without_an_end_is_refused_before_they_take_memory(server: Gateway) -> None:
    client = server.connect().sends(GET[:-2], b"a:\r\n" * (HEADERS_MAX + 1))

    assert client.statuses == [431]


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


def test_headers_behind_a_body_take_no_memory(server: Gateway) -> None:
    client = server.connect().sends(CHUNKED + b"2\r\nab\r\n0\r\n" + b"a: b\r\n" * 1000 + b"\r\n")

    assert client.statuses == [200]
    assert not client.connection.headers


def test_a_header_behind_a_body_is_no_larger_than_one_of_a_head(server: Gateway) -> None:
    client = server.connect().sends(CHUNKED + b"2\r\nab\r\n0\r\nX: " + b"a" * HEADER_BYTES_MAX + b"\r\n\r\n" + GET)

    assert client.statuses == [400]
    assert len(server.application.asked) == 1


def test_a_header_with_an_underscore_is_passed_over(server: Gateway) -> None:
    server.connect().sends(with_header(b"X-Request_ID: a\r\nSCRIPT_NAME: /x\r\nContent_Length: 5\r\nX-Good: b"))

    (asked,) = server.application.asked
    assert asked["headers"] == [(b"host", b"h"), (b"x-good", b"b")]


def test_a_large_body_and_the_next_requests_beginning_may_come_at_once(server: Gateway) -> None:
    body = b"x" * 2 * HEAD_BYTES_MAX
    client = server.connect()
    client.sends(POST.replace(b": 3", b": %d" % len(body)).replace(b"abc", body) + GET[:10], GET[10:])

    assert client.statuses == [200, 200]


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
