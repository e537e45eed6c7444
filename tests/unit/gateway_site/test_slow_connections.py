"""Clients that are silent, slow, or too many: none keeps its place for ever, and none is blamed for another's delay."""

from __future__ import annotations

import pytest

from gateway_site.http_protocol import DISCARD_SECONDS, LINGER_SECONDS
from gateway_site.http_worker import LOOK_SECONDS
from gateway_site.pace import LEAST_BYTES_A_SECOND, PATIENCE
from inference.http.exchange import EXCHANGE
from tests.unit.gateway_site.pretended_clients import (
    GET,
    HALF,
    HEAD,
    HIGH_WATER,
    IDLE_SECONDS,
    LARGE,
    LAST,
    SILENT_SECONDS,
    SMALL,
    Gateway,
)

#: Time that is only felt when the server looks.
MARGIN_SECONDS = 4 * LOOK_SECONDS


# Those that send.


@pytest.mark.parametrize("sent", [GET[:10], HEAD[:30], HALF, HEAD % LARGE + bytes(SMALL), GET + GET[:10]])
def test_a_client_that_is_silent_in_the_middle_of_a_request_is_told_so(server: Gateway, sent: bytes) -> None:
    client = server.connect().sends(sent)
    server.wait(SILENT_SECONDS - MARGIN_SECONDS)
    assert 408 not in client.statuses
    server.wait(2 * MARGIN_SECONDS)

    answer = client.answers[-1]
    assert (answer.status, answer.is_last) == (408, True)
    assert answer.json()["message"] == "the rest of the request did not come in time"
    assert not client.is_there


@pytest.mark.parametrize(
    "begin", [b"GET /x?", HEAD % LARGE, b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;"]
)
def test_who_sends_a_byte_now_and_then_does_not_keep_its_place(server: Gateway, begin: bytes) -> None:
    client = server.connect().sends(begin)
    for _ in range(int(PATIENCE * SILENT_SECONDS) - 1):
        server.wait(1.0)
        client.sends(b"1")
    assert client.received == b""
    server.wait(2.0)

    assert client.statuses == [408]


def test_who_sends_fast_enough_may_take_its_time_for_a_large_body(server: Gateway) -> None:
    seconds = 10 * PATIENCE * SILENT_SECONDS
    piece = bytes(LEAST_BYTES_A_SECOND * 5)
    client = server.connect().sends(HEAD % (len(piece) * round(seconds / 5)))
    for _ in range(round(seconds / 5)):
        server.wait(5.0)
        client.sends(piece)

    assert client.statuses == [200]


def test_who_is_not_read_is_not_blamed(server: Gateway) -> None:
    server.application.hold()
    server.application.reads = False
    client = server.connect().sends(HEAD % LARGE, *[bytes(SMALL)] * 16)
    assert not client.transport.reading
    server.wait(10 * SILENT_SECONDS)
    assert client.received == b""
    server.application.release()
    server.turn()

    assert client.statuses == [200]
    assert client.is_there


def test_who_waits_to_be_told_to_go_on_is_not_blamed(server: Gateway) -> None:
    server.application.hold()
    server.application.reads = False
    client = server.connect().sends((HEAD % 3).replace(b"Host: h", b"Host: h\r\nExpect: 100-continue"))
    server.wait(10 * SILENT_SECONDS)
    assert client.received == b""
    server.application.release()
    server.turn()

    assert client.statuses == [200]


def test_who_waits_for_its_answer_is_not_blamed(server: Gateway) -> None:
    server.application.hold()
    client = server.connect().sends(HEAD % 3 + b"abc" + GET)
    server.wait(10 * SILENT_SECONDS)
    server.application.release()
    server.turn()

    assert client.statuses == [200, 200]


@pytest.mark.parametrize("sent", [b"", GET])
def test_a_connection_on_which_nothing_is_asked_ends(server: Gateway, sent: bytes) -> None:
    client = server.connect()
    client.sends(sent) if sent else None
    server.wait(IDLE_SECONDS - MARGIN_SECONDS)
    assert client.is_there
    server.wait(2 * MARGIN_SECONDS)

    assert client.transport.has_ended


def test_a_body_that_is_to_make_room_is_cut_off(server: Gateway) -> None:
    client = server.connect().sends(HALF)
    server.application.asked[0]["state"][EXCHANGE].cut_off()
    server.turn()

    assert client.statuses == [408]


def test_a_body_that_is_there_is_not_cut_off_nor_the_next_request_in_its_place(server: Gateway) -> None:
    server.application.hold()
    client = server.connect().sends(HEAD % 3 + b"abc" + GET[:-2])
    server.application.asked[0]["state"][EXCHANGE].cut_off()
    client.sends(GET[-2:])
    server.application.asked[0]["state"][EXCHANGE].cut_off()
    server.application.release()
    server.turn()

    assert client.statuses == [200, 200]


# Those that read.


def answers_of(server: Gateway, *sizes: int) -> int:
    """Let each answer have pieces of these sizes; returns how large an answer is."""
    server.application.pieces = [b"1" * size for size in sizes]
    return sum(sizes)


@pytest.mark.parametrize("size", [10, SMALL, LARGE])
@pytest.mark.parametrize("asks", [GET, LAST, GET + GET])
def test_who_does_not_read_its_answer_is_cut_off(server: Gateway, size: int, asks: bytes) -> None:
    answers_of(server, size)
    client = server.connect().reads_nothing().sends(asks)
    server.wait(SILENT_SECONDS - MARGIN_SECONDS)
    assert not client.transport.is_lost
    server.wait(2 * MARGIN_SECONDS)

    assert client.transport.is_aborted
    assert client.transport.is_lost


def test_who_sends_while_it_does_not_read_is_cut_off(server: Gateway) -> None:
    answers_of(server, LARGE)
    client = server.connect().reads_nothing().sends(GET, (HEAD % 10**6))
    for _ in range(round(SILENT_SECONDS) + 1):
        server.wait(1.0)
        client.sends(bytes(10))

    assert client.transport.is_aborted


def test_who_reads_ever_so_slowly_is_cut_off(server: Gateway) -> None:
    answers_of(server, LARGE)
    client = server.connect().reads_nothing().sends(GET)
    seconds = 0
    while not client.transport.is_lost:
        client.reads(1000)
        server.wait(1.0)
        seconds += 1

    assert PATIENCE * SILENT_SECONDS <= seconds < PATIENCE * SILENT_SECONDS * 1.1


@pytest.mark.parametrize("asks", [GET, LAST], ids=["kept", "last"])
@pytest.mark.parametrize("sizes", [[LARGE * 4], [LARGE] * 4, [SMALL] * 64], ids=["one", "four", "many"])
def test_who_reads_slowly_but_steadily_gets_all_of_it(server: Gateway, sizes: list[int], asks: bytes) -> None:
    answers_of(server, *sizes)
    client = server.connect().reads_nothing().sends(asks)
    seconds = 0
    while client.transport.unread:
        client.reads(LEAST_BYTES_A_SECOND * 5 // 4)
        server.wait(1.0)
        seconds += 1

    assert seconds > 2 * PATIENCE * SILENT_SECONDS
    assert client.statuses == [200]
    assert not client.transport.is_aborted


def test_each_answer_may_take_its_time(server: Gateway) -> None:
    """The time between is not the client's: it waits for its answer, or has none to read."""
    answers_of(server, 2 * HIGH_WATER)
    client = server.connect().reads_nothing()
    for _ in range(3):
        server.application.hold()
        client.sends(GET)
        server.wait(2 * PATIENCE * SILENT_SECONDS)
        server.application.release()
        server.wait(SILENT_SECONDS / 2)
        client.reads(client.transport.unread)
        server.wait(1.0)

    assert client.statuses == [200, 200, 200]
    assert client.is_there


# Their ends.


def test_who_has_had_its_last_answer_may_go_on_for_a_moment_and_is_then_cut_off(server: Gateway) -> None:
    client = server.connect().sends(LAST)
    assert (client.statuses, client.transport.has_ended) == ([200], True)
    client.sends(GET, bytes(LARGE))
    server.wait(LINGER_SECONDS - LOOK_SECONDS)
    assert not client.transport.is_lost
    client.sends(bytes(LARGE))
    server.wait(2 * LOOK_SECONDS)

    assert client.statuses == [200]
    assert client.transport.is_aborted


def test_a_connection_that_cannot_end_on_one_side_only_ends_at_once(server: Gateway) -> None:
    answers_of(server, SMALL)
    client = server.connect().reads_nothing()
    client.transport.has_tls = True
    client.sends(LAST)
    assert not client.transport.is_lost
    client.reads(LARGE)

    assert client.statuses == [200]
    assert client.transport.is_lost
    assert not client.transport.is_aborted


def test_the_moment_begins_when_it_has_read_its_last_answer(server: Gateway) -> None:
    answers_of(server, SMALL)
    client = server.connect().reads_nothing().sends(LAST)
    server.wait(2 * LINGER_SECONDS)
    client.reads(LARGE)
    server.wait(LINGER_SECONDS - LOOK_SECONDS)
    assert not client.transport.is_lost
    server.wait(2 * LOOK_SECONDS)

    assert client.transport.is_aborted


def test_who_closes_after_its_last_answer_is_not_waited_for(server: Gateway) -> None:
    client = server.connect().sends(LAST)
    client.ends()

    assert client.transport.is_lost
    assert not client.transport.is_aborted


@pytest.mark.parametrize("asks", [b"", b"Connection: close\r\n"])
def test_of_a_body_that_nobody_wants_no_more_is_read_than_comes_in_some_seconds(server: Gateway, asks: bytes) -> None:
    server.application.reads = False
    client = server.connect().sends((HEAD % 10**12).replace(b"Host: h\r\n", b"Host: h\r\n" + asks))
    seconds = 0.0
    while not client.transport.is_lost:
        server.wait(LOOK_SECONDS)
        client.sends(bytes(LARGE // 4))
        seconds += LOOK_SECONDS

    assert client.statuses == [200]
    assert DISCARD_SECONDS < seconds <= DISCARD_SECONDS + LINGER_SECONDS + MARGIN_SECONDS


# Too many.


# When the process ends.
