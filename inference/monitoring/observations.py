"""What requests leave for the recorder: appending to a deque is all that one pays for being counted.

The recorder takes what is there once a second. Appending is atomic, from the server's loop and from any thread.
"""

from __future__ import annotations

from collections import deque
from typing import TypeVar

from inference.statistics.timing import Timing

T = TypeVar("T")

#: Some ten seconds of a gateway process's work; a recorder that is further behind has ended.
OBSERVATIONS_MAX = 50_000

#: Predictions over HTTP and AMQP: the address, the answer's status, and the seconds until the answer began.
predict_requests: deque[tuple[str, str, float]] = deque(maxlen=OBSERVATIONS_MAX)
#: Other HTTP requests: endpoint, method, status, and the seconds where they are known.
requests: deque[tuple[str, str, str, float | None]] = deque(maxlen=OBSERVATIONS_MAX)
predictions: deque[Timing] = deque(maxlen=OBSERVATIONS_MAX)
#: Batches sent: how many requests each had.
batches: deque[int] = deque(maxlen=OBSERVATIONS_MAX)
#: Activations that ended: kind, outcome, seconds.
switches: deque[tuple[str, str, float]] = deque(maxlen=OBSERVATIONS_MAX)


def take(observed: deque[T]) -> list[T]:
    """What is there by now, which is there no more."""
    return [observed.popleft() for _ in range(len(observed))]
