"""One request that waits for its answer."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from inference.dispatch.answer import Answer
from inference.dispatch.predict_input import Kinds, PredictInput
from inference.errors import ClientGoneError, InferenceError
from workers.messages.tensors import TENSORS_BYTES_MAX

#: The most rows of one batch, unless a single request has more.
MAX_BATCH_ROWS = 4096
#: A request that has waited so long, and whose client has ended its side meanwhile, is given up. A client may end its
#: side and still read: while all goes well, its answer is there sooner.
ENDED_SECONDS = 0.5

#: What a request ends with.
Outcome = Answer | InferenceError
#: The network, the version, the kinds of the inputs, and whether its requests travel alone.
Key = tuple[str | None, int | str | None, Kinds, bool]


def nobody_knows() -> bool:
    """What is said of a client where nobody can tell whether it has gone."""
    return False


@dataclass(eq=False, slots=True)  # not frozen: that costs a microsecond more for each request
class Waiting:
    """For the loop's thread, but for what never changes; times are of `time.monotonic`."""

    asked: PredictInput
    arrived: float
    deadline: float
    future: Future[Outcome]
    client_has_ended: Callable[[], bool] = nobody_knows
    alone: bool = False
    #: Requests with equal keys may share a batch, unless they travel alone, and take turns with other keys.
    key: Key = field(init=False)

    def __post_init__(self) -> None:
        asked = self.asked
        self.key = asked.network, asked.version, asked.kinds, self.alone

    def finish(self, outcome: Outcome) -> None:
        """End it; nothing happens when it has ended already, or is given up."""
        if not self.future.done():
            self.future.set_result(outcome)

    def is_given_up(self, now: float) -> bool:
        """Whether nobody waits for it any more; ends it where that is found out only now."""
        if not self.future.done() and now - self.arrived > ENDED_SECONDS and self.client_has_ended():
            self.finish(ClientGoneError("Server is busy, and the client has ended its side of the connection"))
        return self.future.done()

    def to_travel_alone(self) -> Waiting:
        """The same request, for a batch of its own."""
        return replace(self, alone=True)

    def fits(self, rows: int, size_bytes: int) -> bool:
        """Whether it may join a batch that has so many rows and bytes of numbers."""
        if self.alone or rows + self.asked.rows_count > MAX_BATCH_ROWS:
            return False
        return size_bytes + self.asked.size_bytes <= TENSORS_BYTES_MAX
