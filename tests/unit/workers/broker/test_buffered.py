"""Frames come out of a connection whole and in order, however they arrive."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from time import monotonic

import pytest
from amqp.exceptions import UnexpectedFrame
from kombu import Connection

from workers.broker import buffered
from workers.broker.buffered import READ_BYTES, BufferedSocket

Pair = tuple[BufferedSocket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, brokers = socket.socketpair()
    transport = BufferedSocket("localhost")
    transport.sock, transport.connected = ours, True
    with ours, brokers:
        yield transport, brokers


def frame(payload: bytes, end: bytes = b"\xce") -> bytes:
    return struct.pack(">BHI", 1, 7, len(payload)) + payload + end


def test_frames_that_arrive_together_come_one_by_one(pair: Pair) -> None:
    transport, broker = pair
    broker.sendall(frame(b"first") + frame(b"") + frame(b"third"))

    assert [transport.next_frame(0) for _ in range(3)] == [(1, 7, b"first"), (1, 7, b""), (1, 7, b"third")]
    with pytest.raises(TimeoutError):
        transport.next_frame(0)


def test_a_frame_that_arrives_in_pieces_is_kept_until_it_is_whole(pair: Pair) -> None:
    transport, broker = pair
    whole = frame(b"some payload")
    for piece in whole[:-1]:
        broker.sendall(bytes([piece]))
        with pytest.raises(TimeoutError):
            transport.next_frame(0)
    broker.sendall(whole[-1:] + frame(b"next"))

    assert transport.next_frame(0) == (1, 7, b"some payload")
    assert transport.next_frame(0) == (1, 7, b"next")


def test_a_frame_may_be_larger_than_one_read(pair: Pair) -> None:
    transport, broker = pair
    payload = bytes(range(256)) * (READ_BYTES // 100)
    broker.settimeout(0.01)
    sent, received = frame(payload), None
    while received is None:
        try:
            sent = sent[broker.send(sent) :] if sent else b""
        except TimeoutError:
            pass
        try:
            received = transport.next_frame(0)
        except TimeoutError:
            pass

    assert received == (1, 7, payload)


@pytest.mark.parametrize("timeout", [0.05, None])
def test_a_wait_ends_in_time(timeout: float | None, pair: Pair) -> None:
    transport, _ = pair
    transport.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 50_000))
    started = monotonic()

    with pytest.raises(TimeoutError):
        transport.next_frame(timeout)
    assert 0.04 < monotonic() - started < 5
    assert transport.connected


def test_a_broker_that_hangs_up_is_a_lost_connection(pair: Pair) -> None:
    transport, broker = pair
    broker.close()

    with pytest.raises(ConnectionResetError):
        transport.next_frame(1)
    assert not transport.connected


def test_what_is_no_frame_is_refused(pair: Pair) -> None:
    transport, broker = pair
    broker.sendall(frame(b"payload", end=b"!"))

    with pytest.raises(UnexpectedFrame):
        transport.next_frame(0)


def test_amqp_means_this_transport_in_every_process_of_pipeline() -> None:
    buffered.install()

    assert isinstance(Connection("amqp://nobody@127.0.0.1:1//").transport, buffered.Transport)
