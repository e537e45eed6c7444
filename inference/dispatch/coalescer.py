"""Which waiting requests travel together: rows for one version, of one shape and dtype, in order of arrival."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Container
from time import monotonic

from inference.dispatch.waiting import Key, Waiting


class Coalescer:
    """Waiting requests by key; keys take turns, so a busy network does not starve another. Not thread-safe."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Key, deque[Waiting]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, request: Waiting) -> None:
        """Put a request behind the others of its key."""
        self._waiting.setdefault(request.key, deque()).append(request)
        self._count += 1

    def put_back(self, requests: list[Waiting]) -> None:
        """Put requests that were taken before in front of the others of their key, in their order."""
        for request in reversed(requests):
            self._waiting.setdefault(request.key, deque()).appendleft(request)
        self._count += len(requests)

    def drop_given_up(self) -> None:
        """Let go of requests that were given up: nothing else does while no batch can be sent."""
        now = monotonic()
        for key, queue in list(self._waiting.items()):
            kept = deque(request for request in queue if not request.is_given_up(now))
            self._count -= len(queue) - len(kept)
            if kept:
                self._waiting[key] = kept
            else:
                del self._waiting[key]

    def take_all(self) -> list[Waiting]:
        """Every request that waits, whatever its key."""
        taken = [request for queue in self._waiting.values() for request in queue]
        self._waiting.clear()
        self._count = 0
        return taken

    def has_other_than(self, full: Container[Key]) -> bool:
        """Whether there is a next batch whose key is not among the `full` ones."""
        return self._next_key(full) is not None

    def take(self, full: Container[Key] = ()) -> list[Waiting]:
        """The requests of the next batch, whose key is not among the `full` ones: those have to wait for their turn.

        Requests that were given up meanwhile are left out.
        """
        key = self._next_key(full)
        if key is None:
            return []
        queue, now = self._waiting.pop(key), monotonic()
        taken: list[Waiting] = []
        rows = size_bytes = 0
        while queue and (not taken or queue[0].fits(rows, size_bytes)):
            request = queue.popleft()
            self._count -= 1
            if not request.is_given_up(now):
                taken.append(request)
                rows += request.asked.rows_count
                size_bytes += request.asked.size_bytes
        if queue:
            self._waiting[key] = queue
        return taken

    def _next_key(self, full: Container[Key]) -> Key | None:
        return next((key for key in self._waiting if key not in full), None)
