"""The supervisor's decisions, with children and a clock that are not real."""

from __future__ import annotations

import os
import signal
from io import StringIO
from pathlib import Path

import pytest

from inference.supervision.errors import BindError, StartError, StopRequestedError, log_tail
from inference.supervision.progress import Progress
from inference.supervision.supervisor import BackOff, Supervisor


class PretendedChild:
    """Notes what is done to it in a journal it shares with others."""

    def __init__(self, name: str, journal: list[str], log: Path = Path("nowhere.log")) -> None:
        self.name = name
        self.log = log
        self.log_start = 0
        self.journal = journal
        self.running = False

    def start(self) -> None:
        self.journal.append(f"start {self.name}")
        self.running = True

    def die(self) -> None:
        self.running = False

    def alive(self) -> bool:
        return self.running

    def ending(self) -> str:
        return "exit status 1"

    def ask_to_stop(self) -> None:
        self.journal.append(f"ask {self.name}")

    def stop(self) -> None:
        self.journal.append(f"stop {self.name}")
        self.running = False

    def end_by_force(self) -> None:
        self.journal.append(f"force {self.name}")
        self.running = False


class PretendedClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def journal() -> list[str]:
    return []


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def clock() -> PretendedClock:
    return PretendedClock()


@pytest.fixture
def supervisor(said: list[str], clock: PretendedClock) -> Supervisor:
    return Supervisor(said.append, clock)


def test_children_stop_in_the_reverse_order_of_their_start_and_a_stage_at_once(
    supervisor: Supervisor, journal: list[str]
) -> None:
    broker, first, second, gateway = (PretendedChild(name, journal) for name in ("broker", "w1", "w2", "gateway"))
    supervisor.start(broker)
    supervisor.start(first, second)
    supervisor.start(gateway)
    supervisor.stop()
    assert journal[:4] == ["start broker", "start w1", "start w2", "start gateway"]
    assert journal[4:] == [
        "ask gateway",
        "stop gateway",
        "ask w1",
        "ask w2",
        "stop w1",
        "stop w2",
        "ask broker",
        "stop broker",
    ]


def test_a_child_that_dies_is_started_again_after_the_back_off_and_one_line_says_so(
    supervisor: Supervisor, clock: PretendedClock, journal: list[str], said: list[str]
) -> None:
    child = PretendedChild("worker-1", journal)
    supervisor.start(child)
    child.die()
    supervisor.watch_once()
    assert said == ["worker-1 ended (exit status 1); starting it again in 0.5 s, see nowhere.log"]
    clock.now = 0.4
    supervisor.watch_once()
    assert journal == ["start worker-1"]
    clock.now = 0.5
    supervisor.watch_once()
    assert journal == ["start worker-1", "start worker-1"]
    assert len(said) == 1


def test_a_child_that_is_not_to_be_restarted_stays_down(
    supervisor: Supervisor, clock: PretendedClock, journal: list[str], said: list[str]
) -> None:
    child = PretendedChild("once", journal)
    supervisor.start(child, restart=False)
    child.die()
    for second in range(20):
        clock.now = float(second)
        supervisor.watch_once()
    assert journal == ["start once"]
    assert len(said) == 1


def test_the_back_off_doubles_up_to_five_seconds_and_is_forgotten_after_a_steady_run() -> None:
    back_off = BackOff()
    assert [back_off.after_run_of(1.0) for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert back_off.after_run_of(31.0) == 0.5


def test_a_restart_that_fails_is_tried_again(
    supervisor: Supervisor, clock: PretendedClock, journal: list[str], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    child = PretendedChild("broker", journal)
    supervisor.start(child)
    child.die()
    supervisor.watch_once()

    def refuse() -> None:
        raise BindError("127.0.0.1:5 is taken by another program")

    with monkeypatch.context() as patch:
        patch.setattr(child, "start", refuse)
        clock.now = 1.0
        supervisor.watch_once()
    assert said[-1] == "127.0.0.1:5 is taken by another program; trying again in 1 s"
    clock.now = 2.0
    supervisor.watch_once()
    assert child.alive()


def test_a_death_while_starting_is_an_error_with_the_end_of_the_log(
    supervisor: Supervisor, journal: list[str], tmp_path: Path
) -> None:
    log = tmp_path / "gateway.log"
    log.write_text("an earlier run\nthe reason\n")
    child = PretendedChild("gateway", journal, log)
    child.log_start = len("an earlier run\n")
    supervisor.start(child)
    supervisor.require_all_alive()
    child.die()
    with pytest.raises(
        StartError,
        match=r"(?s)gateway ended while starting \(exit status 1\)[^\n]*gateway.log[^\n]*\n    the reason\n$",
    ):
        supervisor.require_all_alive()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_children_and_a_second_one_ends_them_by_force(
    number: signal.Signals, supervisor: Supervisor, journal: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(number)
    slow, other = PretendedChild("slow", journal), PretendedChild("other", journal)

    def stop_slowly() -> None:
        os.kill(os.getpid(), number)

    monkeypatch.setattr(slow, "stop", stop_slowly)

    def run() -> None:
        with supervisor.signals():
            supervisor.start(other)
            supervisor.start(slow)
            os.kill(os.getpid(), number)
            supervisor.watch()

    with pytest.raises(StopRequestedError):
        run()
    assert journal == ["start other", "start slow", "ask slow", "force other", "force slow", "ask other", "stop other"]
    assert signal.getsignal(number) is before


def test_children_are_stopped_when_the_start_fails(supervisor: Supervisor, journal: list[str]) -> None:

    def run() -> None:
        with supervisor.signals():
            supervisor.start(PretendedChild("broker", journal))
            raise StartError("no")

    with pytest.raises(StartError):
        run()
    assert journal == ["start broker", "ask broker", "stop broker"]


def test_progress_elsewhere_than_on_a_terminal_is_whole_lines(clock: PretendedClock) -> None:
    stream = StringIO()
    with Progress(stream, clock).step("starting") as tick:
        for now in (1.0, 4.0, 5.0, 6.0, 10.0):
            clock.now = now
            tick()
    assert stream.getvalue() == "starting …\nstarting … 5 s\nstarting … 10 s\nstarting: 10.0 s\n"


def test_the_end_of_a_log_is_its_last_lines_and_nothing_when_there_is_none(tmp_path: Path) -> None:
    log = tmp_path / "some.log"
    assert log_tail(log) == ""
    log.write_text("".join(f"{number}\n" for number in range(20)))
    assert log_tail(log, lines=2) == "    18\n    19\n"
