"""Request timings on their way to the database."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import pytest
from django.db import OperationalError
from django.utils import timezone

from inference.dispatch.predict_input import PREDICT_DOOR
from inference.models import PredictionTiming
from inference.statistics import timings as timings_module
from inference.statistics.timing import Timing
from inference.statistics.timings import ROWS_A_STATEMENT, Timings

SOON_SECONDS = 10.0


def timing(number: int = 0) -> Timing:
    return Timing(timezone.now(), "a" * 32, 3, "worker-1@here", number, 1, 1.5, 0.5, 0.25, "answered", PREDICT_DOOR)


def written() -> list[int]:
    return list(PredictionTiming.objects.order_by("id").values_list("rows", flat=True))


class Writes:
    """The writing: notes how many rows each call has, and fails first as often as it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: list[int] = []
        self.failures = 0
        self.on_write: Callable[[], None] = lambda: None
        real = timings_module.write

        def write(batch: Sequence[Timing], rollups: Sequence[tuple[Any, ...]]) -> None:
            if self.failures:
                self.failures -= 1
                raise OperationalError("the database has gone away")
            self.rows.append(len(batch))
            self.on_write()
            if self.really:
                real(batch, rollups)

        self.really = True
        monkeypatch.setattr(timings_module, "write", write)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Writes:
    return Writes(monkeypatch)


@pytest.mark.django_db
def test_timings_are_written_in_order_of_arrival() -> None:
    timings = Timings()
    for number in range(3):
        timings.add(timing(number))

    timings.flush()

    assert written() == [0, 1, 2]


@pytest.mark.django_db
def test_every_part_of_a_timing_is_in_its_row() -> None:
    timings, noted = Timings(), timing(7)
    timings.add(noted)
    timings.add(noted._replace(nn_id="", version=None, worker="", outcome="refused"))

    timings.flush()

    answered, refused = PredictionTiming.objects.order_by("id").values_list(*Timing._fields)
    assert Timing(*answered) == noted
    assert refused[1:4] == ("", None, "")


@pytest.mark.django_db
def test_timings_are_written_in_bulk(writes: Writes) -> None:
    timings = Timings()
    for number in range(2 * ROWS_A_STATEMENT + 3):
        timings.add(timing(number))

    timings.flush()

    assert writes.rows == [ROWS_A_STATEMENT, ROWS_A_STATEMENT, 3]
    assert written() == list(range(2 * ROWS_A_STATEMENT + 3))


@pytest.mark.django_db
def test_a_timing_is_written_once(writes: Writes) -> None:
    timings = Timings()
    timings.add(timing())

    timings.flush()
    timings.flush()

    assert writes.rows == [1]


@pytest.mark.django_db
def test_timings_are_kept_when_the_database_fails(writes: Writes) -> None:
    timings = Timings()
    for number in range(3):
        timings.add(timing(number))
    writes.failures = 1

    with pytest.raises(OperationalError):
        timings.flush()
    timings.add(timing(3))
    timings.flush()

    assert written() == [0, 1, 2, 3]
    assert timings.dropped == 0


@pytest.mark.django_db
def test_nobody_iterates_over_what_others_add_to(monkeypatch: pytest.MonkeyPatch) -> None:
    class Buffer(deque[Timing]):
        def __iter__(self) -> NoReturn:
            raise RuntimeError("deque mutated during iteration")

    timings = Timings()
    monkeypatch.setattr(timings, "_buffer", Buffer())
    for number in range(3):
        timings.add(timing(number))
    timings.flush()

    assert written() == [0, 1, 2]


@pytest.mark.django_db
def test_a_number_that_no_database_holds_stops_nothing() -> None:
    timings = Timings()
    timings.add(timing(0)._replace(rows=2**63))
    timings.flush()
    timings.add(timing(1))
    timings.flush()

    assert (written(), timings.dropped) == ([1], 1)


@pytest.mark.django_db
def test_beyond_what_the_buffer_holds_timings_are_counted_and_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timings_module, "BUFFERED_TIMINGS_MAX", 2)
    timings = Timings()
    for number in range(5):
        timings.add(timing(number))
    assert timings.dropped == 3

    timings.flush()
    timings.add(timing(9))
    timings.flush()

    assert written() == [0, 1, 9]


@pytest.mark.django_db
def test_a_timing_that_comes_while_others_are_written_is_written_next(writes: Writes) -> None:
    timings = Timings()
    timings.add(timing(0))
    late = [timing(1)]
    writes.on_write = lambda: timings.add(late.pop()) if late else None

    timings.flush()

    assert (writes.rows, written()) == ([1, 1], [0, 1])


def test_the_thread_writes_by_itself_when_asked_and_survives_a_failing_database(
    writes: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timings_module, "FLUSH_SECONDS", 0.01)
    wrote = threading.Event()
    writes.really, writes.failures, writes.on_write = False, 3, wrote.set
    timings = Timings()
    timings.add(timing())
    timings.start()
    try:
        timings.flush_soon()

        assert wrote.wait(SOON_SECONDS)
    finally:
        timings.stop()
    assert writes.rows == [1]


def test_being_asked_the_thread_does_not_wait_for_its_turn(writes: Writes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timings_module, "FLUSH_SECONDS", 60.0)
    wrote = threading.Event()
    writes.really, writes.on_write = False, wrote.set
    timings = Timings()
    timings.start()
    try:
        timings.add(timing())
        timings.flush_soon()

        assert wrote.wait(SOON_SECONDS)
    finally:
        timings.stop()


def test_stopping_writes_what_is_buffered(writes: Writes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timings_module, "FLUSH_SECONDS", 60.0)
    writes.really = False
    timings = Timings()
    timings.start()
    timings.add(timing())

    timings.stop()

    assert writes.rows == [1]


def test_what_comes_just_before_the_stop_is_written_too(writes: Writes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flush has found the buffer empty; then comes a timing, and then the stop."""
    monkeypatch.setattr(timings_module, "FLUSH_SECONDS", 0.01)
    writes.really = False
    timings = Timings()
    flush = timings.flush
    flushed, go_on = threading.Event(), threading.Event()

    def flush_and_pause() -> None:
        flush()
        flushed.set()
        go_on.wait(SOON_SECONDS)

    monkeypatch.setattr(timings, "flush", flush_and_pause)
    timings.start()
    assert flushed.wait(SOON_SECONDS)
    timings.add(timing())
    timings._stopping = True
    go_on.set()
    timings.stop()

    assert writes.rows == [1]
