"""Which connections end when there are too many, and when the process ends."""

from __future__ import annotations

import pytest

from gateway_site.http_protocol import LAST_REQUEST_SECONDS, LINGER_SECONDS
from gateway_site.http_worker import LOOK_SECONDS
from tests.unit.gateway_site.pretended_clients import (
    CONNECTIONS_MAX,
    GET,
    HALF,
    HEAD,
    IDLE_SECONDS,
    LARGE,
    SILENT_SECONDS,
    SMALL,
    Client,
    Gateway,
)


def crowd(server: Gateway, sent: bytes) -> list[Client]:
    """As many clients as may be, who have sent that, one after the other."""
    clients = []
    for _ in range(CONNECTIONS_MAX):
        client = server.connect()
        clients.append(client.sends(sent) if sent else client)
        server.wait(LOOK_SECONDS)
    return clients


@pytest.mark.parametrize("sent", [b"", GET])
def test_when_there_are_too_many_the_longest_idle_one_makes_room(server: Gateway, sent: bytes) -> None:
    clients = crowd(server, sent)
    clients[0].sends(GET)
    newcomer = server.connect().sends(GET)

    assert [client.transport.is_lost for client in clients] == [False, True] + [False] * (CONNECTIONS_MAX - 2)
    assert newcomer.statuses == [200]


@pytest.mark.parametrize("sent", [GET[:6], HALF])
def test_when_none_is_idle_the_slowest_request_makes_room(server: Gateway, sent: bytes) -> None:
    clients = crowd(server, sent)
    clients[0].sends(b"1")
    newcomer = server.connect().sends(GET)

    assert [client.statuses for client in clients] == [[408]] + [[]] * (CONNECTIONS_MAX - 1)
    assert newcomer.statuses == [200]


def test_one_that_sends_much_is_not_the_slowest(server: Gateway) -> None:
    clients = crowd(server, HEAD % LARGE)
    clients[0].sends(bytes(SMALL))
    server.connect()

    assert [client.statuses for client in clients[:2]] == [[], [408]]


def test_when_all_are_being_answered_the_newcomer_is_told_to_come_again(server: Gateway) -> None:
    server.application.hold()
    clients = crowd(server, GET)
    newcomer = server.connect().sends(GET)

    (answer,) = newcomer.answers
    assert (answer.status, answer.headers["retry-after"], answer.is_last) == (503, "1", True)
    assert answer.json() == {"status": False, "message": "Server is busy"}
    server.application.release()
    server.turn()
    assert [client.statuses for client in clients] == [[200]] * CONNECTIONS_MAX


def test_those_that_do_not_close_do_not_add_up(server: Gateway) -> None:
    server.application.hold()
    crowd(server, GET)
    for _ in range(CONNECTIONS_MAX):
        server.connect()

    assert len(server.state.connections) <= CONNECTIONS_MAX + 1
    assert len(server.state.tasks) == CONNECTIONS_MAX


def test_a_process_that_ends_lets_idle_clients_make_one_more_request(server: Gateway) -> None:
    idle, asking, silent = (server.connect().sends(GET) for _ in range(3))
    server.wait(IDLE_SECONDS / 2)
    server.stop()
    server.wait(LAST_REQUEST_SECONDS / 2)
    asking.sends(GET)

    assert [answer.is_last for answer in asking.answers] == [False, True]
    assert [client.is_there for client in (idle, asking, silent)] == [True, False, True]
    server.wait(LAST_REQUEST_SECONDS)
    assert [client.transport.has_ended for client in (idle, silent)] == [True, True]
    server.wait(LINGER_SECONDS + LOOK_SECONDS)
    assert not server.state.connections


@pytest.mark.parametrize(("first", "rest"), [(GET[:10], GET[10:]), (HALF, b"67890"), (GET, b"")])
def test_a_request_that_was_begun_is_answered_before_the_process_ends(
    server: Gateway, first: bytes, rest: bytes
) -> None:
    server.application.hold()
    client = server.connect().sends(first)
    server.stop()
    server.wait(SILENT_SECONDS / 2)
    client.sends(rest) if rest else None
    server.application.release()
    server.turn()

    (answer,) = client.answers
    assert (answer.status, answer.is_last) == (200, True)
    assert not client.is_there


def test_a_body_that_nobody_wants_does_not_keep_a_process_that_ends(server: Gateway) -> None:
    server.application.reads = False
    client = server.connect().sends(HEAD % 10)
    assert client.statuses == [200]
    server.stop()
    client.sends(bytes(10))
    server.wait(LAST_REQUEST_SECONDS + 2 * LOOK_SECONDS)

    assert client.transport.has_ended
