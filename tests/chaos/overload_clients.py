"""Clients that are too many: kept connections in a process of its own, every answer checked and timed.

`python -m tests.chaos.overload_clients CONFIG` reads what to do from a JSON file and prints what it saw. Open loop:
so many requests a second leave, whatever becomes of those before, each on a connection that has none under way. Closed
loop (`rate` 0): each connection sends as soon as it has its answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.support.keep_alive import post_request

#: Requests that have no answer by then have failed.
LAST_ANSWERS_SECONDS = 60.0
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Config:
    """What to send: `bodies` in turn, whose results are to be `answers`."""

    url: str
    connections: int
    seconds: float
    rate: float
    bodies: list[Any]
    answers: list[Any]


@dataclass
class Seen:
    """What came back; times are in milliseconds."""

    sent: int = 0
    right: int = 0
    wrong: int = 0
    failed: int = 0
    #: Refusals without `Retry-After` count as failed.
    refused: int = 0
    #: Due while every connection had a request under way.
    unsent: int = 0
    seconds: float = 0.0
    accepted_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    #: Seconds after the begin at which right answers came.
    answered_at: list[float] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


class Client(asyncio.Protocol):
    """One connection; tells `free` when it has its answer."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = b""
        self._asked = -1
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It may send."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, number: int) -> None:
        """Send the body of that number."""
        assert self._transport is not None
        self._asked, self._sent_at = number, perf_counter()
        self._transport.write(self._load.requests[number])

    def data_received(self, data: bytes) -> None:
        """A part of an answer is there."""
        received = self._received + data
        head, found, body = received.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            self._received = received
            return
        self._received = b""
        number, self._asked = self._asked, -1
        self._load.note(number, head, body, self._sent_at)
        self._load.is_free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The gateway has closed it."""
        self._load.is_lost(self, self._asked >= 0, repr(exc))


class Load:
    """All connections."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.requests = [post_request(config.url, "/predict", body) for body in config.bodies]
        self._free: deque[Client] = deque()
        self._open = 0
        self._under_way = 0
        self._next = 0
        self._sending = True
        self._began = 0.0
        self.seen = Seen()

    async def run(self) -> Seen:
        """Send for as long as is asked for, and wait for the last answers."""
        parts, loop = urlsplit(self._config.url), asyncio.get_running_loop()
        for _ in range(self._config.connections):
            _, client = await loop.create_connection(lambda: Client(self), parts.hostname, parts.port)
            self._open += 1
            self._free.append(client)
        self._began = perf_counter()
        if self._config.rate:
            await self._send_paced()
        else:
            for _ in range(len(self._free)):
                self._send(self._free.popleft())
            await asyncio.sleep(self._config.seconds)
        self.seen.seconds = perf_counter() - self._began
        self._sending = False
        until = perf_counter() + LAST_ANSWERS_SECONDS
        while self._under_way and perf_counter() < until:
            await asyncio.sleep(0.01)
        self.seen.failed += self._under_way
        return self.seen

    async def _send_paced(self) -> None:
        due = 0
        while (elapsed := perf_counter() - self._began) < self._config.seconds:
            while due < elapsed * self._config.rate:
                due += 1
                if self._free:
                    self._send(self._free.popleft())
                else:
                    self.seen.unsent += 1
            await asyncio.sleep(0.001)

    def _send(self, client: Client) -> None:
        self.seen.sent += 1
        self._under_way += 1
        self._next = (self._next + 1) % len(self.requests)
        client.send(self._next)

    def is_free(self, client: Client) -> None:
        """It has its answer."""
        self._under_way -= 1
        if self._sending and not self._config.rate:
            self._send(client)
        else:
            self._free.append(client)

    def is_lost(self, client: Client, waiting: bool, why: str) -> None:
        """Its connection has ended."""
        self._open -= 1
        if waiting:
            self._under_way -= 1
            self._note_bad(f"the connection ended: {why}")
        elif client in self._free:
            self._free.remove(client)

    def note(self, number: int, head: bytes, body: bytes, sent_at: float) -> None:
        """An answer has come."""
        now = perf_counter()
        took_ms, status = (now - sent_at) * 1000, head[9:12]
        if status == b"503" and b"\r\nretry-after:" in head.lower():
            self.seen.refused += 1
            self.seen.refused_ms.append(took_ms)
        elif status != b"200":
            self._note_bad(f"{head[:12]!r} {body[:200]!r}")
        elif _is_right(orjson.loads(body), self._config.answers[number]):
            self.seen.right += 1
            self.seen.accepted_ms.append(took_ms)
            self.seen.answered_at.append(now - self._began)
        else:
            self.seen.wrong += 1
            self.seen.bad.append(f"{body[:200]!r} is not {self._config.answers[number]}")

    def _note_bad(self, what: str) -> None:
        self.seen.failed += 1
        if len(self.seen.bad) < 10:
            self.seen.bad.append(what)


def _is_right(answer: Any, expected: Any) -> bool:
    result = answer.get("result")
    if not isinstance(result, list):
        return isinstance(result, float) and abs(result - expected) <= TOLERANCE * max(1.0, abs(expected))
    pairs = zip((each[0] for each in result), expected, strict=True)
    return all(abs(got - want) <= TOLERANCE * max(1.0, abs(want)) for got, want in pairs)


def _content_length(head: bytes) -> int:
    start = head.lower().index(b"\r\ncontent-length:") + 17
    return int(head[start:].split(b"\r\n", 1)[0])


if __name__ == "__main__":
    seen = asyncio.run(Load(Config(**json.loads(Path(sys.argv[1]).read_text()))).run())
    sys.stdout.write(json.dumps(asdict(seen)))
