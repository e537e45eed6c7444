"""The supervisor's decisions, with children and a clock that are not real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from environs import EnvError

from inference.supervision import data_directory, first_answer
from inference.supervision.addresses import Bind
from inference.supervision.errors import BindError, StartError, StopRequestedError, log_tail
from inference.supervision.options import ClusterOptions, read_cluster_options, read_gateway_options, read_serve_options
from inference.supervision.progress import Progress
from inference.supervision.rabbitmq import PrivateNode
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


@pytest.mark.parametrize(
    ("text", "host", "port", "url"),
    [
        ("127.0.0.1:54321", "127.0.0.1", 54321, "http://127.0.0.1:54321"),
        ("localhost:80", "localhost", 80, "http://localhost:80"),
        ("0.0.0.0:8000", "0.0.0.0", 8000, "http://127.0.0.1:8000"),
        (":8000", "", 8000, "http://127.0.0.1:8000"),
        ("[::1]:8000", "::1", 8000, "http://[::1]:8000"),
        ("[::]:8000", "::", 8000, "http://[::1]:8000"),
    ],
)
def test_an_address_to_listen_on_is_read(text: str, host: str, port: int, url: str) -> None:
    assert Bind.parse(text) == Bind(host, port)
    assert Bind.parse(text).url == url


@pytest.mark.parametrize("text", ["", "host", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "unix:/a/b", "1:٣"])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BindError, match=r"write it like 127\.0\.0\.1:54321"):
        Bind.parse(text)


def test_a_relative_data_directory_starts_at_the_caller_for_a_flag_and_at_the_repository_for_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = Path("/repository")
    assert data_directory.choose("here", "there", root) == tmp_path / "here"
    assert data_directory.choose(None, "there", root) == root / "there"
    assert data_directory.choose(None, "", root) == root / "var"


def test_a_data_directory_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match=r"^cannot write to the data directory [^\n]*--data-dir$"):
        data_directory.prepare(tmp_path / "file" / "var")


def test_a_data_directory_is_held_by_one_at_a_time_and_free_again_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    with (
        data_directory.held(folder),
        pytest.raises(StartError, match=rf"^the data directory \S+ is in use [^\n]*\(process {os.getpid()}\)[^\n]*$"),
        data_directory.held(folder),
    ):
        raise AssertionError("both hold it")
    with data_directory.held(folder), data_directory.held(tmp_path / "other"):
        pass


def test_a_program_that_is_started_meanwhile_does_not_hold_the_data_directory(tmp_path: Path) -> None:
    with data_directory.held(tmp_path):
        child = subprocess.Popen(
            [sys.executable, "-c", "input(1)"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
        )
    try:
        assert child.stdout is not None
        assert child.stdout.read(1) == b"1"
        with data_directory.held(tmp_path):
            pass
    finally:
        child.communicate(b"\n")


@pytest.mark.parametrize("name", ["PIPELINE_GATEWAY_PROCESSES", "PIPELINE_CLIENT_TIMEOUT"])
@pytest.mark.parametrize("value", ["0", "-1", "some", "nan"])
def test_what_gunicorn_could_not_read_stops_serve_and_cluster_by_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    for read in (read_gateway_options, lambda: read_serve_options({}), lambda: read_cluster_options({})):
        with pytest.raises(EnvError, match=name):
            read()


def test_a_brokers_address_is_shown_without_its_password() -> None:
    url = "amqp://user:secret@one:5672//;amqp://user:secret@two//"
    assert first_answer.without_password(url) == "amqp://user:**@one:5672//;amqp://user:**@two//"
    assert first_answer.without_password("amqp://one//") == "amqp://one//"


def test_flags_win_over_the_environment_and_that_over_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIPELINE_BIND", "PIPELINE_DATA_DIR", "PIPELINE_WORKERS", "PIPELINE_AMQP_PORT"):
        monkeypatch.delenv(name, raising=False)
    defaults = read_cluster_options({})
    assert (str(defaults.bind), defaults.workers, defaults.amqp_port) == ("127.0.0.1:54321", 2, 25679)
    monkeypatch.setenv("PIPELINE_BIND", "127.0.0.1:1111")
    monkeypatch.setenv("PIPELINE_WORKERS", "3")
    monkeypatch.setenv("PIPELINE_AMQP_PORT", "0")
    said = read_cluster_options({"bind": None, "workers": None, "amqp_port": None})
    assert (str(said.bind), said.workers, said.amqp_port) == ("127.0.0.1:1111", 3, 0)
    flagged = read_cluster_options({"bind": "127.0.0.1:2222", "workers": 1, "amqp_port": 0, "install": True})
    assert isinstance(flagged, ClusterOptions)
    assert (str(flagged.bind), flagged.workers, flagged.amqp_port, flagged.install) == ("127.0.0.1:2222", 1, 0, True)
    assert str(read_serve_options({}).bind) == "127.0.0.1:1111"


def test_two_directories_make_two_node_names_and_one_directory_always_the_same(tmp_path: Path) -> None:
    one, other = PrivateNode(tmp_path / "one"), PrivateNode(tmp_path / "other")
    assert one.node_name != other.node_name
    assert one.node_name == PrivateNode(tmp_path / "x" / ".." / "one").node_name
    assert one.node_name.endswith("@localhost")


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
