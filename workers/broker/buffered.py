"""Kombu's AMQP transport, but what has arrived is read at once.

py-amqp reads each frame in three pieces and sets the socket's timeout before and after: 24 calls of the operating
system for a batch, and at each of them another thread may take the interpreter.
"""

from __future__ import annotations

import select
import struct
from socket import MSG_DONTWAIT
from ssl import CERT_REQUIRED
from typing import Any

from amqp.exceptions import UnexpectedFrame
from amqp.transport import TCPTransport
from kombu.transport import TRANSPORT_ALIASES, pyamqp

from workers.broker.channel import Channel, bounded_frames

#: Bytes asked for at a time; a frame has at most so many by RabbitMQ's default.
READ_BYTES = 128 * 1024
_HEADER = struct.Struct(">BHI")
_FRAME_END = 0xCE


class BufferedSocket(TCPTransport):
    """A connection's socket, and what it has received and nobody has read yet."""

    _received = b""
    _start = 0

    sock: Any

    def read_frame(self, *_: Any) -> tuple[int, int, bytes]:
        """The next frame, waited for until the socket's own timeout; see `next_frame`."""
        return self.next_frame(None)

    def next_frame(self, timeout: float | None) -> tuple[int, int, bytes]:
        """The next frame's type, channel and payload, waited for until the socket's own timeout, or `timeout` seconds.

        Raises:
            TimeoutError: it has not come, or only a part, which is kept.
            OSError: the connection is lost.
            UnexpectedFrame: what came is no frame.
        """
        while True:
            received, start = self._received, self._start
            if len(received) - start >= _HEADER.size:
                kind, channel, size = _HEADER.unpack_from(received, start)
                payload = start + _HEADER.size
                end = payload + size
                if len(received) > end:
                    if received[end] != _FRAME_END:
                        raise UnexpectedFrame(f"a frame ends with {received[end]:#04x}, not {_FRAME_END:#04x}")
                    self._start = end + 1
                    return kind, channel, received[payload:end]
            more = self._receive(timeout)
            self._received, self._start = received[start:] + more if start < len(received) else more, 0

    def _receive(self, timeout: float | None) -> bytes:
        if timeout:
            poll = select.poll()
            poll.register(self.sock, select.POLLIN)
            # Without anything to read, the read below says so.
            poll.poll(timeout * 1000)
        try:
            received: bytes = self.sock.recv(READ_BYTES, 0 if timeout is None else MSG_DONTWAIT)
        except BlockingIOError as error:
            raise TimeoutError("timed out") from error
        except OSError:
            self.connected = False
            raise
        if not received:
            self.connected = False
            raise ConnectionResetError("the broker closed the connection")
        return received


class Connection(pyamqp.Connection):
    """An AMQP connection that reads so, unless it is encrypted; see `workers.broker.channel` for what it takes."""

    Channel = Channel

    def __init__(self, **options: Any) -> None:
        super().__init__(frame_handler=bounded_frames, **options)
        #: By channel, the size of a message whose body is thrown away.
        self.too_large: dict[int, int] = {}

    def Transport(  # noqa: N802 - py-amqp names it so, and gives all by their places
        self, host: str, connect_timeout: float | None, ssl: Any = False, *timeouts: Any, **options: Any
    ) -> Any:
        """The socket to the broker; called by py-amqp when it connects."""
        if ssl:
            # py-amqp looks at no name in the broker's certificate unless it is told one.
            verified = {"server_hostname": host.rpartition(":")[0].strip("[]"), "cert_reqs": CERT_REQUIRED}
            told = ssl if isinstance(ssl, dict) else {}
            return super().Transport(host, connect_timeout, verified | told, *timeouts, **options)
        return BufferedSocket(host, connect_timeout, *timeouts, **options)

    def blocking_read(self, timeout: float | None = None) -> Any:
        """Read one frame and act on it; whether that completed something."""
        if not isinstance(self.transport, BufferedSocket):
            return super().blocking_read(timeout)
        return self.on_inbound_frame(self.transport.next_frame(timeout))


class Transport(pyamqp.Transport):
    """Kombu's transport over such connections."""

    Connection = Connection


def install() -> None:
    """Make `amqp://` and `amqps://` mean this transport in this process."""
    TRANSPORT_ALIASES["amqp"] = TRANSPORT_ALIASES["amqps"] = "workers.broker.buffered:Transport"
