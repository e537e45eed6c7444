"""The thread that counts what this process's requests have left, once a second, and leaves it at the process's seat."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import product

from inference.models import Activation, PredictionTiming
from inference.models.timing import DOORS
from inference.monitoring import catalogue, observations
from inference.monitoring.board import own_seat
from inference.monitoring.catalogue import Metric
from inference.monitoring.tally import Tally, dump, load
from inference.service_thread import ServiceThread

RECORD_SECONDS = 1.0
Outcome = PredictionTiming.Outcome


class Recorder:
    """Owns this process's tally. `totals` are what its parts have counted since it started, `gauges` how they are."""

    def __init__(self, totals: Callable[[], dict[Metric, float]], gauges: Callable[[], dict[Metric, float]]) -> None:
        self._totals = totals
        self._gauges = gauges
        self._seen: dict[Metric, float] = {}
        self._board, self._seat = own_seat()
        # The process that sat here before has ended; its counts go on.
        self._tally, _ = load(self._board.read(self._seat))
        self._lock = threading.Lock()
        self._thread = ServiceThread("metrics", self._record_next, finish=self.record)
        _show_zeros(self._tally)

    def start(self) -> None:
        """Start counting."""
        self._thread.start()

    def stop(self) -> None:
        """Count what is left, and end the thread."""
        self._thread.stop()

    def record(self) -> None:
        """Count what is there now; all processes of this gateway can read it then."""
        with self._lock:
            count_observations(self._tally)
            for metric, total in self._totals().items():
                self._tally.add(metric, total - self._seen.get(metric, 0.0))
                self._seen[metric] = total
            self._board.write(self._seat, dump(self._tally, self._gauges()))

    def read_all(self) -> tuple[Tally, dict[str, float]]:
        """What this gateway's processes, this one and those that ended among them, have counted, and how they are."""
        self.record()
        counted, now = Tally(), defaultdict[str, float](float)
        for taken, text in self._board.read_all():
            tally, gauges = load(text)
            counted.include(tally)
            if taken:
                for name, value in gauges.items():
                    now[name] += value
        return counted, dict(now)

    def _record_next(self) -> None:
        self._thread.stopping.wait(RECORD_SECONDS)
        self.record()


def count_observations(tally: Tally) -> None:
    """Count what requests have left, in bulk: one by one it would cost them several times as much."""
    _count_requests(tally)
    _count_predictions(tally)
    if sizes := observations.take(observations.batches):
        tally.observe(catalogue.BATCH_REQUESTS, sizes)
    for kind, outcome, seconds in observations.take(observations.switches):
        tally.add(catalogue.SWITCHES, 1, kind, outcome)
        tally.observe(catalogue.SWITCH_SECONDS_TAKEN, [seconds], outcome)


def _count_requests(tally: Tally) -> None:
    for endpoint, method, status, seconds in observations.take(observations.requests):
        tally.add(catalogue.HTTP_REQUESTS, 1, endpoint, method, status)
        if seconds is not None:
            tally.observe(catalogue.HTTP_SECONDS, [seconds], endpoint)
    if taken := observations.take(observations.predict_requests):
        for (endpoint, status), count in Counter([each[:2] for each in taken]).items():
            tally.add(catalogue.HTTP_REQUESTS, count, endpoint, "POST", status)
        for endpoint in {each[0] for each in taken}:
            tally.observe(catalogue.HTTP_SECONDS, [each[2] for each in taken if each[0] == endpoint], endpoint)


def _count_predictions(tally: Tally) -> None:
    taken, is_answered = observations.take(observations.predictions), Outcome.ANSWERED
    answered = [timing for timing in taken if timing.outcome is is_answered]
    if len(answered) < len(taken):
        for timing in taken:
            if timing.outcome is not is_answered:
                tally.add(catalogue.PREDICTIONS, 1, str(timing.outcome), timing.door)
    if answered:
        for door, count in Counter([timing.door for timing in answered]).items():
            tally.add(catalogue.PREDICTIONS, count, is_answered.value, door)
        tally.add(catalogue.PREDICTION_ROWS, sum([timing.rows for timing in answered]))
        tally.observe(catalogue.PREDICTION_SECONDS, [timing.total_ms for timing in answered], scale=0.001)
        tally.observe(catalogue.PREDICTION_QUEUE_SECONDS, [timing.queue_ms for timing in answered], scale=0.001)


def _show_zeros(tally: Tally) -> None:
    """A counter that is not there before its first step hides that step from Prometheus."""
    for outcome, door in product(Outcome.values, DOORS):
        tally.add(catalogue.PREDICTIONS, 0, outcome, door)
    tally.add(catalogue.PREDICTION_ROWS, 0)
    for status in ("200", "400", "500", "503", "504"):
        tally.add(catalogue.HTTP_REQUESTS, 0, "/predict", "POST", status)
    for outcome in set(Activation.Outcome.values) - {Activation.Outcome.RUNNING}:
        tally.observe(catalogue.SWITCH_SECONDS_TAKEN, [], outcome)
        for kind in Activation.Kind.values:
            tally.add(catalogue.SWITCHES, 0, kind, outcome)
    for histogram in (catalogue.PREDICTION_SECONDS, catalogue.PREDICTION_QUEUE_SECONDS, catalogue.BATCH_REQUESTS):
        tally.observe(histogram, [])
    tally.observe(catalogue.HTTP_SECONDS, [], "/predict")
