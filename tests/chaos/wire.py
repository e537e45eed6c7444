"""A network connection to the broker that can be cut as a cable is: no FIN, no RST, bytes just do not arrive.

It is a TCP proxy that swallows bytes, which every machine lets a test have.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from types import TracebackType

from inference.supervision.addresses import LOOPBACK

CHUNK_BYTES = 64 * 1024
START_SECONDS = 10.0


class Wire:
    """Leads from an address of this machine to a port of it while the block runs; for the thread that made it."""

    def __init__(self, port: int, host: str = LOOPBACK) -> None:
        self._port = port
        self._host = host
        self._cut = False
        #: Connections made before the last cut are dead for good, as those through a router that forgot them.
        self._generation = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        #: Never set: what nothing arrives at waits for it, and is kept from the garbage collector by it.
        self._end = asyncio.Event()
        self.url = ""

    def __enter__(self) -> Wire:
        self._thread.start()
        serving = asyncio.start_server(self._lead, self._host, 0)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(START_SECONDS)
        self.url = f"amqp://guest:guest@{self._host}:{self._server.sockets[0].getsockname()[1]}//"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end_all(), self._loop).result(START_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)
        self._loop.close()

    def cut(self) -> None:
        """From now on nothing arrives, at neither end."""
        self._generation += 1
        self._cut = True

    def mend(self) -> None:
        """New connections lead to the broker again; those that were cut stay dead."""
        self._cut = False

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        """Read and forget, until everything ends."""
        with suppress(OSError):
            while await reader.read(CHUNK_BYTES):
                pass
        # That it has ended is not told to the other end either.
        await self._end.wait()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._lead_on(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()  # everything ends

    async def _lead_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        generation = self._generation
        if self._cut:
            await self._swallow(reader)
        try:
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._port)
        except OSError:
            writer.close()
            return
        try:
            there = self._pump(reader, far_writer, generation)
            await asyncio.gather(there, self._pump(far_reader, writer, generation))
        finally:
            far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, generation: int) -> None:
        try:
            while data := await reader.read(CHUNK_BYTES):
                if self._generation != generation:
                    await self._swallow(reader)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # this end says so to the other one below
        if self._generation != generation:
            await self._end.wait()
        writer.close()

    async def _end_all(self) -> None:
        """End the listening and every connection that is still led."""
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
