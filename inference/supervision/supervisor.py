"""Keeps a group of processes running until it is told to stop, then stops them in reverse order."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from inference.supervision.errors import StartError, StopRequestedError, SupervisionError, log_tail
from inference.supervision.processes import Supervised

FIRST_BACK_OFF_SECONDS = 0.5
LONGEST_BACK_OFF_SECONDS = 5.0
STEADY_SECONDS = 30.0
WATCH_SECONDS = 0.1

Clock = Callable[[], float]


@dataclass
class BackOff:
    """How long to wait before the next restart: doubling from 0.5 s to 5 s, forgotten after a steady run."""

    seconds: float = 0.0

    def after_run_of(self, ran_seconds: float) -> float:
        """The seconds to wait before restarting a process that has just died after running so long."""
        if ran_seconds >= STEADY_SECONDS or self.seconds == 0.0:
            self.seconds = FIRST_BACK_OFF_SECONDS
        else:
            self.seconds = min(2 * self.seconds, LONGEST_BACK_OFF_SECONDS)
        return self.seconds


@dataclass
class _Watched:
    child: Supervised
    restart: bool
    started_at: float
    restart_at: float | None = None
    given_up: bool = False
    back_off: BackOff = field(default_factory=BackOff)


class Supervisor:
    """Starts children in order, restarts the ones that die, stops them all in reverse order.

    It lives in the main thread: children are tied to the thread that starts them, and signals arrive there.
    Children started by one call of `start` are one stage: they are stopped at the same time.
    """

    def __init__(self, say: Callable[[str], None], clock: Clock = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._stages: list[list[_Watched]] = []
        self._stopping = False

    def start(self, *children: Supervised, restart: bool = True) -> None:
        """Start these children as the next stage.

        Raises:
            StartError: one of them cannot be started.
        """
        stage: list[_Watched] = []
        self._stages.append(stage)
        for child in children:
            stage.append(_Watched(child, restart, self._clock()))
            child.start()

    def require_all_alive(self) -> None:
        """Raise StartError with the end of its log when a child has ended: for the time until all have come up."""
        for watched in self._all():
            child = watched.child
            if not child.alive():
                raise StartError(
                    f"{child.name} ended while starting ({child.ending()}); its log {child.log} ends with:\n"
                    f"{log_tail(child.log, start=child.log_start)}"
                )

    def watch_once(self) -> None:
        """Look at every child once: note the ones that died, restart the ones whose time has come."""
        now = self._clock()
        for watched in self._all():
            if watched.child.alive() or watched.given_up:
                continue
            if watched.restart_at is None:
                self._note_death(watched, now)
            elif now >= watched.restart_at:
                self._start_again(watched, now)

    def watch(self) -> None:
        """Watch until a StopRequestedError ends it."""
        while True:
            self.watch_once()
            time.sleep(WATCH_SECONDS)

    def stop(self) -> None:
        """Stop every stage, the last started first."""
        for stage in reversed(self._stages):
            for watched in stage:
                watched.child.ask_to_stop()
            for watched in stage:
                watched.child.stop()

    @contextmanager
    def signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM raise StopRequestedError inside; whatever the reason to leave, all children are stopped.

        A second signal ends them by force.
        """
        earlier = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            self._stopping = True
            self.stop()
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def _all(self) -> Iterator[_Watched]:
        for stage in self._stages:
            yield from stage

    def _note_death(self, watched: _Watched, now: float) -> None:
        ended = f"{watched.child.name} ended ({watched.child.ending()})"
        if not watched.restart:
            watched.given_up = True
            self._say(f"{ended}; it is not started again, see {watched.child.log}")
            return
        wait_seconds = watched.back_off.after_run_of(now - watched.started_at)
        watched.restart_at = now + wait_seconds
        self._say(f"{ended}; starting it again in {wait_seconds:g} s, see {watched.child.log}")

    def _start_again(self, watched: _Watched, now: float) -> None:
        watched.started_at = now
        watched.restart_at = None
        try:
            watched.child.start()
        except SupervisionError as error:
            wait_seconds = watched.back_off.after_run_of(0.0)
            watched.restart_at = now + wait_seconds
            self._say(f"{error}; trying again in {wait_seconds:g} s")

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            raise StopRequestedError(signal.Signals(number).name)
        for watched in self._all():
            watched.child.end_by_force()
