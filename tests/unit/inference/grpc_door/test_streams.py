"""Calls that go on end some time, and there are few of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from grpc import StatusCode

from inference.errors import BadInputError
from inference.grpc_door import streams as streams_module
from inference.grpc_door.streams import STREAMS_MAX, Streams
from tests.unit.inference.grpc_door.test_call import AbortedError, PretendedContext


class Context(PretendedContext):
    """A stream, with what was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    async def write(self, message: bytes) -> None:
        self.written.append(message)


async def for_ever(_: Any) -> AsyncIterator[bytes]:
    yield b"begun"
    await asyncio.Event().wait()


async def open_stream(streams: Streams, context: Context, answers: Any = for_ever) -> None:
    try:
        await streams.handler(answers).stream_stream(None, context)  # type: ignore[misc]
    except AbortedError:
        pass


def test_one_stream_more_than_may_be_is_refused() -> None:
    async def run() -> Context:
        streams = Streams()
        opened = [asyncio.create_task(open_stream(streams, Context())) for _ in range(STREAMS_MAX)]
        await asyncio.sleep(0)
        one_more = Context()
        await open_stream(streams, one_more)
        streams.end()
        await asyncio.gather(*opened)
        await asyncio.sleep(0)
        again = asyncio.create_task(open_stream(streams, Context()))
        await asyncio.sleep(0)
        assert not again.done()
        again.cancel()
        return one_more

    refused = asyncio.run(run())
    assert refused.ended is not None
    assert refused.ended[0] == StatusCode.UNAVAILABLE
    assert not refused.written


def test_a_stream_ends_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams_module, "STREAM_SECONDS", 0.01)
    context = Context()

    asyncio.run(open_stream(Streams(), context))

    assert context.written == [b"begun"]
    assert context.ended == (StatusCode.UNAVAILABLE, "the stream has been open for long: ask again")


def test_a_stream_that_has_said_all_ends_well() -> None:
    async def twice(_: Any) -> AsyncIterator[bytes]:
        yield b"1"
        yield b"2"

    context = Context()
    asyncio.run(open_stream(Streams(), context, twice))

    assert (context.written, context.ended) == ([b"1", b"2"], None)


def test_an_error_ends_a_stream_with_its_code() -> None:
    async def fail(_: Any) -> AsyncIterator[bytes]:
        raise BadInputError("no message")
        yield b""

    context = Context()
    asyncio.run(open_stream(Streams(), context, fail))

    assert context.ended == (StatusCode.INVALID_ARGUMENT, "no message")
