"""Which waiting requests travel together: rows for one version, of one shape and dtype, in order of arrival."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import monotonic

from inference.dispatch.answer_future import AnswerFuture
from inference.dispatch.predict_input import PredictInput
from inference.dispatch.server_loop import nobody_knows
from inference.errors import ClientGoneError
from workers.messages.tensors import TENSORS_BYTES_MAX

#: The most rows of one batch, unless a single request has more.
MAX_BATCH_ROWS = 4096
#: A request that has waited so long, and whose client has ended its side meanwhile, is given up. A client may end its
#: side and still read: while all goes well, its answer is there sooner.
ENDED_SECONDS = 0.5

#: The network, the version, every input's name, dtype and row shape, and whether its requests travel alone.
Key = tuple[str | None, int | None, tuple[tuple[str, str, tuple[int, ...]], ...], bool]


@dataclass(frozen=True, eq=False)
class Waiting:
    """One request that waits for its answer; times are of `time.monotonic`."""

    asked: PredictInput
    arrived: float
    deadline: float
    future: AnswerFuture = field(default_factory=AnswerFuture)
    alone: bool = False
    client_has_ended: Callable[[], bool] = nobody_knows

    def is_given_up(self, now: float) -> bool:
        """Whether nobody waits for it any more; ends it where that is found out only now."""
        if not self.future.done() and now - self.arrived > ENDED_SECONDS and self.client_has_ended():
            self.future.finish(ClientGoneError("Server is busy, and the client has ended its side of the connection"))
        return self.future.done()

    @cached_property
    def key(self) -> Key:
        """Requests with equal keys may share a batch, unless they travel alone, and take turns with other keys."""
        asked = self.asked
        inputs = [(name, tensor.dtype, tensor.shape[1:]) for name, tensor in asked.inputs.items()]
        inputs.sort()
        return asked.nn_id, asked.version, tuple(inputs), self.alone

    def to_travel_alone(self) -> Waiting:
        """The same request, for a batch of its own."""
        return replace(self, alone=True)

    def fits(self, rows: int, size_bytes: int) -> bool:
        """Whether it may join a batch that has so many rows and bytes of numbers."""
        if self.alone or rows + self.asked.rows_count > MAX_BATCH_ROWS:
            return False
        return size_bytes + self.asked.size_bytes <= TENSORS_BYTES_MAX


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
